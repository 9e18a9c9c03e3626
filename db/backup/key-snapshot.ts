/**
 * The data keys, which dumps leave out: only the newest snapshot of them is kept, so that whoever was erased is
 * unreadable in every older dump. The keys are wrapped by the key-encryption key as they are in the table.
 */
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createGzip } from 'node:zlib'
import type { Database } from '../connection/database.ts'

/** Every data key, compressed. The stream must be read to its end or destroyed. */
export async function exportKeys(sql: Database): Promise<Readable> {
  const rows = await sql`copy data_keys (account_id, kek_id, wrapped_key) to stdout`.readable()
  const packed = createGzip()
  rows.once('error', (error) => packed.destroy(error))
  return rows.pipe(packed)
}

/** Fills the table, which must be empty. @throws when a key is there already */
export async function importKeys(sql: Database, snapshot: Readable): Promise<number> {
  await pipeline(
    snapshot,
    createGunzip(),
    await sql`copy data_keys (account_id, kek_id, wrapped_key) from stdin`.writable(),
  )
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count from data_keys`
  return row?.count ?? 0
}
