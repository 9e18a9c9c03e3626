/** U2: what a customer's bank has taken back of a payment for good. Stripe refunds nothing of a disputed payment. */
import type { Context } from '../../../context.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import type { Payment } from '../../../providers/stripe/payments.ts'
import type { Refund } from '../../../providers/stripe/refunds.ts'
import { askAboutPayment } from '../provider-alarm.ts'

const prefix = 'dispute:'

/** Whether it is the key of money that a bank has taken back, among the keys of refunds. */
export const isTakenBack = (refundKey: string | null): boolean => refundKey?.startsWith(prefix) === true

/** Whether Stripe refuses a refund because the payment is disputed. */
export const isDisputedPayment = (error: unknown): boolean => isProviderFailure(error, 'charge_disputed')

/**
 * The lost disputes of a payment as refunds, the newest first: the customer has this money back.
 * @param leftMinor what is left of the payment to refund
 */
export async function listTakenBack(
  context: Context,
  { paymentIntentId, currency }: Pick<Payment, 'paymentIntentId' | 'currency'>,
  leftMinor: number,
): Promise<Refund[]> {
  const disputes = await askAboutPayment(context, () => context.stripe.listDisputes(paymentIntentId))
  let left = leftMinor
  return disputes.flatMap((dispute) => {
    // A bank may reckon in another currency; then an operator compares.
    if (dispute.status !== 'lost' || dispute.currency !== currency) return []
    const amountMinor = Math.min(dispute.amountMinor, left)
    left -= amountMinor
    const { disputeId, createdAt } = dispute
    return [
      {
        refundId: disputeId,
        status: 'succeeded',
        amountMinor,
        currency,
        refundKey: prefix + disputeId,
        createdAt,
      } as const,
    ]
  })
}

/** Whether nothing of a payment is left, because it was refunded or because its disputes were lost. */
export async function isGivenBack(
  context: Context,
  payment: Pick<Payment, 'paymentIntentId' | 'currency' | 'disputed'>,
  leftMinor: number,
): Promise<boolean> {
  if (leftMinor <= 0) return true
  if (!payment.disputed) return false
  const takenBack = await listTakenBack(context, payment, leftMinor)
  return takenBack.reduce((sum, { amountMinor }) => sum + amountMinor, 0) >= leftMinor
}
