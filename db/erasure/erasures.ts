/** Who was erased, and how far each erasure is: what a restore carries over from wherever it is younger than the dump. */

import type { Database, Queryable } from '../connection/database.ts'
import { type CarriedReceipt, exportReceipts, importReceipts } from './carried-receipts.ts'
import { exportLedger, importLedger, type LedgerEntry } from './deletion-ledger.ts'

export interface Erasures {
  ledger: LedgerEntry[]
  receipts: CarriedReceipt[]
}

export const exportErasures = async (sql: Queryable): Promise<Erasures> => ({
  ledger: await exportLedger(sql),
  receipts: await exportReceipts(sql),
})

/** @param sources the last one knows best, but for a receipt that is closed: it stays so */
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
