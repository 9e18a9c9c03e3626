/** How urgent each kind of operator task is. */

/** `now`: money or many customers at stake; `today`: one customer waits; `this_week`: nobody waits. */
export const urgencies = ['now', 'today', 'this_week'] as const
export type Urgency = (typeof urgencies)[number]

/** A kind that is not listed is for today. */
const urgencyOfKind: Readonly<Record<string, Urgency>> = {
  outage: 'now',
  run_wedged: 'now',
  provider_misconfigured: 'now',
  payment_unresolved: 'now',
  payment_without_order: 'now',
  refund_failed: 'now',
  refund_elsewhere_failed: 'now',
  order_overdue: 'now',
  payment_unsettled: 'now',
  backup_failed: 'now',
  dispute_lost: 'this_week',
  refund_made_elsewhere: 'this_week',
  provider_refund_requested: 'this_week',
  campaign_stuck: 'this_week',
}

export const urgencyOf = (kind: string): Urgency => urgencyOfKind[kind] ?? 'today'

/** The listed kinds of one urgency, for queries. */
export const kindsOf = (urgency: Urgency): string[] =>
  Object.keys(urgencyOfKind).filter((kind) => urgencyOfKind[kind] === urgency)
