import { LRUCache } from 'lru-cache'
import type { Queryable } from '../connection/database.ts'
import type { DataKeys as DataKeyRows } from '../connection/schema.ts'
import type { DataKey, FieldCipher } from './field-cipher.ts'

/**
 * The id of the data key for personal data without an account: security log, requests of persons without an account.
 */
export const systemKeyId = '00000000-0000-0000-0000-000000000000'

/** How long the data key of an erased account may stay in the memory of a process, in milliseconds. */
const keptInMemoryMs = 60_000

/** Longer than any transaction of a process: until then the key that it has made may be rolled back. */
const committedAfterMs = 3_600_000

export class DataKeyMissing extends Error {
  override readonly name = 'DataKeyMissing'
}

export type DataKeys = ReturnType<typeof createDataKeys>

/** Creates, finds and caches data keys. */
export function createDataKeys(cipher: FieldCipher) {
  const cache = new LRUCache<string, DataKey>({ max: 10_000, ttl: keptInMemoryMs })
  let uncertainUntil = 0

  async function read(sql: Queryable, accountId: string): Promise<DataKey | undefined> {
    const [row] = await sql<Pick<DataKeyRows, 'kek_id' | 'wrapped_key'>[]>`
      select kek_id, wrapped_key from data_keys where account_id = ${accountId}`
    return row && cipher.unwrap(accountId, { kekId: row.kek_id, wrapped: row.wrapped_key })
  }

  /**
   * Makes a data key, for a caller who encrypts with it in the round trip that stores it.
   * @returns `stored`: a statement of the caller's transaction, sent when it is awaited
   */
  function make(sql: Queryable, accountId: string): { key: DataKey; stored: PromiseLike<unknown> } {
    const { key, kekId, wrapped } = cipher.newDataKey(accountId)
    const stored = sql`insert into data_keys (account_id, kek_id, wrapped_key) values (${accountId}, ${kekId}, ${wrapped})`
    return { key: { accountId, key }, stored }
  }

  return {
    make,
    /** Creates and stores the data key of a new account, in the caller's transaction. */
    async create(sql: Queryable, accountId: string): Promise<DataKey> {
      const { key, stored } = make(sql, accountId)
      await stored
      return key
    },
    /** The data key of an account. @throws DataKeyMissing when the account is missing or erased */
    async get(sql: Queryable, accountId: string): Promise<DataKey> {
      const cached = cache.get(accountId)
      if (cached) return cached
      const key = await read(sql, accountId)
      if (!key) throw new DataKeyMissing('this account has no data key: it was erased')
      cache.set(accountId, key)
      return key
    },
    /** The key for data without an account, created at its first use: in the caller's transaction, if it has one. */
    async system(sql: Queryable): Promise<DataKey> {
      const cached = cache.get(systemKeyId)
      if (cached) return cached
      const known = await read(sql, systemKeyId)
      if (known) {
        if (Date.now() >= uncertainUntil) cache.set(systemKeyId, known)
        return known
      }
      uncertainUntil = Date.now() + committedAfterMs
      const made = cipher.newDataKey(systemKeyId)
      await sql`insert into data_keys (account_id, kek_id, wrapped_key)
        values (${systemKeyId}, ${made.kekId}, ${made.wrapped}) on conflict do nothing`
      const key = await read(sql, systemKeyId)
      if (!key) throw new DataKeyMissing('the key for data without an account is gone')
      return key
    },
    evict(accountId: string): void {
      cache.delete(accountId)
    },
  }
}
