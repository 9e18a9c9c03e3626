import type { Context } from '../../context.ts'
import { findClosedRestore } from '../../db/backup/restores.ts'
import { shareReading } from '../../shared/shared-reading.ts'
import { Problem } from './problem.ts'

/** Much shorter than a restore takes: no reading of the database before it is still in use after it. */
const freshForMs = 500
const retryAfterSeconds = 30

/**
 * Makes the check that refuses requests while a restored database is not complete: an order of the lost database would
 * be unknown, and its webhook would be dropped.
 * @returns rejects with Problem restoring
 */
export function createRestoreGate({ sql }: Pick<Context, 'sql'>): () => Promise<void> {
  const isClosed = shareReading(freshForMs, async () => {
    try {
      return (await findClosedRestore(sql)) !== undefined
    } catch {
      // The request itself finds out what is wrong with the database, if it needs it.
      return false
    }
  })
  return async () => {
    if (await isClosed()) throw new Problem('restoring', { headers: { 'Retry-After': String(retryAfterSeconds) } })
  }
}
