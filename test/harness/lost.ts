import type { Database } from '../../db/connection/database.ts'

/** Deletes an account's rows as no code of ours does: without a receipt and without erasure steps. */
export async function loseAccount(sql: Database, accountId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    await tx`delete from accounts where id = ${accountId}`
    await tx`delete from data_keys where account_id = ${accountId}`
  })
}

/** Deletes the rows of an account's orders, and nothing else. */
export async function loseOrders(sql: Database, accountId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    await tx`delete from orders where account_id = ${accountId}`
  })
}
