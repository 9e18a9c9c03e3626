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

/**
 * Whether an eSIM has to be suspended: a dispute about its order or about one of its top-ups is open, or was lost.
 */
export async function isDisputed(sql: Queryable, esim: { id: string; orderId: string }): Promise<boolean> {
  const rows = await sql`
    select 1 from disputes d join orders o on o.id = d.order_id
    where (o.id = ${esim.orderId} or o.esim_id = ${esim.id}) and (d.closed_at is null or d.state = 'lost') limit 1`
  return rows.length > 0
}

/** The state of an order's latest dispute. */
export async function disputeState(sql: Queryable, orderId: string): Promise<string | undefined> {
  const [row] = await sql<Pick<Disputes, 'state'>[]>`
    select state from disputes where order_id = ${orderId} order by opened_at desc limit 1`
  return row?.state
}
