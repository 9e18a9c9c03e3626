import type { Database } from '../../db/connection/database.ts'

/** Deletes an account's rows without a receipt and erasure steps, which our code never does. */
export async function loseAccount(sql: Database, accountId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    await tx`delete from accounts where id = ${accountId}`
    await tx`delete from data_keys where account_id = ${accountId}`
  })
}

/** Deletes only the rows of an account's orders. */
export async function loseOrders(sql: Database, accountId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    await tx`delete from orders where account_id = ${accountId}`
  })
}
