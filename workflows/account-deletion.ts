/**
 * G3, R1, K1: the person is erased first, in one transaction, and everybody else is told afterwards, however long they
 * are away. Nothing here leads back to the person: the run knows a pseudonym and a random receipt.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  proxyActivities,
  setHandler,
  sleep,
  uuid4,
} from '@temporalio/workflow'
import type { ErasureStep } from '../policy/deletion.ts'
import { periods } from '../policy/periods.ts'
import { msUntil, plusDays, plusMs } from '../shared/calendar.ts'
import { failure, failureCode, failureType } from '../shared/failures.ts'
import { type DeletionActivities, type DeletionInput, type Erasure, erased } from './account-deletion.contract.ts'
import { proxyLocalFirst } from './run/local-first.ts'
import { clock, now } from './run/now.ts'
import * as retry from './run/retry.ts'
import { showStatus, showStatusDetails } from './run/run-status.ts'

const localFirst = proxyLocalFirst<DeletionActivities>()
const telling = proxyActivities<DeletionActivities>(retry.duty)
const ending = proxyActivities<DeletionActivities>({ ...retry.duty, ...retry.manyRows })

export async function accountDeletion(input: DeletionInput): Promise<{ complete: boolean }> {
  let erasure: Erasure | 'in_use' | null | undefined
  setHandler(erased, async () => {
    await condition(() => erasure !== undefined)
    const { receiptId, erasedAt, backupsGoneBy } = done(erasure)
    return { receiptId, erasedAt, backupsGoneBy }
  })
  // Cancelled from outside, it must not leave half of the person with others.
  return CancellationScope.nonCancellable(async () => {
    showStatusDetails({ status: 'erasing', waitingFor: 'the database', dueAt: null })
    erasure = await localFirst.eraseAccount({
      ...input,
      receiptId: uuid4(),
      ...clock(),
      backupsGoneBy: plusDays(now(), periods.backups.keepDays).toISOString(),
    })
    await condition(allHandlersFinished)
    return finish(input.accountRef, done(erasure))
  })
}

function done(erasure: Erasure | 'in_use' | null | undefined): Erasure {
  if (!erasure) throw failure('AccountMissing')
  if (erasure === 'in_use') throw failure('AccountInUse')
  return erasure
}

async function finish(accountRef: string, erasure: Erasure): Promise<{ complete: boolean }> {
  const { receiptId } = erasure
  const { overdueAfterMs, secondLookMs, refundLooksDays } = periods.deletion
  const backupsGoneBy = new Date(erasure.backupsGoneBy)
  const redactedFrom = plusDays(new Date(erasure.erasedAt), periods.stripeRedactionAfterDays)

  showStatus({ status: 'telling', waitingFor: 'everybody to delete', dueAt: plusMs(now(), overdueAfterMs) })
  await ending.endRuns({ ...at(), accountRef })
  const paid = settleMoney()
  const told = Promise.all([
    paid,
    step('database', lookEverywhere),
    step('apple', () => telling.revokeApple(at())),
    step('google', () => telling.revokeGoogle(at())),
    step('firebase', () => telling.deleteFirebaseUser(at())),
    step('esim_provider', () => telling.releaseProviderOrders(at())),
    step('mail', () => telling.sendFarewell(at())),
  ])
  const backupsGone = step('backups', () => afterwards(backupsGoneBy, () => telling.noteBackupsGone(at())))
  const redacted = paid.then(watchRefunds).then(() => step('stripe_redaction', redact))

  if (!(await isDoneWithin(told, overdueAfterMs))) {
    await localFirst.raiseOverdue(at())
    showStatus({ status: 'overdue', waitingFor: 'everybody to delete', dueAt: null })
  }
  await told
  showStatus({ status: 'lapsing', waitingFor: 'the last backup from before to go', dueAt: backupsGoneBy })
  await backupsGone
  showStatus({ status: 'lapsing', waitingFor: 'the payment processor to redact', dueAt: redactedFrom })
  await redacted
  const { complete } = await localFirst.completeDeletion(at())
  showStatus({ status: complete ? 'complete' : 'needs_operator', waitingFor: 'nothing', dueAt: null })
  return { complete }

  /** Each party's part stands alone: one that ends in a way nobody can repair is an operator's, and holds up no other. */
  async function step(processor: ErasureStep, work: () => Promise<unknown>): Promise<void> {
    if (!erasure.pending.includes(processor)) return
    try {
      await work()
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      const code = failureCode(error) ?? failureType(error) ?? 'unknown'
      await localFirst.leaveToOperator({ ...at(), processor, code })
    }
  }

  /** Twice, since an attempt that was under way at the erasure may have left something after the first look. */
  async function lookEverywhere(): Promise<void> {
    await ending.deleteRuns({ ...at(), accountRef, final: false })
    await telling.verifyErasure({ ...at(), final: false })
    await sleep(secondLookMs, { summary: 'until nothing of the person is under way' })
    await ending.deleteRuns({ ...at(), accountRef, final: true })
    await telling.verifyErasure({ ...at(), final: true })
  }

  /** True while a refund may still bounce. */
  async function settleMoney(): Promise<boolean> {
    let watch = false
    await step('stripe', async () => {
      watch = (await telling.settlePayments({ ...at(), giveUp: false })).watch
      await telling.deleteStripeCustomer(at())
    })
    return watch
  }

  async function watchRefunds(settling: boolean): Promise<void> {
    let watch = settling
    const looks = [...refundLooksDays.map((days) => plusDays(now(), days)), redactedFrom]
    for (const lookAt of looks) {
      if (!watch) return
      await sleep(msUntil(lookAt, now()), { summary: 'until refunds may have bounced' })
      await step('stripe', async () => {
        watch = (await telling.settlePayments({ ...at(), giveUp: lookAt === redactedFrom })).watch
      })
    }
  }

  async function redact(): Promise<void> {
    await afterwards(redactedFrom, () => telling.redactAtStripe(at()))
  }

  function at(): { receiptId: string; asOf: string } {
    return { receiptId, ...clock() }
  }
}

async function afterwards(time: Date, work: () => Promise<void>): Promise<void> {
  await sleep(msUntil(time, now()))
  await work()
}

async function isDoneWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  let done = false
  void work.then(() => {
    done = true
  })
  return condition(() => done, ms)
}
