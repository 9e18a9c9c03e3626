/** Sources of erasures, besides the copy of the deletion ledger in the backup folder. */
import type { Client } from '@temporalio/client'
import { withDatabase } from '../../db/backup/restore.ts'
import type { LedgerEntry } from '../../db/erasure/deletion-ledger.ts'
import { type Erasures, exportErasures } from '../../db/erasure/erasures.ts'
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import { accountDeletionType, accountDeletionWorkflowId } from '../../workflows/account-deletion.contract.ts'

/** Erasures from the database that the restore replaces. @throws when it does not answer */
export const erasuresFromDatabase = (url: string): Promise<Erasures> => withDatabase(url, exportErasures)

const askWithinMs = 10_000

/**
 * Erasures from the deletion runs. Each run stays open until the last backup that may hold its person is deleted, and
 * its id contains the ledger's pseudonym. They know everybody who was erased after any existing backup, but not which
 * erasure steps are done.
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
        // The run's input holds the reason, which a repeated erasure does not need.
        reason: 'requested',
        at,
        backupsGoneBy: plusDays(at, periods.backups.keepDays),
      })
    }
  })
  return { ledger, receipts: [], log: [] }
}
