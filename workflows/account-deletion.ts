/**
 * G3 and R1: an account is erased on request, or when it was unused for three years. One transaction erases the person
 * here; the erasure steps at outside parties follow, however long an outside party is down.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  patched,
  proxyActivities,
  sleep,
  uuid4,
} from '@temporalio/workflow'
import { type ErasureStep, erasureSteps } from '../policy/deletion.ts'
import { periods } from '../policy/periods.ts'
import { msUntil, plusDays, plusMs } from '../shared/calendar.ts'
import { failure, failureCode, failureType } from '../shared/failures.ts'
import { lostAfterMs } from '../shared/lost-worker.ts'
import {
  type DeletionActivities,
  type DeletionInput,
  type Erasure,
  erased,
  notErased,
  tryAgain,
} from './account-deletion.contract.ts'
import { inBackground } from './run/background-work.ts'
import { proxyLocalFirst } from './run/local-first.ts'
import { nothing, objectOf, oneOf, onSignal, onUpdate } from './run/messages.ts'
import { clock, now } from './run/now.ts'
import * as retry from './run/retry.ts'
import { showStatus, showStatusDetails } from './run/run-status.ts'

const localFirst = proxyLocalFirst<DeletionActivities>()
const erasing = proxyActivities<DeletionActivities>(retry.duty)
/** Whole tables are read, for a person of thousands of ids: its worker shows that it lives. */
const verifying = proxyActivities<DeletionActivities>({
  ...retry.duty,
  ...retry.manyRows,
  heartbeatTimeout: lostAfterMs,
})
const erasingMany = proxyActivities<DeletionActivities>({ ...retry.duty, ...retry.manyRows })

export async function accountDeletion(input: DeletionInput): Promise<{ complete: boolean }> {
  let erasure: Erasure | 'in_use' | null | undefined
  onUpdate(erased, nothing, async () => {
    await condition(() => erasure !== undefined)
    const { receiptId, erasedAt, backupsGoneBy } = requireErasure(erasure)
    return { receiptId, erasedAt, backupsGoneBy }
  })
  // A cancelled run would leave erasure steps undone.
  return CancellationScope.nonCancellable(async () => {
    showStatusDetails({ status: notErased, waitingFor: 'the database', dueAt: null })
    erasure = await localFirst.eraseAccount({
      ...input,
      receiptId: uuid4(),
      ...clock(),
      backupsGoneBy: plusDays(now(), periods.backups.keepDays).toISOString(),
    })
    await condition(allHandlersFinished)
    return finish(input.accountRef, requireErasure(erasure))
  })
}

function requireErasure(erasure: Erasure | 'in_use' | null | undefined): Erasure {
  if (!erasure) throw failure('AccountMissing')
  if (erasure === 'in_use') throw failure('AccountInUse')
  return erasure
}

