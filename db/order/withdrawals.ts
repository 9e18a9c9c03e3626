/** Withdrawals from the contracts of orders. */
import type { Queryable } from '../connection/database.ts'
import type { Orders, Withdrawals } from '../connection/schema.ts'
import { type ColumnEncryption, tableEncryption } from '../crypto/column-encryption.ts'

export interface Withdrawal {
  name: string
  openedAt: Date
  /** null before the confirmation */
  statedAt: Date | null
}

type OfOrder = Pick<Orders, 'id' | 'account_id'>

/** Opens a withdrawal. One that is open takes the new name; one that was stated stays as it is. */
export async function openWithdrawal(
  sql: Queryable,
  encryption: ColumnEncryption,
  order: OfOrder,
  { name, at }: { name: string; at: Date },
): Promise<void> {
  const key = await encryption.dataKeys.get(sql, order.account_id)
  const sealed = tableEncryption(encryption.cipher, key, 'withdrawals').seal('name', name)
  await sql`insert into withdrawals (order_id, name, opened_at) values (${order.id}, ${sealed}, ${at})
    on conflict (order_id) do update set name = excluded.name where withdrawals.stated_at is null`
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
  return { name, openedAt: row.opened_at, statedAt: row.stated_at }
}

/** Records that a withdrawal was confirmed; the first time stays. @returns false when none is open */
export async function stateWithdrawal(sql: Queryable, orderId: string, at: Date): Promise<boolean> {
  const stated = await sql`
    update withdrawals set stated_at = coalesce(stated_at, ${at}) where order_id = ${orderId}`
  return stated.count > 0
}
