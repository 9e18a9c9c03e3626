/** Refunds of a payment's latest charge: they succeed at once or later, and can fail days after. */
import type Stripe from 'stripe'
import { type Account, idOf } from './account.ts'
import { newRefund } from './after-payment-objects.ts'
import { blocksRefunds } from './disputes.ts'
import type { Events } from './events.ts'
import type { FraudWarnings } from './fraud-warnings.ts'
import type { Ledger } from './ledger.ts'
import { Refusal, refusedByState } from './refusal.ts'

export type Refunds = ReturnType<typeof createRefunds>

export function createRefunds(account: Account, events: Events, warnings: FraudWarnings, ledger: Ledger) {
  function create(
    charge: Stripe.Charge,
    given: { amount: number | undefined; reason: string | undefined; metadata: Record<string, string> },
  ): Stripe.Refund {
    const left = charge.amount_captured - charge.amount_refunded
    if (account.disputes.by('charge', charge.id).some(blocksRefunds))
      throw refusedByState('charge_disputed', `Charge ${charge.id} has been charged back.`)
    if (left === 0) throw refusedByState('charge_already_refunded', `Charge ${charge.id} has already been refunded.`)
    const amount = given.amount ?? left
    if (amount > left) {
      const message = `Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`
      throw new Refusal(400, { type: 'invalid_request_error', param: 'amount', message })
    }
    const paymentIntent = idOf(charge.payment_intent) ?? ''
    const doomed = account.settings.failNextRefund.delete(paymentIntent)
    const isPending = account.settings.pendingRefunds || account.settings.pendingRefundOf.has(paymentIntent)
    const status = isPending || doomed ? 'pending' : 'succeeded'
    const { pendingReason } = account.settings
    const refund = account.refunds.add(newRefund(account.now(), charge, { ...given, amount, status, pendingReason }))
    refund.balance_transaction = ledger.refunded(refund).id
    takeFrom(charge, amount)
    events.emit('refund.created', refund)
    events.emit('charge.refunded', charge)
    warnings.follow(charge)
    if (doomed) account.later(0, () => fail(refund))
    return refund
  }

  function settle(refund: Stripe.Refund): void {
    if (refund.status !== 'pending') throw new Error(`refund is ${refund.status}`)
    refund.status = 'succeeded'
    delete refund.pending_reason
    events.emit('refund.updated', refund, { status: 'pending' })
  }

  /** Fails a refund: the bank returned the money, and the charge counts as not refunded again. */
  function fail(refund: Stripe.Refund, reason = 'expired_or_canceled_card'): void {
    if (refund.status === 'failed' || refund.status === 'canceled') throw new Error(`refund is ${refund.status}`)
    const previous = refund.status
    Object.assign(refund, { status: 'failed', failure_reason: reason })
    delete refund.pending_reason
    const charge = account.charges.get(idOf(refund.charge) ?? '')
    if (charge) takeFrom(charge, -refund.amount)
    if (charge) warnings.follow(charge)
    refund.failure_balance_transaction = ledger.refundFailed(refund).id
    events.emit('refund.updated', refund, { status: previous })
    events.emit('refund.failed', refund)
  }

  return { create, settle, fail }
}

function takeFrom(charge: Stripe.Charge, amount: number): void {
  charge.amount_refunded += amount
  charge.refunded = charge.amount_refunded === charge.amount_captured
}
