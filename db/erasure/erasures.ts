/** Ledger and receipts of all erasures, which a restore carries over from sources that are newer than its dump. */

import type { Database, Queryable } from '../connection/database.ts'
import { type CarriedReceipt, exportReceipts, importReceipts } from './carried-receipts.ts'
import { exportLedger, importLedger, type LedgerEntry } from './deletion-ledger.ts'

export interface Erasures {
  ledger: LedgerEntry[]
  receipts: CarriedReceipt[]
}

/** Reads the whole ledger and all receipts. */
export const exportErasures = async (sql: Queryable): Promise<Erasures> => ({
  ledger: await exportLedger(sql),
  receipts: await exportReceipts(sql),
})

/** Adds ledgers and receipts. @param sources from the oldest to the newest; a completed receipt is never replaced */
export async function importErasures(sql: Database, sources: readonly Erasures[]): Promise<void> {
  const latest = new Map<string, CarriedReceipt>()
  for (const { ledger, receipts } of sources) {
    await importLedger(sql, ledger)
    for (const receipt of receipts) {
      if (!latest.get(receipt.receiptId)?.completedAt) latest.set(receipt.receiptId, receipt)
    }
  }
  await importReceipts(sql, [...latest.values()])
}