async function finish(accountRef: string, erasure: Erasure): Promise<{ complete: boolean }> {
  const { receiptId } = erasure
  const { overdueAfterMs, secondLookMs, refundLooksDays } = periods.deletion
  const backupsGoneBy = new Date(erasure.backupsGoneBy)
  const redactedFrom = plusDays(new Date(erasure.erasedAt), periods.stripeRedactionAfterDays)
  const works: Record<ErasureStep, () => Promise<unknown>> = {
    database: verifyTwice,
    temporal: lookAtRunsLast,
    apple: () => erasing.revokeApple(stepInput()),
    google: () => erasing.revokeGoogle(stepInput()),
    firebase: () => erasing.deleteFirebaseUser(stepInput()),
    stripe: settleAgain,
    esim_provider: () => erasing.releaseProviderOrders(stepInput()),
    mail: () => erasing.sendFarewell(stepInput()),
    backups: () => doAt(backupsGoneBy, () => erasing.noteBackupsGone(stepInput())),
    stripe_redaction: redact,
  }
  /** The steps of which an attempt has ended, one way or the other. */
  const ended = new Set<ErasureStep>()
  /** The steps of which an attempt is under way: one that an earlier attempt left is none of `erasure.pending`. */
  const running = new Set<ErasureStep>()
  const triedAgain: Promise<void>[] = []
  let lookLeft = erasure.pending.includes('temporal')
  let watching = false
  let lookingAtRefunds = false
  let settlesAfterLook = false
  onSignal(tryAgain, objectOf<{ processor: ErasureStep }>({ processor: oneOf(erasureSteps) }), ({ processor }) => {
    if (processor === 'stripe' && lookingAtRefunds) {
      // A look at the refunds is less than the step.
      if (!settlesAfterLook) triedAgain.push(inBackground(settleAfterLook()))
      settlesAfterLook = true
    } else if (processor === 'temporal' && isComing('database')) {
      // The look at the runs follows the verification.
      lookLeft = true
    } else if (!isComing(processor)) {
      triedAgain.push(inBackground(processor === 'database' ? verify(attempt) : attempt(processor, works[processor])))
    }
  })

  showStatus({ status: 'telling', waitingFor: 'everybody to delete', dueAt: plusMs(now(), overdueAfterMs) })
  await erasingMany.endRuns({ ...stepInput(), accountRef })
  const paid = settlePayments()
  const steps = Promise.all([
    paid,
    verify(step),
    step('apple', works.apple),
    step('google', works.google),
    step('firebase', works.firebase),
    step('esim_provider', works.esim_provider),
    step('mail', works.mail),
  ])
  const backupsGone = step('backups', works.backups)
  const redacted = paid.then((watch) => watchRefunds(watch)).then(() => step('stripe_redaction', redact))

  if (!(await isDoneWithin(steps, overdueAfterMs))) {
    await localFirst.raiseOverdue(stepInput())
    showStatus({ status: 'overdue', waitingFor: 'everybody to delete', dueAt: null })
  }
  await steps
  showStatus({ status: 'lapsing', waitingFor: 'the last backup from before to go', dueAt: backupsGoneBy })
  await backupsGone
  showStatus({ status: 'lapsing', waitingFor: 'the payment processor to redact', dueAt: redactedFrom })
  await redacted
  const complete = await completed()
  showStatus({ status: complete ? 'complete' : 'needs_operator', waitingFor: 'nothing', dueAt: null })
  return { complete }

  /** Completes the receipt once no step is being tried again. */
  async function completed(): Promise<boolean> {
    for (;;) {
      while (triedAgain.length > 0) await triedAgain.shift()
      const { complete } = await localFirst.completeDeletion(stepInput())
      if (triedAgain.length === 0) return complete
    }
  }

  /** A step that is still to come or under way is tried anyway. */
  function isComing(name: ErasureStep): boolean {
    return running.has(name) || (erasure.pending.includes(name) && !ended.has(name))
  }

  function step(name: ErasureStep, work: () => Promise<unknown>): Promise<void> {
    return erasure.pending.includes(name) ? attempt(name, work) : Promise.resolve()
  }

  /** Carries out one erasure step. A step that fails for good becomes an operator task and does not stop the others. */
  async function attempt(name: ErasureStep, work: () => Promise<unknown>): Promise<void> {
    ended.delete(name)
    running.add(name)
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      const code = failureCode(error) ?? failureType(error) ?? 'unknown'
      await localFirst.leaveToOperator({ ...stepInput(), processor: name, code })
    } finally {
      running.delete(name)
      ended.add(name)
      if (name === 'temporal') lookLeft = false
    }
  }

  /** Verifies the database, and looks at the runs where that has not come to it, or was done by an earlier run. */
  async function verify(as: typeof attempt): Promise<void> {
    await as('database', works.database)
    if (!lookLeft) return
    if (patched('runs-looked-at-alone')) await attempt('temporal', works.temporal)
    else ended.add('temporal')
  }

  /** Twice, because an attempt that was under way at the erasure may write rows after the first verification. */
  async function verifyTwice(): Promise<void> {
    await erasingMany.deleteRuns({ ...stepInput(), accountRef, final: false })
    await verifying.verifyErasure({ ...stepInput(), final: false })
    await sleep(secondLookMs, { summary: 'until nothing of the person is under way' })
    if (patched('erasure-verified-first')) {
      // Runs write rows as long as they are there; rows of Temporal's list, which may stay for a day, do not.
      await erasingMany.deleteRuns({ ...stepInput(), accountRef, final: false })
      await verifying.verifyErasure({ ...stepInput(), final: true })
      await attempt('temporal', lookAtRunsLast)
    } else {
      await lookAtRunsLast()
      await verifying.verifyErasure({ ...stepInput(), final: true })
    }
  }

  async function lookAtRunsLast(): Promise<void> {
    await erasingMany.deleteRuns({ ...stepInput(), accountRef, final: true })
    lookLeft = false
  }

  /** Returns true while a refund may still fail. */
  async function settlePayments(): Promise<boolean> {
    let watch = false
    await step('stripe', async () => {
      watch = (await erasing.settlePayments({ ...stepInput(), giveUp: false })).watch
      await erasing.deleteStripeCustomer(stepInput())
    })
    return watch
  }

  /** Looks at the payments now, in the days before the redaction without giving up. */
  async function settleAgain(): Promise<void> {
    const { watch } = await erasing.settlePayments({ ...stepInput(), giveUp: now() >= redactedFrom })
    await erasing.deleteStripeCustomer(stepInput())
    if (watch && !watching) triedAgain.push(inBackground(watchRefunds(true, attempt)))
  }

  async function settleAfterLook(): Promise<void> {
    await condition(() => !lookingAtRefunds)
    settlesAfterLook = false
    await attempt('stripe', works.stripe)
  }

  /** @param as `attempt` in a run that found the step no longer pending */
  async function watchRefunds(settling: boolean, as: typeof attempt = step): Promise<void> {
    let watch = settling
    watching = settling
    const checkTimes = [...refundLooksDays.map((days) => plusDays(now(), days)), redactedFrom]
    for (const checkAt of checkTimes) {
      if (!watch) break
      await sleep(msUntil(checkAt, now()), { summary: 'until refunds may have bounced' })
      if (running.has('stripe')) await condition(() => !running.has('stripe'))
      lookingAtRefunds = true
      await as('stripe', async () => {
        watch = (await erasing.settlePayments({ ...stepInput(), giveUp: checkAt === redactedFrom })).watch
      })
      lookingAtRefunds = false
    }
    watching = false
  }

  async function redact(): Promise<void> {
    await doAt(redactedFrom, () => erasing.redactAtStripe(stepInput()))
  }

  function stepInput(): { receiptId: string; asOf: string } {
    return { receiptId, ...clock() }
  }
}

async function doAt(time: Date, work: () => Promise<unknown>): Promise<void> {
  await sleep(msUntil(time, now()))
  await work()
}

async function isDoneWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let isDone = false
  void work.then(() => {
    isDone = true
  })
  return condition(() => isDone, ms)
}
