/**
 * S1: data is encrypted. Re-encrypts data keys under a new key while the service runs, and retires an old key when
 * nothing needs it.
 */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, sleep } from '@temporalio/workflow'
import { plusMs } from '../../shared/calendar.ts'
import { failure } from '../../shared/failures.ts'
import { type BeforeDrafts, oftenAtFirst, untilRecorded } from '../run/before-drafts.ts'
import { proxyLocalFirst } from '../run/local-first.ts'
import { nothing, onQuery, onUpdate } from '../run/messages.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatus } from '../run/run-status.ts'
import {
  firstStatus,
  type KeyRotationActivities,
  type KeyRotationInput,
  type KeyRotationProgress,
  type KeyRotationStatus,
  type KeyRotationSubject,
  keyRotationProgress,
  opened,
} from './key-rotation.contract.ts'

const localFirst = proxyLocalFirst<KeyRotationActivities>()
const { planRotation, rewrapDataKeys, countUnderOldKeys, retireOldKeys } = proxyActivities<KeyRotationActivities>(
  retry.duty,
)
const { countRunsUnderOldKeys } = proxyActivities<KeyRotationActivities>({ ...retry.duty, ...retry.manyRows })

/** Keeps the history at a few hundred events. */
const stepsPerRun = 100
/** A process that has not read the new keyring yet makes data keys under the old key. */
const processesPauseMs = 30_000
const backupPauseMs = 60 * 60 * 1000
const runsPauseMs = 24 * 60 * 60 * 1000

export async function keyRotation(
  input: KeyRotationInput | (KeyRotationSubject & BeforeDrafts),
): Promise<KeyRotationProgress> {
  const { rotationId, purpose, toKey, draft } = input
  const progress: KeyRotationProgress = input.progress ?? {
    status: firstStatus[purpose],
    rewrapped: 0,
    remaining: null,
    page: 0,
    pages: 0,
  }
  let outcome: 'opened' | 'gone' | 'running' | undefined = input.progress && 'opened'
  onQuery(keyRotationProgress, () => progress)
  onUpdate(opened, nothing, async () => {
    await condition(() => outcome !== undefined)
    if (outcome === 'running') throw failure('KeyRotationRunning')
  })
  outcome ??= await (draft ? localFirst.openRotation({ rotationId, purpose }) : openBeforeDrafts())
  if (outcome !== 'opened') {
    await condition(allHandlersFinished)
    return progress
  }
  if (!input.progress) await localFirst.checkKeys(clock())
  for (let steps = 0; progress.status !== 'done'; steps += 1) {
    if (steps >= stepsPerRun) return continueAsNew<typeof keyRotation>({ rotationId, purpose, toKey, progress })
    await (purpose === 'field' ? rewrapPage() : checkRuns())
  }
  return progress

  async function openBeforeDrafts(): Promise<'opened' | 'gone'> {
    const find = () => localFirst.findRotation({ rotationId })
    return (await untilRecorded('rotation', oftenAtFirst, find)) ? 'opened' : 'gone'
  }

  async function rewrapPage(): Promise<void> {
    if (progress.pages === 0) Object.assign(progress, { page: 0, pages: (await planRotation()).pages })
    const { rewrapped } = await rewrapDataKeys({ toKey, page: progress.page, pages: progress.pages })
    progress.rewrapped += rewrapped
    progress.page += 1
    if (progress.page < progress.pages) return moveTo('rewrapping', progress.remaining)
    progress.pages = 0
    await finishPass()
  }

  /**
   * After a pass over all pages: retires the old keys, or begins another pass over data keys that were made meanwhile.
   */
  async function finishPass(): Promise<void> {
    const unusedSince = now()
    // Counted again after a pause, by `retireOldKeys`: a data key made just before the first count may not be committed
    // then.
    await moveTo('waiting_for_processes', await countUnderOldKeys({ toKey }))
    await sleep(processesPauseMs, { summary: 'until processes with the old keyring have shown themselves' })
    for (;;) {
      const outcome = await retireOldKeys({ purpose, toKey, unusedSince: unusedSince.toISOString(), ...clock() })
      if (outcome === 'retired') return moveTo('done', 0)
      if (outcome === 'in_use') return moveTo('rewrapping', await countUnderOldKeys({ toKey }))
      await moveTo('waiting_for_backup', 0, plusMs(now(), backupPauseMs))
      await sleep(backupPauseMs, { summary: 'until the next check for a backup' })
    }
  }

  async function checkRuns(): Promise<void> {
    const remaining = await countRunsUnderOldKeys({ toKey })
    if (remaining === 0) {
      await retireOldKeys({ purpose, toKey, unusedSince: now().toISOString(), ...clock() })
      return moveTo('done', 0)
    }
    await moveTo('waiting_for_runs', remaining, plusMs(now(), runsPauseMs))
    await sleep(runsPauseMs, { summary: 'until open runs are checked again' })
  }

  async function moveTo(status: KeyRotationStatus, remaining: number | null, dueAt: Date | null = null): Promise<void> {
    const changed = progress.status !== status
    Object.assign(progress, { status, remaining })
    await localFirst.recordRotation({ rotationId, ...progress, ...clock() })
    if (changed) showStatus({ status, waitingFor: waitingFor[status], dueAt })
  }
}

const waitingFor: Record<KeyRotationStatus, string> = {
  rewrapping: 'the database',
  waiting_for_processes: 'processes with the old keyring',
  waiting_for_backup: 'the next backup',
  waiting_for_runs: 'open runs that began under an old key',
  done: 'nothing',
}
