/**
 * Deletions that have gone on since the dump. A deletion's run does not repeat what it has done, and asks for nothing
 * twice: so the receipt with its steps, and what the steps that are left still need of the person, are brought to where
 * the run is.
 */
import type { Client } from '@temporalio/client'
import { notAccepted } from '../../activities/order/payment/payment-acceptance.ts'
import { leftOf } from '../../activities/order/refunds/refund.ts'
import { paymentWithoutOrder } from '../../activities/payment-sweep.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { type CarriedReceipt, exportReceipts, importReceipts } from '../../db/erasure/carried-receipts.ts'
import { deleteSeal, deleteSecret } from '../../db/erasure/deletion-seals.ts'
import { completeDeletion, findReceipt } from '../../db/erasure/deletions.ts'
import { erase } from '../../db/erasure/erasure.ts'
import { operatorTaskOf } from '../../db/erasure/step-tasks.ts'
import { findTaskAttributes, raiseOperatorTask } from '../../db/operator-tasks.ts'
import { moveOrder, type OrderRow } from '../../db/order/orders.ts'
import { type ErasureStep, erasureSteps, type StepOutcome } from '../../policy/deletion.ts'
import { periods } from '../../policy/periods.ts'
import type { Payment } from '../../providers/stripe/payments.ts'
import { plusDays } from '../../shared/calendar.ts'
import type { DeletionActivities, Erasure } from '../../workflows/account-deletion.contract.ts'
import { atOnce } from './at-once.ts'
import { type DeletionRun, erasureIn } from './erasure-sources.ts'
import type { IsolateFailure } from './failure-isolation.ts'
import { deletionResults, runInputs } from './history-forms.ts'
import { readAgreeing } from './orders/payments.ts'
import {
  findLastCompleted,
  HistoryUnreadable,
  type RecordedActivity,
  type RunHistory,
  readAs,
  readHistory,
} from './run-history.ts'
import type { RepeatingContext } from './until-answered.ts'

/** Which step an activity does. The others of a deletion's activities do a part of one, or none. */
const stepOf: Readonly<Record<string, ErasureStep>> = {
  verifyErasure: 'database',
  deleteRuns: 'temporal',
  revokeApple: 'apple',
  revokeGoogle: 'google',
  deleteFirebaseUser: 'firebase',
  settlePayments: 'stripe',
  deleteStripeCustomer: 'stripe',
  releaseProviderOrders: 'esim_provider',
  sendFarewell: 'mail',
  noteBackupsGone: 'backups',
  redactAtStripe: 'stripe_redaction',
} satisfies Partial<Record<keyof DeletionActivities, ErasureStep>>

/**
 * Steps whose activity completes in one way alone, of which earlier builds have not written the outcome into the
 * history.
 */
const endsAsDone: readonly ErasureStep[] = [
  'database',
  'temporal',
  'google',
  'firebase',
  'esim_provider',
  'mail',
  'backups',
]

type Done = StepOutcome & { processor: ErasureStep; at: Date }

/**
 * Erases again who was erased after the dump, and brings all receipts to where their runs are.
 * For whom it fails, an operator is notified, and the ledger erases them.
 * @returns the number of accounts that were erased again
 */
export async function redoDeletions(
  context: RepeatingContext,
  temporal: Client,
  runs: readonly DeletionRun[],
  { at, isolate }: { at: Date; isolate: IsolateFailure },
): Promise<number> {
  const receipts = new Map((await exportReceipts(context.sql)).map((receipt) => [receipt.accountRef, receipt]))
  const erasedAgain = await atOnce(
    runs.filter(({ accountRef }) => mayHaveGoneOn(receipts.get(accountRef), at)),
    async (run) => {
      const read = await readIsolated(run)
      if (!read?.erasure) return false
      const { history, erasure } = read
      const deletion = { accountRef: run.accountRef, history, erasure, known: receipts.get(run.accountRef) }
      const of = { kind: 'run', subjectId: erasure.receiptId } as const
      return (await isolate(of, () => redoDeletion(context, deletion, isolate))) ?? false
    },
  )
  return erasedAgain.filter(Boolean).length

  async function readIsolated(
    run: DeletionRun,
  ): Promise<{ history: RunHistory; erasure: Erasure | undefined } | undefined> {
    try {
      const history = await readHistory(temporal, run)
      return history && { history, erasure: erasureIn(history) }
    } catch (error) {
      if (!(error instanceof HistoryUnreadable)) throw error
      return isolate({ kind: 'run', subjectId: run.workflowId }, () => Promise.reject(error))
    }
  }
}

