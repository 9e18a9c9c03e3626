/**
 * G3, K1 and G6, accounts of persons and of children are deleted at once, and requests answered within 30 days: figures
 * of deletions and privacy requests, and how long they have been open.
 */
import type { Readings } from '../../policy/figures.ts'
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import { onlyRow } from '../connection/only-row.ts'
import type { DeletionSteps, PrivacyRequests } from '../connection/schema.ts'
import { daysSince } from './retention.ts'
import { detailOf } from './schema.ts'

type Unfinished = Pick<DeletionSteps, 'processor' | 'code'> & { count: number }

export async function readRightsFigures(sql: Queryable, asOf: Date): Promise<Readings> {
  const overdueSince = plusMs(asOf, -periods.deletion.overdueAfterMs)
  const [unfinished, why, overdue, oldest, late] = await Promise.all([
    sql<{ count: number }[]>`select count(*)::int as count from deletions where completed_at is null`,
    sql<Unfinished[]>`
      select s.processor, s.code, count(*)::int as count from deletions d join deletion_steps s using (receipt_id)
      where d.completed_at is null and s.state in ('pending', 'needs_operator')
      group by s.processor, s.code order by count(*) desc limit 10`,
    sql<{ all: number; children: number }[]>`
      select count(distinct receipt_id)::int as all,
        (count(distinct receipt_id) filter (where reason = 'child'))::int as children
      from deletions d join deletion_steps s using (receipt_id)
      where d.completed_at is null and d.erased_at < ${overdueSince} and (s.state = 'needs_operator'
        -- backups go by their own calendar, and Stripe redacts after 90 days
        or (s.state = 'pending' and s.processor not in ('backups', 'stripe_redaction')))`,
    sql<
      { received: PrivacyRequests['received_at'] | null }[]
    >`select min(received_at) as received from privacy_requests where state <> 'answered'`,
    sql<{ count: number }[]>`
      select count(*)::int as count from privacy_requests
      where state <> 'answered' and (answer_by < ${asOf} or late_at is not null)`,
  ])
  const { all, children } = onlyRow(overdue)
  const { received } = onlyRow(oldest)
  const reasons = why.map(({ processor, code, count }) => `${processor}${code ? ` (${code})` : ''}: ${count}`)
  return {
    unfinished_erasures: { value: onlyRow(unfinished).count, ...detailOf(reasons) },
    overdue_erasures: { value: all },
    overdue_child_erasures: { value: children },
    oldest_request: { value: received ? Math.max(0, daysSince(received, asOf)) : 0 },
    late_requests: { value: onlyRow(late).count },
  }
}
