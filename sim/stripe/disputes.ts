/** Disputes: the cardholder's bank opens and decides them, or we accept them (`close`). */
import type Stripe from 'stripe'
import { type Account, idOf } from './account.ts'
import { newDispute } from './after-payment-objects.ts'
import type { Events } from './events.ts'
import type { FraudWarnings } from './fraud-warnings.ts'
import type { Ledger } from './ledger.ts'
import { refusedByState } from './refusal.ts'

const responseDays = 7
const awaiting = ['needs_response', 'warning_needs_response']
const undecided = ['needs_response', 'under_review', 'warning_needs_response', 'warning_under_review']
const isInquiry = ({ status }: Stripe.Dispute): boolean => status.startsWith('warning_')

export interface NewDispute {
  reason: string
  amount?: number | undefined
  dueInDays?: number | null | undefined
  networkReasonCode?: string | undefined
  /** the bank only asks: docs.stripe.com/disputes/how-disputes-work#inquiries */
  inquiry?: boolean | undefined
}

export type Disputes = ReturnType<typeof createDisputes>

export function createDisputes(account: Account, events: Events, warnings: FraudWarnings, ledger: Ledger) {
  /** @param given.dueInDays null: the bank takes no answer */
  function openDispute(charge: Stripe.Charge, given: NewDispute): Stripe.Dispute {
    const others = account.disputes.by('charge', charge.id)
    if (!charge.paid || others.some((other) => isUndecided(other) || other.status === 'lost'))
      throw new Error('only a paid charge without a dispute can be disputed')
    const {
      reason,
      amount = charge.amount,
      dueInDays = responseDays,
      networkReasonCode = null,
      inquiry = false,
    } = given
    const dueBy = dueInDays === null ? 0 : account.now() + Math.round(dueInDays * 86_400)
    const dispute = account.disputes.add(
      newDispute(account.now(), charge, { amount, reason, dueBy, networkReasonCode, inquiry }),
    )
    charge.disputed = true
    if (!inquiry) dispute.balance_transactions.push(ledger.disputed(dispute))
    events.emit('charge.dispute.created', dispute)
    if (!inquiry) events.emit('charge.dispute.funds_withdrawn', dispute)
    warnings.follow(charge)
    return dispute
  }

  /**
   * Stages or submits evidence: docs.stripe.com/api/disputes/update. The bank takes it once.
   * @param submit `true` is Stripe's default
   */
  function update(dispute: Stripe.Dispute, evidence: Record<string, string>, submit: boolean): Stripe.Dispute {
    if (!awaiting.includes(dispute.status)) {
      throw refusedByState('status_transition_invalid', `This dispute is ${dispute.status}.`)
    }
    const details = dispute.evidence_details
    const before = { evidence: { ...dispute.evidence }, evidence_details: { ...details } }
    Object.assign(dispute.evidence, evidence)
    details.has_evidence = Object.values(dispute.evidence).some((value) => typeof value === 'string')
    const previous = dispute.status
    if (submit) {
      details.submission_count += 1
      details.submission_method = 'manual'
      details.past_due = Boolean(details.due_by) && account.now() > Number(details.due_by)
      dispute.status = previous === 'needs_response' ? 'under_review' : 'warning_under_review'
    }
    events.emit('charge.dispute.updated', dispute, { ...before, ...(submit && { status: previous }) })
    return dispute
  }

  function review(dispute: Stripe.Dispute): void {
    const previous = dispute.status
    dispute.status = 'under_review'
    events.emit('charge.dispute.updated', dispute, { status: previous })
  }

  /** Settles it before it becomes a dispute: docs.stripe.com/changelog/basil/2025-08-27/add-preventions-to-dispute */
  function prevent(dispute: Stripe.Dispute, caseType: 'block' | 'resolution'): Stripe.Dispute {
    dispute.status = 'prevented'
    if (dispute.payment_method_details?.card) dispute.payment_method_details.card.case_type = caseType
    const charge = account.charges.get(idOf(dispute.charge) ?? '')
    if (charge && caseType === 'block') charge.disputed = false
    events.emit('charge.dispute.closed', dispute)
    return dispute
  }

  function decide(dispute: Stripe.Dispute, outcome: 'won' | 'lost'): Stripe.Dispute {
    if (!isUndecided(dispute)) {
      throw refusedByState('status_transition_invalid', `This dispute is already ${dispute.status}.`)
    }
    const wasInquiry = isInquiry(dispute)
    // An inquiry of which the bank makes no dispute: docs.stripe.com/disputes/how-disputes-work#inquiries
    dispute.status = wasInquiry && outcome === 'won' ? 'warning_closed' : outcome
    // The charge "has been disputed" for good: docs.stripe.com/api/charges/object, `disputed`.
    const isReinstated = !wasInquiry && outcome === 'won'
    if (isReinstated) dispute.balance_transactions.push(ledger.disputeWon(dispute))
    events.emit('charge.dispute.closed', dispute)
    if (isReinstated) events.emit('charge.dispute.funds_reinstated', dispute)
    return dispute
  }

  return { open: openDispute, update, review, prevent, decide }
}

/** Whether it keeps its charge from being refunded: an inquiry does not, nor one that was won or blocked. */
export const blocksRefunds = (dispute: Stripe.Dispute): boolean =>
  dispute.status === 'lost' ||
  (dispute.status === 'prevented' && dispute.payment_method_details?.card?.case_type === 'resolution') ||
  (isUndecided(dispute) && !isInquiry(dispute))

export const isUndecided = (dispute: Stripe.Dispute): boolean => undecided.includes(dispute.status)
