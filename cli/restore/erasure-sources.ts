/** Sources of erasures, besides the copy of the deletion ledger in the backup folder. */
import type { Client, WorkflowExecutionInfo } from '@temporalio/client'
import { withDatabase } from '../../db/backup/restore.ts'
import { type Erasures, exportErasures } from '../../db/erasure/erasures.ts'
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import {
  accountDeletionType,
  accountDeletionWorkflowId,
  type Erasure,
  notErased,
} from '../../workflows/account-deletion.contract.ts'
import { atOnce } from './at-once.ts'
import { deletionResults } from './history-forms.ts'
import { HistoryUnreadable, type RunHistory, readAs, readHistory } from './run-history.ts'

/** Erasures from the database that the restore replaces. @throws when it does not answer */
export const erasuresFromDatabase = (url: string): Promise<Erasures> => withDatabase(url, exportErasures)

/** A deletion's run that has erased its account. */
export interface DeletionRun {
  accountRef: string
  workflowId: string
  runId: string
}

export interface ErasuresOfRuns extends Erasures {
  runs: DeletionRun[]
  /** the workflow ids of runs of which nobody can tell whether they have erased: an operator decides */
  unreadable: string[]
}

/** The limit of one answer: however many runs there are, a server that does not answer is noticed soon. */
const answersWithinMs = 10_000

/**
 * Erasures from the deletion runs. Each run stays open until the last backup that may hold its person is deleted, and
 * its id contains the ledger's pseudonym. They know everybody who was erased after any existing backup; `redoDeletions`
 * reads which erasure steps they have done. A run that has not erased does not count: one that the account's use has
 * stopped, that was ended before, or that erases only when the workers are back.
 */
export async function erasuresFromTemporal(temporal: Client): Promise<ErasuresOfRuns> {
  const prefix = accountDeletionWorkflowId('')
  const listed = await listDeletions(temporal)
  const answers = await atOnce(listed, (run) => hasErased(temporal, run))
  const runs = listed.filter((_run, index) => answers[index] === true)
  return {
    ledger: runs.map(({ workflowId, startTime: at }) => ({
      accountRef: workflowId.slice(prefix.length),
      entry: 'erased',
      // The run's input holds the reason, which a repeated erasure does not need.
      reason: 'requested',
      at,
      backupsGoneBy: plusDays(at, periods.backups.keepDays),
    })),
    receipts: [],
    log: [],
    runs: runs.map(({ workflowId, runId }) => ({ accountRef: workflowId.slice(prefix.length), workflowId, runId })),
    unreadable: listed.flatMap(({ workflowId }, index) => (answers[index] === undefined ? [workflowId] : [])),
  }
}

async function listDeletions(temporal: Client): Promise<WorkflowExecutionInfo[]> {
  const listed: WorkflowExecutionInfo[] = []
  const runs = temporal.workflow.list({ query: `WorkflowType = '${accountDeletionType}'` })[Symbol.asyncIterator]()
  for (;;) {
    const next = await withinTime(temporal, () => runs.next())
    if (next.done) return listed
    listed.push(next.value)
  }
}

const withinTime = <Answer>(temporal: Client, call: () => Promise<Answer>): Promise<Answer> =>
  temporal.withDeadline(Date.now() + answersWithinMs, call)

/**
 * Whether a run has erased its account: by the status that it shows, which may be late, or else by its history.
 * @returns undefined when nobody can read it
 */
async function hasErased(temporal: Client, run: WorkflowExecutionInfo): Promise<boolean | undefined> {
  const shown = run.typedSearchAttributes.get(searchAttributes.stage)
  if (shown !== undefined && shown !== notErased) return true
  try {
    const history = await withinTime(temporal, () => readHistory(temporal, run))
    return history !== undefined && erasureIn(history) !== undefined
  } catch (error) {
    if (error instanceof HistoryUnreadable) return undefined
    throw error
  }
}

/** The answer of `eraseAccount` when it has erased. @throws HistoryUnreadable */
export function erasureIn({ activities }: RunHistory): Erasure | undefined {
  for (const { type, completed } of activities) {
    const result = type === 'eraseAccount' && completed && readAs(deletionResults.eraseAccount, completed.result)
    if (typeof result === 'object' && result !== null) return result
  }
  return undefined
}
