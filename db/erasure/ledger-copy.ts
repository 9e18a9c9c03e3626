/** The copy of ledger and receipts beside the backups: a restored database lacks the erasures since its dump. */
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createGunzip, createGzip } from 'node:zlib'
import type { BackupFolder } from '../backup/backup-folder.ts'
import type { Queryable } from '../connection/database.ts'
import { type CarriedReceipt, withDates as receiptWithDates } from './carried-receipts.ts'
import type { LedgerEntry } from './deletion-ledger.ts'
import { type Erasures, exportErasures } from './erasures.ts'

type Line = { entry: LedgerEntry } | { receipt: CarriedReceipt }

/** Writes the whole ledger and all receipts, then deletes earlier copies. */
export async function copyLedger(sql: Queryable, folder: BackupFolder, id: string): Promise<void> {
  const { ledger, receipts } = await exportErasures(sql)
  const lines: Line[] = [...ledger.map((entry) => ({ entry })), ...receipts.map((receipt) => ({ receipt }))]
  const written = lines.map((line) => `${JSON.stringify(line)}\n`)
  await folder.write('ledger', id, Readable.from(written, { objectMode: false }).pipe(createGzip()))
  for (const older of await folder.list('ledger')) if (older.id !== id) await folder.remove('ledger', older.id)
}

/** Reads the newest copy; without one, empty lists. @throws UnreadableBackup */
export async function readLedgerCopy(folder: BackupFolder): Promise<Erasures> {
  const newest = (await folder.list('ledger')).at(-1)
  if (!newest) return { ledger: [], receipts: [] }
  const packed = folder.read('ledger', newest.id)
  const plain = createGunzip()
  packed.once('error', (error) => plain.destroy(error))
  const written = (await text(packed.pipe(plain))).split('\n').filter(Boolean)
  const lines = written.map((line) => JSON.parse(line) as Line)
  return {
    ledger: lines.flatMap((line) => ('entry' in line ? entryWithDates(line.entry) : [])),
    receipts: lines.flatMap((line) => ('receipt' in line ? receiptWithDates(line.receipt) : [])),
  }
}

const entryWithDates = (entry: LedgerEntry): LedgerEntry => ({
  ...entry,
  at: new Date(entry.at),
  backupsGoneBy: new Date(entry.backupsGoneBy),
})
