/** S1: puts everything under a new key while the business goes on. An old key is retired once nothing needs it. */
import { allHandlersFinished, condition, continueAsNew, proxyActivities, setHandler, sleep } from '@temporalio/workflow'
import { plusMs } from '../../shared/calendar.ts'
import { failure } from '../../shared/failures.ts'
import { proxyLocalFirst } from '../run/local-first.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatus } from '../run/run-status.ts'
import {
  type KeyRotationActivities,
  type KeyRotationInput,
  type KeyRotationProgress,
  type KeyRotationStatus,
  keyRotationProgress,
  opened,
} from './key-rotation.contract.ts'

const localFirst = proxyLocalFirst<KeyRotationActivities>()
const { planRotation, rewrapDataKeys, countUnderOldKeys, retireOldKeys } = proxyActivities<KeyRotationActivities>(
  retry.duty,
)
const { countRunsUnderOldKeys } = proxyActivities<KeyRotationActivities>({ ...retry.duty, ...retry.manyRows })

/** A history of a few hundred events. */
const stepsPerRun = 100
/** A process that has not seen the new keyring yet makes new data keys under the old one. */
const processesPauseMs = 30_000
const backupPauseMs = 60 * 60 * 1000
const runsPauseMs = 24 * 60 * 60 * 1000

export async function keyRotation(input: KeyRotationInput): Promise<KeyRotationProgress> {
  const { rotationId, purpose, toKey, draft } = input
  const so: KeyRotationProgress = input.progress ?? {
    status: purpose === 'field' ? 'rewrapping' : 'waiting_for_runs',
    rewrapped: 0,
    remaining: null,
    page: 0,
    pages: 0,
  }
  let outcome: 'opened' | 'gone' | 'running' | undefined = input.progress && 'opened'
  setHandler(keyRotationProgress, () => so)
  setHandler(opened, async () => {
    await condition(() => outcome !== undefined)
    if (outcome === 'running') throw failure('KeyRotationRunning')
  })
  outcome ??= await (draft ? localFirst.openRotation({ rotationId, purpose }) : isRecorded())
  if (outcome !== 'opened') {
    await condition(allHandlersFinished)
    return so
  }
  if (!input.progress) await localFirst.checkKeys(clock())
  for (let steps = 0; so.status !== 'done'; steps += 1) {
    if (steps >= stepsPerRun) return continueAsNew<typeof keyRotation>({ rotationId, purpose, toKey, progress: so })
    await (purpose === 'field' ? rewrapSome() : lookForRuns())
  }
  return so

  /**
   * Of runs that were started before their row was committed.
   * May go once none of them is open: they began before 0.1.0, and last until no run is under an older key.
   */
  async function isRecorded(): Promise<'opened' | 'gone'> {
    for (let looks = 0; looks < 20; looks += 1) {
      if (await localFirst.findRotation({ rotationId })) return 'opened'
      await sleep(looks < 10 ? '200 milliseconds' : '10 seconds', { summary: 'until the rotation is recorded' })
    }
    return 'gone'
  }

  async function rewrapSome(): Promise<void> {
    if (so.pages === 0) Object.assign(so, { page: 0, pages: (await planRotation()).pages })
    const { rewrapped } = await rewrapDataKeys({ toKey, page: so.page, pages: so.pages })
    so.rewrapped += rewrapped
    so.page += 1
    if (so.page < so.pages) return moveTo('rewrapping', so.remaining)
    so.pages = 0
    await settle()
  }

  /** Nothing is left of a pass: either nothing at all, or what was added behind it. */
  async function settle(): Promise<void> {
    const unusedSince = now()
    // Twice with a pause between: what was made a moment before the first look is seen by the second.
    await moveTo('waiting_for_processes', await countUnderOldKeys({ toKey }))
    await sleep(processesPauseMs, { summary: 'until processes with the old keyring have shown themselves' })
    for (;;) {
      const outcome = await retireOldKeys({ purpose, toKey, unusedSince: unusedSince.toISOString(), ...clock() })
      if (outcome === 'retired') return moveTo('done', 0)
      if (outcome === 'in_use') return moveTo('rewrapping', await countUnderOldKeys({ toKey }))
      await moveTo('waiting_for_backup', 0, plusMs(now(), backupPauseMs))
      await sleep(backupPauseMs, { summary: 'until the next look for a backup' })
    }
  }

  async function lookForRuns(): Promise<void> {
    const remaining = await countRunsUnderOldKeys({ toKey })
    if (remaining === 0) {
      await retireOldKeys({ purpose, toKey, unusedSince: now().toISOString(), ...clock() })
      return moveTo('done', 0)
    }
    await moveTo('waiting_for_runs', remaining, plusMs(now(), runsPauseMs))
    await sleep(runsPauseMs, { summary: 'until the next look at open runs' })
  }

  async function moveTo(status: KeyRotationStatus, remaining: number | null, dueAt: Date | null = null): Promise<void> {
    const changed = so.status !== status
    Object.assign(so, { status, remaining })
    await localFirst.recordRotation({ rotationId, ...so, ...clock() })
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
