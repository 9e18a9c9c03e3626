/** How urgent an operator task is: by its kind, and by its due date. */
import { periods } from './periods.ts'

/** `now`: money or many customers at stake; `today`: one customer waits; `this_week`: nobody waits. */
export const urgencies = ['now', 'today', 'this_week'] as const
export type Urgency = (typeof urgencies)[number]

/** A kind that is not listed is for today. */
const urgencyOfKind: Readonly<Record<string, Urgency>> = {
  outage: 'now',
  run_wedged: 'now',
  run_lost: 'now',
  schedule_silent: 'now',
  order_out_of_step: 'now',
  esim_sold_twice: 'now',
  cancelled_and_used: 'this_week',
  operator_sign_in_guessed: 'now',
  provider_misconfigured: 'now',
  payment_unresolved: 'now',
  payment_without_order: 'now',
  refund_failed: 'now',
  partial_refund_failed: 'now',
  returned_not_refunded: 'now',
  withdrawal_unsettled: 'now',
  refund_elsewhere_failed: 'now',
  order_overdue: 'now',
  payment_unsettled: 'now',
  backup_failed: 'now',
  backup_lost: 'now',
  restored_access: 'now',
  webhook_endpoint_disabled: 'now',
  webhook_endpoint_of_revoked_key: 'now',
  provider_balance_low: 'now',
  paid_not_settled: 'now',
  charged_twice: 'now',
  credit_note_without_refund: 'now',
  dispute_lost: 'this_week',
  event_not_taken: 'this_week',
  refund_made_elsewhere: 'this_week',
  vat_evidence_incomplete: 'this_week',
  provider_refund_requested: 'this_week',
  campaign_stuck: 'this_week',
  esim_without_order: 'this_week',
  placement_unknown: 'this_week',
  placed_twice: 'this_week',
  provider_cost_differs: 'this_week',
  esim_alive_after_refund: 'this_week',
}

/** Tasks that are due by then are for now. */
export const dueSoon = (asOf: Date): Date => new Date(asOf.getTime() + periods.operatorTask.dueSoonMs)

/** @param dueAt when it is too late to settle the task, if it has such a date */
export const urgencyOf = (kind: string, dueAt: Date | null, asOf: Date): Urgency =>
  dueAt !== null && dueAt <= dueSoon(asOf) ? 'now' : (urgencyOfKind[kind] ?? 'today')

/** The listed kinds of one urgency, for queries. */
export const kindsOf = (urgency: Urgency): string[] =>
  Object.keys(urgencyOfKind).filter((kind) => urgencyOfKind[kind] === urgency)
