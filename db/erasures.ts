/** Who was erased, and how far each erasure is: what a restore carries over from wherever it is younger than the dump. */
import { type CarriedReceipt, exportReceipts, importReceipts } from './carried-receipts.ts'
import type { Database, Queryable } from './database.ts'
import { exportLedger, importLedger, type LedgerEntry } from './deletion-ledger.ts'

export interface Erasures {
  ledger: LedgerEntry[]
  receipts: CarriedReceipt[]
}

export const exportErasures = async (sql: Queryable): Promise<Erasures> => ({
  ledger: await exportLedger(sql),
  receipts: await exportReceipts(sql),
})

/** @param sources the last one knows best */
export async function importErasures(sql: Database, sources: readonly Erasures[]): Promise<void> {
  for (const { ledger, receipts } of sources) {
    await importLedger(sql, ledger)
    await importReceipts(sql, receipts)
  }
}