/** Whether anything but the last backup and the redaction is open, or one of these was due. */
function mayHaveGoneOn(receipt: CarriedReceipt | undefined, at: Date): boolean {
  if (!receipt) return true
  if (receipt.completedAt) return false
  const { erasedAt, backupsGoneBy, steps } = receipt
  const dueAt: Partial<Record<ErasureStep, Date>> = {
    backups: backupsGoneBy,
    stripe_redaction: plusDays(erasedAt, periods.stripeRedactionAfterDays),
  }
  const isOpen = ({ state }: { state: string }) => state === 'pending' || state === 'needs_operator'
  return steps.filter(isOpen).some(({ processor }) => (dueAt[processor] ?? at) <= at)
}

interface ErasedSince {
  accountRef: string
  history: RunHistory
  erasure: Erasure
  /** the receipt of the dump */
  known: CarriedReceipt | undefined
}

/** @returns whether the account was in the dump, and is erased again */
export async function redoDeletion(
  context: RepeatingContext,
  { accountRef, history, erasure, known }: ErasedSince,
  isolate: IsolateFailure,
): Promise<boolean> {
  const { sql } = context
  const { receiptId } = erasure
  const { reason } = readAs(runInputs.accountDeletion, history.input)
  const deletion = {
    accountRef,
    receiptId,
    reason,
    erasedAt: new Date(erasure.erasedAt),
    backupsGoneBy: new Date(erasure.backupsGoneBy),
  }
  const done = stepsDone(history.activities)
  const settled = findLastCompleted(history.activities, 'settlePayments')
  const settlement = settled && readAs(deletionResults.settlePayments, settled.completed.result)
  const ended = findLastCompleted(history.activities, 'completeDeletion')
  const isComplete = ended && readAs(deletionResults.completeDeletion, ended.completed.result).complete
  const isErasedAgain = !known && (await eraseAgain(context, deletion, { isSettled: settled !== undefined, isolate }))
  if (!known && !isErasedAgain)
    await importReceipts(sql, [{ ...deletion, completedAt: null, steps: newSteps(erasure) }])

  const steps = (await findReceipt(sql, receiptId))?.steps ?? []
  const changed = done.filter(({ processor, state, code = null }) => {
    const before = steps.find((step) => step.processor === processor)
    const isOpen = before?.state === 'pending' || before?.state === 'needs_operator'
    return isOpen && (before.state !== state || before.code !== code)
  })
  await importReceipts(sql, [
    {
      ...deletion,
      completedAt: null,
      steps: changed.map(({ processor, state, code = null, at }) => ({ processor, state, code, changedAt: at })),
    },
  ])
  const isSettled = settlement?.watch === false
  await sql.begin((tx) => deleteUnneeded(tx, receiptId, { isSettled, done }))
  for (const { processor, state, code = null, at } of changed) {
    if (state !== 'needs_operator') continue
    const task = operatorTaskOf(receiptId, processor)
    // The task of the dump may name what nothing else finds.
    const attributes = await findTaskAttributes(sql, task)
    await raiseOperatorTask(sql, { ...task, detail: code ?? 'unknown', at, ...(attributes && { attributes }) })
  }
  if (ended && isComplete && (await completeDeletion(sql, receiptId, ended.at)))
    await sql.begin((tx) => deleteSeal(tx, receiptId))
  return isErasedAgain
}

/** The parts of the seal that more than one activity needs. */
async function deleteUnneeded(
  tx: Transaction,
  receiptId: string,
  { isSettled, done }: { isSettled: boolean; done: readonly Done[] },
): Promise<void> {
  const isDone = (processor: ErasureStep) => done.some((each) => each.processor === processor && each.state === 'done')
  // A payment that is watched is looked at again by the run, which then enters its refund into the books again.
  if (isSettled) await deleteSecret(tx, receiptId, 'settlements')
  if (isDone('database') && isDone('temporal')) await deleteSecret(tx, receiptId, 'trace')
}

