/**
 * U2, paid means delivered or refunded: a restore loses nobody. What is newer than the dump is rebuilt from Stripe, the
 * eSIM providers and the runs, or left to be refunded. It only reads from outside, and writes to the restored database
 * before any program can use it: a repeated restore begins anew. docs/restore.md says what becomes of what, and why.
 */
import type { Client } from '@temporalio/client'
import { leftOf } from '../../activities/order/refunds/refund.ts'
import { insertItem, listUndecidedOrders, restoreUndecided } from '../../db/backup/restores.ts'
import { listSealsWithPayments, paymentsInSeal } from '../../db/erasure/deletion-seals.ts'
import { deleteStatusEvents } from '../../db/events/events.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { findOrder, listOrdersWith, type OrderRow } from '../../db/order/orders.ts'
import { listRefunds } from '../../db/order/refunds.ts'
import { readCounters, recordLostNumbers } from '../../db/order/restored-documents.ts'
import { failure } from '../../shared/failures.ts'
import { closedRunOf, listAftercare } from './aftercare.ts'
import { atOnce } from './at-once.ts'
import type { IsolateFailure } from './failure-isolation.ts'
import {
  type IsWanted,
  type ListedOrderRun,
  listOrderRuns,
  mayHaveDelivered,
  type OrderRun,
  readOrderRun,
  rememberedSince,
} from './order-runs.ts'
import { leaveLostOrder } from './orders/lost-order.ts'
import { leaveDuplicates, listPlacedOrders } from './orders/own-order.ts'
import { listUnpaidPages, readNewPayments } from './orders/payments.ts'
import { leavePage, leavePayment } from './orders/payments-without-run.ts'
import { rebuildOrder } from './orders/rebuild-order.ts'
import { rebuildRefunds } from './orders/rebuild-refunds.ts'
import { deliveryOf, referencesOf } from './orders/run-reports.ts'
import {
  closedByRestore,
  closeUndecided,
  olderThanRuns,
  reopenUndecided,
  undelivered,
} from './orders/undecided-order.ts'
import { leaveOtherRuns } from './other-runs.ts'
import { listPartialRefunds, type PartialRefund, redoReturns } from './partial-refunds.ts'
import type { RecordedActivity } from './run-history.ts'
import { rebuildSignIns } from './sign-ins.ts'
import { leaveLostTables } from './tables.ts'
import type { RepeatingContext } from './until-answered.ts'
import { rebuildWithdrawals } from './withdrawals.ts'

export interface RebuildOptions {
  restoreId: string
  /** a time before the dump */
  since: Date
  /** payments that need nothing more, of persons who were erased since the dump */
  settled: readonly string[]
  /** undefined: Temporal is lost as well */
  temporal: Client | undefined
  isolate: IsolateFailure
  say(line: string): void
  /** the orders and payments that an earlier restore has left undecided: nothing else is touched. Missing: all */
  again?: ReadonlySet<string> | undefined
}

