/** Orders that need attention by now. */
import type { Queryable } from './connection/database.ts'
import type { Orders } from './connection/schema.ts'

/** Orders whose deadline had passed at `before`, with their status. */
export async function listOverdueOrders(
  sql: Queryable,
  { before, reviewedSince, limit }: { before: Date; reviewedSince: Date; limit: number },
): Promise<Pick<Orders, 'id' | 'status'>[]> {
  return sql<Pick<Orders, 'id' | 'status'>[]>`
    select id, status from orders
    where ended_at is null and (
      (status = 'awaiting_payment' and payment_due_at < ${before})
      or (status = 'provisioning' and deliver_by < ${before})
      or (status = 'in_review' and paid_at < ${reviewedSince}))
    order by created_at limit ${limit}`
}
