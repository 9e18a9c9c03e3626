/** Sources of erasures, besides the copy of the deletion ledger in the backup folder. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client'
import { withDatabase } from '../../db/backup/restore.ts'
import type { LedgerEntry } from '../../db/erasure/deletion-ledger.ts'
import { type Erasures, exportErasures } from '../../db/erasure/erasures.ts'
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { accountDeletionType, accountDeletionWorkflowId, notErased } from '../../workflows/account-deletion.contract.ts'
import { readHistory } from './run-history.ts'

/** Erasures from the database that the restore replaces. @throws when it does not answer */
export const erasuresFromDatabase = (url: string): Promise<Erasures> => withDatabase(url, exportErasures)

const askWithinMs = 10_000

/**
 * Erasures from the deletion runs. Each run stays open until the last backup that may hold its person is deleted, and
 * its id contains the ledger's pseudonym. They know everybody who was erased after any existing backup, but not which
 * erasure steps are done. A run that has not erased does not count: one that the account's use has stopped, that was
 * ended before, or that erases only when the workers are back.
 */
export async function erasuresFromTemporal(temporal: Client): Promise<Erasures> {
  const ledger: LedgerEntry[] = []
  const prefix = accountDeletionWorkflowId('')
  await temporal.withDeadline(Date.now() + askWithinMs, async () => {
    for await (const run of temporal.workflow.list({ query: `WorkflowType = '${accountDeletionType}'` })) {
      if (!(await hasErased(temporal, run))) continue
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

/** Whether a run has erased its account: by the status that it shows, which may be late, or else by its history. */
async function hasErased(temporal: Client, run: WorkflowExecutionInfo): Promise<boolean> {
  const shown = run.typedSearchAttributes.get(searchAttributes.stage)
  if (shown !== undefined && shown !== notErased) return true
  const activities = (await readHistory(temporal, run))?.activities ?? []
  return activities.some(({ type, completed }) => type === 'eraseAccount' && isErasure(completed?.result))
}

/** `eraseAccount` also completes when it refuses, or finds nobody. */
const isErasure = (result: unknown): boolean => typeof result === 'object' && result !== null && 'receiptId' in result
