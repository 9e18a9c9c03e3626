/**
 * Snapshots of the data keys, which dumps leave out. Only the newest snapshot is kept, so that erased persons cannot be
 * decrypted in older dumps. The keys stay wrapped by their key-encryption key, as in the table.
 */
import { pipeline, promises, type Readable } from 'node:stream'
import { createGunzip, createGzip } from 'node:zlib'
import type { Database } from '../connection/database.ts'
import type { BackupFolder } from './backup-folder.ts'

/** All data keys as a compressed stream, which must be read to its end or destroyed. */
export async function exportKeys(sql: Database): Promise<Readable> {
  const rows = await sql`copy data_keys (account_id, kek_id, wrapped_key) to stdout`.readable()
  // The reader learns of a fault of the rows, and a reader that gives up ends the rows: their connection is free again.
  return pipeline(rows, createGzip(), () => undefined)
}

/**
 * Writes a snapshot, then deletes those that were there before. Of two that are made at once neither deletes the other:
 * without any snapshot no backup could be read.
 */
export async function replaceKeys(
  folder: Pick<BackupFolder, 'list' | 'write' | 'delete'>,
  id: string,
  { exportRows, signal }: { exportRows: () => Promise<Readable>; signal: AbortSignal },
): Promise<void> {
  const before = await folder.list('keys')
  // Opened last: rows that nobody reads keep their connection.
  await folder.write('keys', id, await exportRows(), { signal })
  for (const older of before) if (older.id !== id) await folder.delete('keys', older.id)
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
