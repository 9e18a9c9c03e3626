import type { Context } from '../../context.ts'
import { findClosedRestore } from '../../db/backup/restores.ts'
import { wrongKeys } from '../../db/crypto/wrong-keys.ts'
import { shareReading } from '../../shared/shared-reading.ts'
import { Problem } from './problem.ts'

/** Much shorter than a restore takes: no reading of the database before it is still in use after it. */
const freshForMs = 500
/** Settings do not change while a process runs, but the first account may be written by another one. */
const keysFreshForMs = 60_000
const retryAfterSeconds = 30

/**
 * Makes the check that refuses requests that the database must not take: while a restore of it is not complete, an
 * order of the lost database would be unknown, and its webhook would be dropped; with keys of another database nobody
 * would be found, and what is written could not be read.
 * @returns rejects with Problem restoring, unavailable
 */
export function createDatabaseGate({ sql, cipher, log }: Pick<Context, 'sql' | 'cipher' | 'log'>): () => Promise<void> {
  const isClosed = shareReading(freshForMs, () => orFalse(async () => (await findClosedRestore(sql)) !== undefined))
  const hasWrongKeys = shareReading(keysFreshForMs, () =>
    orFalse(async () => {
      const wrong = await wrongKeys(sql, cipher)
      if (wrong.length > 0)
        log.error({ settings: wrong }, 'the database was written with other keys: requests are refused')
      return wrong.length > 0
    }),
  )
  return async () => {
    const headers = { 'Retry-After': String(retryAfterSeconds) }
    if (await isClosed()) throw new Problem('restoring', { headers })
    if (await hasWrongKeys()) throw new Problem('unavailable', { headers })
  }
}

/** The request itself finds out what is wrong with the database, if it needs it. */
const orFalse = (ask: () => Promise<boolean>): Promise<boolean> => ask().catch(() => false)
