/**
 * Snapshots of the data keys, which dumps leave out. Only the newest snapshot is kept, so that erased persons cannot be
 * decrypted in older dumps. The keys stay wrapped by their key-encryption key, as in the table.
 */
import { pipeline, promises, type Readable } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import type { Database } from '../connection/database.ts'

/** All data keys as a compressed stream, which must be read to its end or destroyed. */
export async function exportKeys(sql: Database): Promise<Readable> {
  const rows = await sql`copy data_keys (account_id, kek_id, wrapped_key) to stdout`.readable()
  // The reader learns of a fault of the rows, and a reader that gives up ends the rows: their connection is free again.
  return pipeline(rows, createGzip(), () => undefined)
}

/** Fills the empty table of data keys. @throws when a key exists already */
export async function importKeys(sql: Database, snapshot: Readable): Promise<number> {
  await promises.pipeline(
    snapshot,
    createGunzip(),
    await sql`copy data_keys (account_id, kek_id, wrapped_key) from stdin`.writable(),
  )
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count from data_keys`
  return row?.count ?? 0
}