/** Statuses in which an order's run changes nothing but the eSIMs' states, which it reads again by itself. */
const atRest = ['delivered', 'ended', 'cancelled', 'unpaid'] as const
/** @returns the orders and payments of which something was found */
export async function rebuild(
  context: RepeatingContext,
  { restoreId, since, settled, temporal, isolate, say, again }: RebuildOptions,
): Promise<ReadonlySet<string>> {
  const { sql } = context
  const counters = await readCounters(sql)
  const isWanted: IsWanted = (...ids) => !again || ids.some((id) => again.has(id))
  const listed = temporal ? await listOrderRuns(temporal, since) : []
  const hasListedRun = (orderId: string): boolean => listed.some((run) => run.orderId === orderId)
  const wanted = listed.filter(({ orderId }) => isWanted(orderId))
  const remembered = temporal && (await rememberedSince(temporal, new Date()))
  const aftercare = temporal ? await listAftercare(temporal, { since, isolate, isWanted }) : undefined
  const { runs, unreadable } = temporal ? await changedRuns(temporal, wanted) : { runs: [], unreadable: [] }
  /** orders of which it is unknown what became of them */
  const undecided = new Set<string>(again && (await listUndecidedOrders(sql, restoreId)))
  const payments = await readNewPayments(context, { since, isolate, isWanted })
  const pages = await listUnpaidPages(context, { since, isWanted })
  say(`${runs.length} runs of orders and ${payments.ownOf.size} payments are newer than the backup.`)
  if (unreadable.length > 0)
    say(
      `${unreadable.length} others cannot be read. If their key is not lost, add it to PAYLOAD_KEYS, and repeat this.`,
    )

  const partialRefunds = temporal
    ? await listPartialRefunds(temporal, { since, isolate, isWanted })
    : new Map<string, PartialRefund[]>()
  const placed = await listPlacedOrders(context, runs, since)
  /** payments of which is known what becomes of them */
  const explained = new Set<string>(settled)
  await rebuildOrders()
  if (remembered && since < remembered && !again) await leaveForgottenOrders()
  await leavePayments()
  if (temporal) await rebuildWithdrawals(context, temporal, { restoreId, since, isolate, isWanted })
  if (temporal && !again) await rebuildSignIns(context, temporal, { since, isolate })
  if (temporal && !again) await leaveOtherRuns(context, temporal, { restoreId, since, isolate })
  if (!again) await leaveLostTables(sql, restoreId, new Date())
  await recordLostNumbers(sql, restoreId, counters)
  const pageIds = [...pages.values()].map(({ sessionId }) => sessionId)
  const orderIds = [...wanted.map(({ orderId }) => orderId), ...(aftercare?.activities.keys() ?? [])]
  return new Set([...orderIds, ...payments.read.keys(), ...pageIds])

  async function rebuildOrders(): Promise<void> {
    for (const run of unreadable) await leaveRun(run, undefined)
    for (const orderId of aftercare?.unreadable ?? []) undecided.add(orderId)
    await atOnce(withTopUps(runs), async (ofEsim) => {
      for (const run of ofEsim) {
        const isRebuilt = await isolate(orderOf(run), () => rebuildRun(run).then(() => true))
        if (!isRebuilt) await leaveRun(run, run.activities)
      }
    })
    await atOnce(aftercare?.activities ?? [], ([orderId, activities]) =>
      isolate({ kind: 'order', subjectId: orderId }, () => rebuildAftercare(orderId, activities)),
    )
    // Partial refunds of orders whose rows the dump has, but for these refunds.
    await atOnce(partialRefunds, ([orderId, ofOrder]) =>
      isolate({ kind: 'order', subjectId: orderId }, () => rebuildPartialRefunds(orderId, ofOrder)),
    )
  }

  /** What is paid, or can be paid on Stripe's page, for no order that was rebuilt. */
  async function leavePayments(): Promise<void> {
    for (const receiptId of await listSealsWithPayments(sql))
      await isolate({ kind: 'run', subjectId: receiptId }, async () => {
        for (const id of await paymentsInSeal(sql, context, receiptId)) explained.add(id)
      })
    const knownRuns = { restoreId, temporal, remembered, hasListedRun }
    for (const payment of payments.read.values())
      if (!explained.has(payment.paymentIntentId))
        await isolate({ kind: 'payment', subjectId: payment.paymentIntentId }, () =>
          leavePayment(sql, payment, knownRuns),
        )
    for (const page of pages.values())
      await isolate({ kind: 'payment', subjectId: page.sessionId }, () =>
        leavePage(sql, page, { restoreId, undecided }),
      )
  }

  /** The runs whose order the dump may not have as it is, and those of which nobody can tell what they have done. */
  async function changedRuns(
    client: Client,
    all: readonly ListedOrderRun[],
  ): Promise<{ runs: OrderRun[]; unreadable: ListedOrderRun[] }> {
    const answers = await atOnce(all, (run) =>
      isolate(orderOf(run), async () => {
        const later = aftercare?.activities.get(run.orderId) ?? []
        if (later.length === 0 && isAsInDump(run, await findOrder(sql, run.orderId))) return { run: undefined }
        const known = await readOrderRun(client, run)
        return { run: known && { ...known, activities: [...known.activities, ...later] } }
      }),
    )
    return {
      runs: answers.flatMap((answer) => answer?.run ?? []),
      unreadable: all.filter((_run, index) => answers[index] === undefined),
    }
  }

  async function rebuildRun(run: OrderRun): Promise<void> {
    if (again) await reopenUndecided(sql, run.orderId)
    const before = await findOrder(sql, run.orderId)
    const ofOrder = partialRefunds.get(run.orderId) ?? []
    partialRefunds.delete(run.orderId)
    const payment = payments.paymentOf(run.orderId, before)
    if (payment.id !== undefined) explained.add(payment.id)
    const page = pages.get(run.orderId)
    const facts = { run, payment, page, placed: placed.get(run.orderId) ?? [], partialRefunds: ofOrder }
    const loss = await rebuildOrder(context, facts)
    if (loss === 'first_order_lost' && undecided.has(run.input.parentOrderId ?? ''))
      throw failure('OrderMissing', { code: 'first_order_undecided' })
    if (!loss)
      await leaveDuplicates(sql, restoreId, {
        orderId: run.orderId,
        references: referencesOf(run),
        placed: facts.placed,
      })
    if (loss) await leaveLostOrder(context, restoreId, { ...facts, payment: await payment.read() }, loss)
    else if (isChanged(before, await findOrder(sql, run.orderId)))
      await insertItem(sql, restoreId, { kind: 'order', subjectId: run.orderId, outcome: 'rebuilt' })
    // The dump has it as its run left it: the statuses that it went through again cause no events.
    else await deleteStatusEvents(sql, run.orderId)
  }

  /** An order whose own run was closed before the dump: the row is there, unless its customer was erased. */
  async function rebuildAftercare(orderId: string, activities: RecordedActivity[]): Promise<void> {
    const order = hasListedRun(orderId) ? undefined : await findOrder(sql, orderId)
    if (order) await rebuildRun({ ...closedRunOf(order), activities })
  }

  /**
   * An order that could not be rebuilt, or whose history nobody can read. Its open run goes on with the row as it is,
   * unless the order may have been delivered: the payment sweep would issue a second invoice for it, or refund it once
   * its run has closed.
   * @param activities of its run; undefined: nobody can read them
   */
  async function leaveRun(run: ListedOrderRun, activities: readonly RecordedActivity[] | undefined): Promise<void> {
    const { orderId, status } = run
    undecided.add(orderId)
    const ids = payments.idsOf.get(orderId) ?? []
    for (const id of ids) explained.add(id)
    await isolate(orderOf(run), async () => {
      // Status events of the steps that were rebuilt before the order failed.
      await deleteStatusEvents(sql, orderId)
      if (mayHaveDelivered(run, activities)) await closeUndecided(sql, orderId, closedByRestore)
    })
    const provided = (placed.get(orderId) ?? []).map(({ provider, orderNo }) => `${provider}:${orderNo}`)
    const invoice = activities && deliveryOf(activities)?.invoiceNumber
    await raiseOperatorTask(sql, {
      kind: restoreUndecided,
      subjectId: orderId,
      at: new Date(),
      attributes: {
        run: `${run.isOpen ? 'open' : 'closed'}, ${status ?? 'no status'}`,
        ...(ids.length > 0 && { payments: ids.join(' ') }),
        ...(provided.length > 0 && { orders: provided.join(' ') }),
        ...(invoice !== undefined && { invoice }),
      },
    })
  }

  async function rebuildPartialRefunds(orderId: string, ofOrder: readonly PartialRefund[]): Promise<void> {
    // The numbers of its credit notes may be among what cannot be read.
    if (undecided.has(orderId)) return
    const order = await findOrder(sql, orderId)
    const payment = order && (await payments.paymentOf(orderId, order).read())
    if (!order || !payment) return
    const before = JSON.stringify(await listRefunds(sql, orderId))
    await redoReturns(context, order, ofOrder)
    const own = { reason: 'returned_unused', at: new Date(), creditNotes: [], isTakenBack: false } as const
    await rebuildRefunds(context, order, payment, { partialRefunds: ofOrder, own })
    if (JSON.stringify(await listRefunds(sql, orderId)) === before) return
    await insertItem(sql, restoreId, { kind: 'order', subjectId: orderId, outcome: 'rebuilt' })
  }

  /**
   * Orders of the dump whose run may have delivered them after it and closed before the time that Temporal remembers.
   * The payment sweep would take them for undelivered and refund them.
   */
  async function leaveForgottenOrders(): Promise<void> {
    const known = new Set([...runs, ...unreadable].map(({ orderId }) => orderId))
    for (const order of await listOrdersWith(sql, undelivered)) {
      const { id } = order
      if (known.has(id)) continue
      const asked = await isolate({ kind: 'order', subjectId: id }, async () => ({
        payment: await payments.paymentOf(id, order).read(),
      }))
      if (asked && (asked.payment?.status !== 'succeeded' || leftOf(asked.payment) <= 0)) continue
      await closeUndecided(sql, id, olderThanRuns)
      await insertItem(sql, restoreId, { kind: 'order', subjectId: id, outcome: 'undecided', detail: olderThanRuns })
    }
  }
}

const orderOf = ({ orderId }: ListedOrderRun) => ({ kind: 'order', subjectId: orderId }) as const

/** The runs of each order with those of its top-ups after it: their rows refer to its eSIM. */
function withTopUps(runs: readonly OrderRun[]): OrderRun[][] {
  const byFirst = new Map<string, OrderRun[]>()
  // Runs come oldest first.
  for (const run of runs) {
    const first = run.input.parentOrderId ?? run.orderId
    const known = byFirst.get(first)
    if (known) known.push(run)
    else byFirst.set(first, [run])
  }
  return [...byFirst.values()]
}

const isAsInDump = ({ status, isOpen }: ListedOrderRun, order: OrderRow | undefined): boolean =>
  order !== undefined &&
  order.status === status &&
  atRest.some((each) => each === status) &&
  isOpen === (order.ended_at === null)

const isChanged = (before: OrderRow | undefined, after: OrderRow | undefined): boolean =>
  after !== undefined &&
  (before === undefined || before.status !== after.status || before.ended_at?.getTime() !== after.ended_at?.getTime())
