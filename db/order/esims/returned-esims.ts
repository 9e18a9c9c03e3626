/** Which eSIMs go back to their provider or have gone back, and whether their refund was asked for. */
import type { Queryable, Transaction } from '../../connection/database.ts'
import type { Esims, Refunds } from '../../connection/schema.ts'
import { notMade } from '../refunds.ts'

/**
 * Locks those of the eSIMs that are with the customer and whose return was not asked for.
 * @returns their ids
 */
export async function lockUnreturned(tx: Transaction, esimIds: readonly string[]): Promise<string[]> {
  const rows = await tx<Pick<Esims, 'id'>[]>`
    select id from esims where id = any(${[...esimIds]}::uuid[]) and state <> 'cancelled' and return_asked_at is null
    order by id for update`
  return rows.map(({ id }) => id)
}

/** Whether an unused eSIM is being returned, or was. It waits for who is about to claim it for a return. */
export async function isBeingReturned(sql: Queryable, esimId: string): Promise<boolean> {
  const [row] = await sql<{ returned: boolean }[]>`
    select state = 'cancelled' or (state = 'new' and return_asked_at is not null) as returned
    from esims where id = ${esimId} for share`
  return row?.returned ?? true
}

/** Records before a request that the provider is asked for the return of an eSIM; `null`: it has refused. */
export async function noteReturnAsked(sql: Queryable, esimId: string, at: Date | null): Promise<void> {
  await sql`update esims set return_asked_at = ${at} where id = ${esimId}`
}

/**
 * Kind of the operator task of eSIMs that went back without their refund, some or all: a part of the eSIMs, or a refund
 * that was asked for with the return, has no price of its own.
 */
export const returnedNotRefunded = 'returned_not_refunded'

/** How long before its return a refund may be asked for: the amount of a partial refund is reserved a moment before. */
const reservedBeforeMs = 60_000

/** Whether a refund was asked for since the first return of its order, or together with it. */
export const isRefundOfReturn = (
  { state, created_at }: Pick<Refunds, 'state' | 'created_at'>,
  firstAsked: Date,
): boolean => !notMade.includes(state) && created_at.getTime() >= firstAsked.getTime() - reservedBeforeMs

/** Whether the eSIMs of an order go back with a partial refund, or went: nothing else is owed for their return. */
export async function isReturnedForPart(sql: Queryable, orderId: string): Promise<boolean> {
  const rows = await sql`
    select from refunds where order_id = ${orderId} and returns_esims and state <> all(${[...notMade]}) limit 1`
  return rows.length > 0
}

/**
 * How many eSIMs of an order were returned at our request, and whether a refund is theirs, as `isRefundOfReturn` says.
 */
export async function countReturned(
  sql: Queryable,
  orderId: string,
): Promise<{ returned: number; total: number; isRefunded: boolean }> {
  const [row] = await sql<{ returned: number; total: number; is_refunded: boolean }[]>`
    select returned, total,
      exists (
        select from refunds r where r.order_id = ${orderId} and r.state <> all(${[...notMade]})
          and r.created_at >= first_asked - ${reservedBeforeMs} * interval '1 millisecond') as is_refunded
    from (
      select count(*)::int as total, (count(*) filter (where state = 'cancelled' and return_asked_at is not null))::int as returned,
        min(return_asked_at) filter (where state = 'cancelled') as first_asked
      from esims where order_id = ${orderId}) its`
  return { returned: row?.returned ?? 0, total: row?.total ?? 0, isRefunded: row?.is_refunded ?? false }
}
