/**
 * The copy of ledger, receipts and transparency log beside the backups: a restored database lacks those since its dump.
 */
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { createGunzip, createGzip } from 'node:zlib'
import { z } from 'zod'
import { deletionReasons, erasureSteps, stepStates } from '../../policy/deletion.ts'
import { UnreadableBackup } from '../backup/backup-cipher.ts'
import type { BackupFolder } from '../backup/backup-folder.ts'
import type { Queryable } from '../connection/database.ts'
import type { LogEntry } from '../transparency/transparency-log.ts'
import type { CarriedReceipt } from './carried-receipts.ts'
import type { LedgerEntry } from './deletion-ledger.ts'
import { type Erasures, exportErasures } from './erasures.ts'

type Line = { entry: LedgerEntry } | { receipt: CarriedReceipt } | { logged: LogEntry }

const date = z.iso.datetime().transform((text) => new Date(text))

/** The forms of a line. A line of another form was written by a build that this one cannot follow. */
const lineInCopy = z.union([
  z.strictObject({
    entry: z.object({
      accountRef: z.string(),
      entry: z.enum(['erased', 'backups_gone']),
      reason: z.string(),
      at: date,
      backupsGoneBy: date,
    }),
  }),
  z.strictObject({
    receipt: z.object({
      receiptId: z.string(),
      accountRef: z.string(),
      reason: z.enum(deletionReasons),
      erasedAt: date,
      backupsGoneBy: date,
      completedAt: date.nullable(),
      steps: z.array(
        z.object({
          processor: z.enum(erasureSteps),
          state: z.enum(stepStates),
          code: z.string().nullable(),
          changedAt: date,
        }),
      ),
    }),
  }),
  z.strictObject({
    logged: z.object({
      seq: z.number(),
      kind: z.enum(['deletion', 'policy', 'evidence', 'signing_key', 'gap']),
      leaf: z.string(),
      previous: z.string(),
      hash: z.string(),
      statement: z.string().nullable(),
      day: z.iso.date(),
    }),
  }),
]) satisfies z.ZodType<Line>

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
  for (const older of await folder.list('ledger')) if (older.id < id) await folder.delete('ledger', older.id)
  return copied
}

/** Reads the newest copy; without one, empty lists. @throws UnreadableBackup, also when a line has an unknown form */
export async function readLedgerCopy(folder: BackupFolder): Promise<Erasures> {
  const newest = (await folder.list('ledger')).at(-1)
  if (!newest) return { ledger: [], receipts: [], log: [] }
  const packed = folder.read('ledger', newest.id)
  const plain = createGunzip()
  packed.once('error', (error) => plain.destroy(error))
  const written = (await text(packed.pipe(plain))).split('\n').filter(Boolean)
  const lines = written.map(readLine)
  return {
    ledger: lines.flatMap((line) => ('entry' in line ? line.entry : [])),
    receipts: lines.flatMap((line) => ('receipt' in line ? line.receipt : [])),
    log: lines.flatMap((line) => ('logged' in line ? line.logged : [])),
  }
}

function readLine(text: string): Line {
  const read = lineInCopy.safeParse(JSON.parse(text))
  if (!read.success) throw new UnreadableBackup('of_an_unknown_form')
  return read.data
}
