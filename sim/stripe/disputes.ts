/** Disputes: the cardholder's bank opens and decides them, or we accept them (`close`). */
import type Stripe from 'stripe'
import { type Account, idOf } from './account.ts'
import { newDispute } from './after-payment-objects.ts'
import type { Events } from './events.ts'
import { refusedByState } from './refusal.ts'

const responseDays = 7
const undecided = ['needs_response', 'under_review', 'warning_needs_response', 'warning_under_review']

export type Disputes = ReturnType<typeof createDisputes>

export function createDisputes(account: Account, events: Events) {
  function openDispute(charge: Stripe.Charge, reason: string, amount = charge.amount): Stripe.Dispute {
    if (!charge.paid || charge.disputed) throw new Error('only a paid charge without a dispute can be disputed')
    const dueBy = account.now() + responseDays * 86_400
    const dispute = account.disputes.add(newDispute(account.now(), charge, { amount, reason, dueBy }))
    charge.disputed = true
    events.emit('charge.dispute.created', dispute)
    events.emit('charge.dispute.funds_withdrawn', dispute)
    return dispute
  }

  function review(dispute: Stripe.Dispute): void {
    const previous = dispute.status
    dispute.status = 'under_review'
    events.emit('charge.dispute.updated', dispute, { status: previous })
  }

  function decide(dispute: Stripe.Dispute, outcome: 'won' | 'lost'): Stripe.Dispute {
    if (!isUndecided(dispute)) {
      throw refusedByState('status_transition_invalid', `This dispute is already ${dispute.status}.`)
    }
    dispute.status = outcome
    const charge = account.charges.get(idOf(dispute.charge) ?? '')
    if (charge && outcome === 'won') charge.disputed = false
    events.emit('charge.dispute.closed', dispute)
    if (outcome === 'won') events.emit('charge.dispute.funds_reinstated', dispute)
    return dispute
  }

  return { open: openDispute, review, decide }
}

export const isUndecided = (dispute: Stripe.Dispute): boolean => undecided.includes(dispute.status)
