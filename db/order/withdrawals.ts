/** Withdrawals from the contracts of orders. */
import { plusDays } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import type { Orders, Withdrawals } from '../connection/schema.ts'
import { type ColumnEncryption, tableEncryption } from '../crypto/column-encryption.ts'

export interface Withdrawal {
  name: string
  /** word for word */
  statement: string
  openedAt: Date
  /** null before the confirmation */
  statedAt: Date | null
}

/** States of orders from whose contract a customer can withdraw: paid, and neither refunded nor over. */
export const canWithdrawFrom: readonly Orders['status'][] = ['in_review', 'provisioning', 'delivered']

type OfOrder = Pick<Orders, 'id' | 'account_id'>

/** States of orders whose customer gets the money, or has paid none. */
export const carriedOut: readonly Orders['status'][] = ['refunding', 'refund_failed', 'refunded', 'cancelled']

/** Kind of the operator task of a withdrawal that could not be carried out. */
export const withdrawalUnsettled = 'withdrawal_unsettled'
/** Kind of the mail that acknowledges a statement. */
export const withdrawalAcknowledged = 'mail:withdrawal_acknowledged'
const acknowledgedWithinDays = 30

/** Opens a withdrawal. One that is open takes the new name and statement; one that was stated stays as it is. */
export async function openWithdrawal(
  sql: Queryable,
  encryption: ColumnEncryption,
  order: OfOrder,
  { name, statement, at }: { name: string; statement: string; at: Date },
): Promise<void> {
  const key = await encryption.dataKeys.get(sql, order.account_id)
  const sealed = tableEncryption(encryption.cipher, key, 'withdrawals').seal('name', name)
  await sql`insert into withdrawals (order_id, name, statement, opened_at) values (${order.id}, ${sealed}, ${statement}, ${at})
    on conflict (order_id) do update set name = excluded.name, statement = excluded.statement
    where withdrawals.stated_at is null`
}

export async function findWithdrawal(
  sql: Queryable,
  encryption: ColumnEncryption,
  order: OfOrder,
): Promise<Withdrawal | undefined> {
  const [row] = await sql<Withdrawals[]>`select * from withdrawals where order_id = ${order.id}`
  if (!row) return undefined
  const key = await encryption.dataKeys.get(sql, order.account_id)
  const name = tableEncryption(encryption.cipher, key, 'withdrawals').open('name', row.name)
  return { name, statement: statementOf(row), openedAt: row.opened_at, statedAt: row.stated_at }
}

/** The statement of a withdrawal. A row without it was written by a program that had the English statement alone. */
const statementOf = ({ order_id, statement }: Pick<Withdrawals, 'order_id' | 'statement'>): string =>
  statement ?? `I hereby withdraw from the contract of order ${order_id}.`

/**
 * Orders whose withdrawal was stated before a time, and is neither carried out nor left to an operator, or not
 * acknowledged for a month.
 */
export const listStatedOrders = (sql: Queryable, { until }: { until: Date }): Promise<OfOrder[]> =>
  sql<OfOrder[]>`
    select o.id, o.account_id from withdrawals w join orders o on o.id = w.order_id
    where w.stated_at < ${until} and ((o.status <> all(${[...carriedOut]}) and not exists (
        select from attention t where t.kind = ${withdrawalUnsettled} and t.subject_id = o.id::text))
      or (w.stated_at > ${plusDays(until, -acknowledgedWithinDays)} and not exists (
        select from sends s where s.subject_id = o.id and s.kind = ${withdrawalAcknowledged}
          and s.state in ('sent', 'failed', 'skipped'))))
    order by w.stated_at`

/** Records that a withdrawal was confirmed; the first time stays. @returns false when none is open */
export async function stateWithdrawal(sql: Queryable, orderId: string, at: Date): Promise<boolean> {
  const stated = await sql`
    update withdrawals set stated_at = coalesce(stated_at, ${at}) where order_id = ${orderId}`
  return stated.count > 0
}
