/**
 * Puts many payments of the past into the account at once, without events and webhooks. Their money reaches the balance
 * now.
 */

import { z } from 'zod'
import { newId } from './account.ts'
import { newDispute, newRefund } from './after-payment-objects.ts'
import { cardDetails, newCharge, newPaymentIntent } from './objects.ts'
import type { Parts } from './routes.ts'

const plantedPaymentForm = z.strictObject({
  /** minor units */
  amount: z.number(),
  currency: z.string(),
  metadata: z.record(z.string(), z.string()),
  /** Unix seconds */
  created: z.number(),
  /** one refund of this amount, minor units */
  refunded: z.number().exactOptional(),
  disputed: z.boolean().exactOptional(),
})
export type PlantedPayment = z.infer<typeof plantedPaymentForm>
export const plantedPaymentsForm = z.array(plantedPaymentForm)

export interface Planted {
  paymentIntent: string
  refund: string | null
  dispute: string | null
}

export function plant({ account, ledger }: Parts, payments: PlantedPayment[]): { planted: Planted[] } {
  const planted = payments.map(({ amount, currency, metadata, created, refunded, disputed }) => {
    const intent = account.paymentIntents.add(newPaymentIntent(created, { amount, currency, customer: null, metadata }))
    const outcome = { paid: true, riskLevel: 'normal' }
    const charge = account.charges.add(newCharge(created, intent, cardDetails('card', newId('fp')), outcome))
    charge.balance_transaction = ledger.charged(charge).id
    Object.assign(intent, { amount_received: amount, latest_charge: charge.id, status: 'succeeded' })
    let refund: string | null = null
    let dispute: string | null = null
    if (refunded) {
      const given = { amount: refunded, reason: undefined, metadata: {}, status: 'succeeded' }
      const made = account.refunds.add(newRefund(created + 60, charge, given))
      made.balance_transaction = ledger.refunded(made).id
      charge.amount_refunded = refunded
      charge.refunded = refunded === amount
      refund = made.id
    }
    if (disputed) {
      const given = {
        amount,
        reason: 'fraudulent',
        dueBy: created + 7 * 86_400,
        networkReasonCode: null,
        inquiry: false,
      }
      const opened = account.disputes.add(newDispute(created, charge, given))
      opened.balance_transactions.push(ledger.disputed(opened))
      charge.disputed = true
      dispute = opened.id
    }
    return { paymentIntent: intent.id, refund, dispute }
  })
  return { planted }
}
