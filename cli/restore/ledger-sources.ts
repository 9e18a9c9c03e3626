/** Who was erased, by those who know it beside the backups' own copy of the ledger. */
import type { Client } from '@temporalio/client'
import { exportLedger, type LedgerEntry } from '../../db/deletion-ledger.ts'
import { withDatabase } from '../../db/restore.ts'
import { terms } from '../../policy/terms.ts'
import { accountDeletionType, accountDeletionWorkflowId } from '../../workflows/account-deletion.contract.ts'
import { plusDays } from '../../workflows/clock.ts'

/** The database that is to be replaced, if it still answers. */
export const ledgerFromDatabase = (url: string): Promise<LedgerEntry[]> => withDatabase(url, exportLedger)

const askWithinMs = 10_000

/**
 * The deletion runs: each stays open until the last backup that may hold its person is gone, and its id names the person
 * by the ledger's pseudonym. So whoever was erased after any backup that still exists is known here.
 */
export async function ledgerFromTemporal(temporal: Client): Promise<LedgerEntry[]> {
  const entries: LedgerEntry[] = []
  const prefix = accountDeletionWorkflowId('')
  await temporal.withDeadline(Date.now() + askWithinMs, async () => {
    for await (const run of temporal.workflow.list({ query: `WorkflowType = '${accountDeletionType}'` })) {
      const at = run.startTime
      entries.push({
        accountRef: run.workflowId.slice(prefix.length),
        entry: 'erased',
        // The run's input says why; for erasing again it does not matter.
        reason: 'requested',
        at,
        backupsGoneBy: plusDays(at, terms.backups.keepDays),
      })
    }
  })
  return entries
}
