/** Who was erased, by those who know it beside the backups' own copy of the ledger. */
import type { Client } from '@temporalio/client'
import { withDatabase } from '../../db/backup/restore.ts'
import type { LedgerEntry } from '../../db/erasure/deletion-ledger.ts'
import { type Erasures, exportErasures } from '../../db/erasure/erasures.ts'
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import { accountDeletionType, accountDeletionWorkflowId } from '../../workflows/account-deletion.contract.ts'

/** The database that is to be replaced, if it still answers. */
export const erasuresFromDatabase = (url: string): Promise<Erasures> => withDatabase(url, exportErasures)

const askWithinMs = 10_000

/**
 * The deletion runs: each stays open until the last backup that may hold its person is gone, and its id names the person
 * by the ledger's pseudonym. So whoever was erased after any backup that still exists is known here, though not how far
 * the erasure is.
 */
export async function erasuresFromTemporal(temporal: Client): Promise<Erasures> {
  const ledger: LedgerEntry[] = []
  const prefix = accountDeletionWorkflowId('')
  await temporal.withDeadline(Date.now() + askWithinMs, async () => {
    for await (const run of temporal.workflow.list({ query: `WorkflowType = '${accountDeletionType}'` })) {
      const at = run.startTime
      ledger.push({
        accountRef: run.workflowId.slice(prefix.length),
        entry: 'erased',
        // The run's input says why; for erasing again it does not matter.
        reason: 'requested',
        at,
        backupsGoneBy: plusDays(at, periods.backups.keepDays),
      })
    }
  })
  return { ledger, receipts: [] }
}