/** The outcomes of the steps whose activity has ended. */
export function stepsDone(activities: readonly RecordedActivity[]): Done[] {
  const found = new Map<ErasureStep, Done>()
  let trouble: Done | undefined
  for (const { type, input, at, completed, failed } of activities) {
    if (type === 'leaveToOperator' && completed) {
      const left = readAs(deletionResults.leaveToOperator, completed.result)
      if (left) found.set(left.processor, { ...left, at })
    }
    const processor = stepOf[type]
    if (!processor) continue
    if (failed) found.set(processor, { processor, state: 'needs_operator', code: failed.code, at })
    if (!completed || input?.final === false) continue
    if (type === 'settlePayments') {
      const { trouble: code } = readAs(deletionResults.settlePayments, completed.result)
      trouble = code ? { processor, state: 'needs_operator', code, at } : undefined
      continue
    }
    const outcome = readAs(deletionResults.step, completed.result) ?? outcomeOf(processor)
    if (outcome.state !== 'pending') found.set(processor, { processor, ...outcome, at })
  }
  if (trouble) found.set('stripe', trouble)
  return [...found.values()]
}

const outcomeOf = (processor: ErasureStep): StepOutcome =>
  endsAsDone.includes(processor) ? { state: 'done' } : { state: 'needs_operator', code: 'receipt_lost' }

const newSteps = ({ pending, erasedAt }: Erasure): CarriedReceipt['steps'] =>
  erasureSteps.map((processor) => ({
    processor,
    state: pending.includes(processor) ? 'pending' : 'nothing_held',
    code: null,
    changedAt: new Date(erasedAt),
  }))

/**
 * Erases an account as its run has, so that the run's steps find what they need. @returns false when the dump does not
 * have the account or its key
 */
async function eraseAgain(
  context: RepeatingContext,
  deletion: Omit<CarriedReceipt, 'steps' | 'completedAt'>,
  options: ClosingOptions,
): Promise<boolean> {
  await closeUncertain(context, deletion.accountRef, options)
  const erased = await context.sql.begin((tx) => erase(tx, context, { ...deletion, at: deletion.erasedAt }))
  return erased !== undefined && erased !== 'in_use'
}

interface ClosingOptions {
  /** the run has settled the payments */
  isSettled: boolean
  isolate: IsolateFailure
}

/**
 * Orders of which the dump does not know whether they were delivered before the erasure. Their payment must not be
 * refunded by what the dump says: if the run has settled the payments, nothing of it is left to do; else an operator
 * decides, as of a payment that cannot be read.
 */
async function closeUncertain(
  context: RepeatingContext,
  accountRef: string,
  { isSettled, isolate }: ClosingOptions,
): Promise<void> {
  const { sql } = context
  const orders = await sql<OrderRow[]>`
    select o.* from orders o join accounts a on a.id = o.account_id
    where a.account_ref = ${accountRef} and o.status in ('awaiting_payment', 'in_review', 'provisioning')`
  for (const order of orders) {
    const { payment_intent_id: known, checkout_session_id: page } = order
    const asked = await isolate({ kind: 'payment', subjectId: known ?? page ?? order.id }, async () => ({
      payment: await paymentOf(context, order),
    }))
    const payment = asked?.payment
    if (asked && (payment?.status !== 'succeeded' || leftOf(payment) <= 0)) continue
    const at = new Date()
    await moveOrder(sql, order.id, [order.status], {
      status: 'cancelled',
      reason: notAccepted,
      ended_at: at,
      payment_intent_id: isSettled ? (payment?.paymentIntentId ?? known) : null,
      // It is redacted with its payment: its customer has typed an address and a name there.
      checkout_session_id: isSettled ? page : null,
    })
    if (payment && !isSettled)
      await raiseOperatorTask(sql, { kind: paymentWithoutOrder, subjectId: payment.paymentIntentId, at })
  }
}

async function paymentOf({ stripe }: RepeatingContext, order: OrderRow): Promise<Payment | undefined> {
  const { checkout_session_id: page } = order
  const paymentIntentId =
    order.payment_intent_id ?? (page ? (await stripe.getHostedPayment(page)).paymentIntentId : undefined)
  return paymentIntentId ? readAgreeing(stripe, order, paymentIntentId) : undefined
}
