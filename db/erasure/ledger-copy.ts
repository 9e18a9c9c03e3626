/** The copy of ledger, receipts and transparency log beside the backups: a restored database lacks those since its dump. */
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createGunzip, createGzip } from 'node:zlib'
import type { BackupFolder } from '../backup/backup-folder.ts'
import type { Queryable } from '../connection/database.ts'
import type { LogEntry } from '../transparency/transparency-log.ts'
import { type CarriedReceipt, withDates as receiptWithDates } from './carried-receipts.ts'
import type { LedgerEntry } from './deletion-ledger.ts'
import { type Erasures, exportErasures } from './erasures.ts'

type Line = { entry: LedgerEntry } | { receipt: CarriedReceipt } | { logged: LogEntry }

/** Writes all of it, then deletes earlier copies. @returns what the copy holds */
export async function copyLedger(sql: Queryable, folder: BackupFolder, id: string): Promise<Erasures> {
  const copied = await exportErasures(sql)
  const { ledger, receipts, log } = copied
  const lines: Line[] = [
    ...ledger.map((entry) => ({ entry })),
    ...receipts.map((receipt) => ({ receipt })),
    ...log.map((logged) => ({ logged })),
  ]
  const written = lines.map((line) => `${JSON.stringify(line)}\n`)
  await folder.write('ledger', id, Readable.from(written, { objectMode: false }).pipe(createGzip()))
  for (const older of await folder.list('ledger')) if (older.id < id) await folder.remove('ledger', older.id)
  return copied
}

/** Reads the newest copy; without one, empty lists. @throws UnreadableBackup */
export async function readLedgerCopy(folder: BackupFolder): Promise<Erasures> {
  const newest = (await folder.list('ledger')).at(-1)
  if (!newest) return { ledger: [], receipts: [], log: [] }
  const packed = folder.read('ledger', newest.id)
  const plain = createGunzip()
  packed.once('error', (error) => plain.destroy(error))
  const written = (await text(packed.pipe(plain))).split('\n').filter(Boolean)
  const lines = written.map((line) => JSON.parse(line) as Line)
  return {
    ledger: lines.flatMap((line) => ('entry' in line ? entryWithDates(line.entry) : [])),
    receipts: lines.flatMap((line) => ('receipt' in line ? receiptWithDates(line.receipt) : [])),
    log: lines.flatMap((line) => ('logged' in line ? line.logged : [])),
  }
}

const entryWithDates = (entry: LedgerEntry): LedgerEntry => ({
  ...entry,
  at: new Date(entry.at),
  backupsGoneBy: new Date(entry.backupsGoneBy),
})
