import { LRUCache } from 'lru-cache'
import type { Queryable } from '../connection/database.ts'
import type { DataKey, FieldCipher } from './field-cipher.ts'

/** Personal data that belongs to no account (security log, requests by strangers) is sealed under this id's key. */
export const systemKeyId = '00000000-0000-0000-0000-000000000000'

/** How long an erased account's key may linger in a process's memory, milliseconds. */
const keptInMemoryMs = 60_000

export class DataKeyMissing extends Error {
  override readonly name = 'DataKeyMissing'
}

export type DataKeys = ReturnType<typeof createDataKeys>

/** Finds, makes and remembers accounts' data keys. */
export function createDataKeys(cipher: FieldCipher) {
  const cache = new LRUCache<string, DataKey>({ max: 10_000, ttl: keptInMemoryMs })

  return {
    /** Makes and stores the key of a new account, in the caller's transaction. */
    async create(sql: Queryable, accountId: string): Promise<DataKey> {
      const made = cipher.newDataKey(accountId)
      await sql`insert into data_keys (account_id, kek_id, wrapped_key)
        values (${accountId}, ${made.kekId}, ${made.wrapped})`
      return { accountId, key: made.key }
    },
    /** @throws DataKeyMissing when the account was erased (or never was) */
    async get(sql: Queryable, accountId: string): Promise<DataKey> {
      const cached = cache.get(accountId)
      if (cached) return cached
      const [row] = await sql<{ kek_id: string; wrapped_key: Buffer }[]>`
        select kek_id, wrapped_key from data_keys where account_id = ${accountId}`
      if (!row) throw new DataKeyMissing('this account has no data key: it was erased')
      const key = cipher.unwrap(accountId, { kekId: row.kek_id, wrapped: row.wrapped_key })
      cache.set(accountId, key)
      return key
    },
    /** The key for data of no account; made by whoever needs it first. */
    async system(sql: Queryable): Promise<DataKey> {
      const cached = cache.get(systemKeyId)
      if (cached) return cached
      const made = cipher.newDataKey(systemKeyId)
      await sql`insert into data_keys (account_id, kek_id, wrapped_key)
        values (${systemKeyId}, ${made.kekId}, ${made.wrapped}) on conflict do nothing`
      return this.get(sql, systemKeyId)
    },
    forget(accountId: string): void {
      cache.delete(accountId)
    },
  }
}
