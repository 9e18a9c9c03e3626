import type { Database } from '../../db/connection/database.ts'

/** Loses an account as no code of ours does: without a receipt, and without anybody being told. */
export async function loseAccount(sql: Database, accountId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    await tx`delete from accounts where id = ${accountId}`
    await tx`delete from data_keys where account_id = ${accountId}`
  })
}

/** Loses an account's orders, and nothing else of it. */
export async function loseOrders(sql: Database, accountId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    await tx`delete from orders where account_id = ${accountId}`
  })
}
