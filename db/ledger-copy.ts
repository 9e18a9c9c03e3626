/** The deletion ledger beside the backups: a restored database is as old as its dump, and so is the ledger in it. */
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createGunzip, createGzip } from 'node:zlib'
import type { BackupFolder } from './backup-folder.ts'
import type { Queryable } from './database.ts'
import { exportLedger, type LedgerEntry } from './deletion-ledger.ts'

/** Writes the whole ledger as of now; earlier copies go once it is there. */
export async function copyLedger(sql: Queryable, folder: BackupFolder, id: string): Promise<void> {
  const lines = (await exportLedger(sql)).map((entry) => `${JSON.stringify(entry)}\n`)
  await folder.write('ledger', id, Readable.from(lines, { objectMode: false }).pipe(createGzip()))
  for (const older of await folder.list('ledger')) if (older.id !== id) await folder.remove('ledger', older.id)
}

/** The newest copy; empty when there is none. @throws UnreadableBackup */
export async function readLedgerCopy(folder: BackupFolder): Promise<LedgerEntry[]> {
  const newest = (await folder.list('ledger')).at(-1)
  if (!newest) return []
  const packed = folder.read('ledger', newest.id)
  const plain = createGunzip()
  packed.once('error', (error) => plain.destroy(error))
  const lines = (await text(packed.pipe(plain))).split('\n').filter(Boolean)
  return lines.map((line) => {
    const entry = JSON.parse(line) as LedgerEntry
    return { ...entry, at: new Date(entry.at), backupsGoneBy: new Date(entry.backupsGoneBy) }
  })
}
