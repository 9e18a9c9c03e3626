import type { Queryable } from '../connection/database.ts'
import type { Disputes } from '../connection/schema.ts'

export async function upsertDispute(
  sql: Queryable,
  dispute: { disputeId: string; orderId: string; state: string; at: Date; closed: boolean },
): Promise<void> {
  const closedAt = dispute.closed ? dispute.at : null
  await sql`insert into disputes (stripe_dispute_id, order_id, state, opened_at, closed_at)
    values (${dispute.disputeId}, ${dispute.orderId}, ${dispute.state}, ${dispute.at}, ${closedAt})
    on conflict (stripe_dispute_id) do update set state = excluded.state, closed_at = excluded.closed_at`
}

/** The state of an order's latest dispute. */
export async function disputeState(sql: Queryable, orderId: string): Promise<string | undefined> {
  const [row] = await sql<Pick<Disputes, 'state'>[]>`
    select state from disputes where order_id = ${orderId} order by opened_at desc limit 1`
  return row?.state
}
