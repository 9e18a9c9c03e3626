/** Records that a restore carries over from sources newer than its dump: ledger, receipts and the transparency log. */

import type { Database, Queryable } from '../connection/database.ts'
import { exportLog, importLog, type LogEntry } from '../transparency/transparency-log.ts'
import { type CarriedReceipt, exportReceipts, importReceipts } from './carried-receipts.ts'
import { exportLedger, importLedger, type LedgerEntry } from './deletion-ledger.ts'

export interface Erasures {
  ledger: LedgerEntry[]
  receipts: CarriedReceipt[]
  log: LogEntry[]
}

/** Reads all of it. */
export const exportErasures = async (sql: Queryable): Promise<Erasures> => ({
  ledger: await exportLedger(sql),
  receipts: await exportReceipts(sql),
  log: await exportLog(sql),
})

/**
 * Adds what is missing. @param sources from the oldest to the newest; a completed receipt is never replaced
 * @throws LogForked
 */
export async function importErasures(sql: Database, sources: readonly Erasures[]): Promise<void> {
  const latest = new Map<string, CarriedReceipt>()
  for (const { ledger, receipts, log } of sources) {
    await importLog(sql, log)
    await importLedger(sql, ledger)
    for (const receipt of receipts) {
      if (!latest.get(receipt.receiptId)?.completedAt) latest.set(receipt.receiptId, receipt)
    }
  }
  await importReceipts(sql, [...latest.values()])
}
