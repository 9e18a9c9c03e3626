/** Does the same act for many orders, each once, through the runs of the orders. */
import { allHandlersFinished, condition, continueAsNew, proxyActivities } from '@temporalio/workflow'
import { failure, failureType } from '../../shared/failures.ts'
import { proxyLocalFirst } from '../run/local-first.ts'
import { nothing, onUpdate } from '../run/messages.ts'
import { clock } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatus, showStatusDetails } from '../run/run-status.ts'
import {
  type BulkActionInput,
  type BulkActionProgress,
  type BulkActionStatus,
  type BulkActivities,
  bulkActionStarted,
  cancelBulkAction,
  firstBulkActionState,
  pauseBulkAction,
  pausedBulkActionState,
  resumeBulkAction,
} from './bulk-action.contract.ts'
import { codeOf } from './run.ts'

const localFirst = proxyLocalFirst<BulkActivities>()
const { actOnOrders } = proxyActivities<BulkActivities>(retry.pageOfOrders)

/** About 2,000 orders; keeps the history below a thousand events. */
const pagesPerRun = 100
/** Between two tries of the orders that could not be acted upon, doubled each time. */
const firstWaitMs = 2_000
const longestWaitMs = 5 * 60_000

export async function bulkAction({
  bulkActionId,
  startedBy,
  progress: carriedOver,
}: BulkActionInput): Promise<{ status: BulkActionStatus }> {
  const progress: BulkActionProgress = carriedOver ?? { isPaused: false, waits: 0 }
  let isStarted = carriedOver !== undefined
  let fault: Error | undefined
  let isCancelled = false
  let isOver = false
  onUpdate(bulkActionStarted, nothing, async () => {
    await condition(() => isStarted || fault !== undefined)
    if (fault) throw fault
  })
  onUpdate(
    pauseBulkAction,
    nothing,
    () => change(() => (progress.isPaused = true)),
    () => allow(!progress.isPaused),
  )
  onUpdate(
    resumeBulkAction,
    nothing,
    () => change(() => (progress.isPaused = false)),
    () => allow(progress.isPaused),
  )
  onUpdate(
    cancelBulkAction,
    nothing,
    () => change(() => (isCancelled = true)),
    () => allow(true),
  )
  showStatusDetails(runStatus())

  if (!isStarted) {
    try {
      await localFirst.startBulkAction({ bulkActionId, startedBy, ...clock() })
      isStarted = true
    } catch (error) {
      fault = failure(failureType(error) ?? 'BulkActionStateConflict', codeOf(error))
      await condition(allHandlersFinished)
      throw fault
    }
  }

  for (let pages = 0; ; pages += 1) {
    await condition(() => (!progress.isPaused || isCancelled) && allHandlersFinished())
    if (isCancelled) break
    if (pages >= pagesPerRun) return continueAsNew<typeof bulkAction>({ bulkActionId, startedBy, progress })
    const { ended, left } = await actOnOrders({ bulkActionId, ...clock() })
    if (left === 0) break
    progress.waits = ended > 0 ? 0 : progress.waits + 1
    if (progress.waits > 0) await condition(() => progress.isPaused || isCancelled, waitMs())
  }
  isOver = true
  await localFirst.setBulkActionState({ bulkActionId, state: status(), ...clock() })
  showStatus(runStatus())
  await condition(allHandlersFinished)
  return { status: status() }

  function waitMs(): number {
    return Math.min(firstWaitMs * 2 ** (progress.waits - 1), longestWaitMs)
  }

  /** The activity reads the state from the row, so a change takes effect before the next order. */
  async function change(apply: () => void): Promise<void> {
    apply()
    await localFirst.setBulkActionState({ bulkActionId, state: status(), ...clock() })
    showStatus(runStatus())
  }

  function status(): BulkActionStatus {
    if (isCancelled) return 'cancelled'
    if (isOver) return 'done'
    return progress.isPaused ? 'paused' : 'running'
  }

  function runStatus() {
    const waitingFor = {
      running: firstBulkActionState.waitingFor,
      paused: pausedBulkActionState.waitingFor,
      done: 'nothing',
      cancelled: 'nothing',
    }
    return { status: status(), waitingFor: waitingFor[status()], dueAt: null }
  }

  function allow(isPossible: boolean): void {
    if (!isStarted || isOver || isCancelled || !isPossible) throw failure('BulkActionStateConflict', { code: status() })
  }
}
