/** A request about a person who is erased while it waits, which otherwise happens once in many thousand requests. */
import type { Database, Transaction } from '../../db/connection/database.ts'
import { until } from '../harness/until.ts'

/**
 * Has a request wait at its first write of a table, and does something meanwhile.
 * @param ask begins the request
 * @param work in the transaction for which the request waits
 * @param mode `share` lets it read, `exclusive` lets it read without locks
 */
export async function meanwhile<Answer>(
  sql: Database,
  table: string,
  ask: () => Promise<Answer>,
  work: (tx: Transaction) => Promise<unknown>,
  mode: 'share' | 'exclusive' | 'access exclusive' = 'share',
): Promise<Answer> {
  let asked: Promise<Answer> | undefined
  await sql.begin(async (tx) => {
    await tx.unsafe(`lock table ${table} in ${mode} mode`)
    asked = ask()
    // One that fails before it waits would be an unhandled rejection.
    asked.catch(() => undefined)
    await until(`a request waits for ${table}`, async () => {
      const waiting = await tx`select 1 from pg_locks where not granted and relation = ${table}::regclass`
      return waiting.length > 0
    })
    await work(tx)
  })
  if (!asked) throw new Error('nothing was asked')
  return asked
}

/** Deletes an account's rows, as its erasure does. */
export const erasing = (accountId: string) => async (tx: Transaction) => {
  await tx`select erase_only(${accountId})`
  await tx`delete from accounts where id = ${accountId}`
  await tx`delete from data_keys where account_id = ${accountId}`
}
