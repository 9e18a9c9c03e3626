/**
 * Brings an order's rows to where its run is: the effects of what the run has completed. docs/restore.md has the table.
 */
import { invoiceOf } from '../../../activities/order/invoice.ts'
import { factsOf, newOrder } from '../../../activities/order/payment/payment.ts'
import { notAccepted, objectionTo } from '../../../activities/order/payment/payment-acceptance.ts'
import { topUpApplied } from '../../../activities/order/top-up.ts'
import type { Context } from '../../../context.ts'
import type { Packages } from '../../../db/connection/schema.ts'
import { tableEncryption } from '../../../db/crypto/column-encryption.ts'
import { installTokenColumns } from '../../../db/crypto/install-token.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../../db/operator-tasks.ts'
import { recordDelivered, recordPaid, settleFact } from '../../../db/order/books.ts'
import { noteReturnAsked } from '../../../db/order/esims/returned-esims.ts'
import { listEsims, setEsimsCancelled } from '../../../db/order/esims.ts'
import { dateReview } from '../../../db/order/order-history.ts'
import { findOrder, insertOrder, moveOrder, type OrderRow, recordPaymentOf } from '../../../db/order/orders.ts'
import { listPlacements, movePlacement } from '../../../db/order/placements.ts'
import { refundFailed } from '../../../db/order/refunds.ts'
import { restoreDocument } from '../../../db/order/restored-documents.ts'
import { evidenceOf } from '../../../policy/vat.ts'
import type { OpenPage } from '../../../providers/stripe/hosted.ts'
import type { Payment } from '../../../providers/stripe/payments.ts'
import { dayIn } from '../../../shared/calendar.ts'
import type {
  LeftToOperators,
  OrderStatus,
  PaymentTruth,
  RefundReason,
} from '../../../workflows/order/order.contract.ts'
import { limitOf } from '../../../workflows/order/order-states.ts'
import { orderInputs, orderResults } from '../history-forms.ts'
import type { OrderRun } from '../order-runs.ts'
import { type PartialRefund, redoReturns } from '../partial-refunds.ts'
import { type RecordedActivity, readAs } from '../run-history.ts'
import type { RepeatingContext } from '../until-answered.ts'
import type { PlacedOrder } from './own-order.ts'
import type { OrderPayment } from './payments.ts'
import { raiseAgain } from './raised-again.ts'
import { keepOpenPlacements, readEsimStates, rebuildProvided } from './rebuild-placements.ts'
import { rebuildRefunds } from './rebuild-refunds.ts'
import { type Delivery, hasRefunded, mayHoldEsims, ownRefund, readDelivery, refundReason } from './run-reports.ts'

/** Why an order cannot be rebuilt. */
export type Loss = 'account_lost' | 'package_unknown' | 'first_order_lost'

export interface RunFacts {
  run: OrderRun
  payment: OrderPayment
  /** the page on which nobody has paid yet; undefined: there is none */
  page?: OpenPage | undefined
  placed: PlacedOrder[]
  partialRefunds: readonly PartialRefund[]
}

/** @returns why the order cannot be rebuilt, if it cannot */
export async function rebuildOrder(context: RepeatingContext, facts: RunFacts): Promise<Loss | undefined> {
  const { run, placed, partialRefunds } = facts
  const { sql, config } = context
  const { orderId } = run
  if (!(await findOrder(sql, orderId))) {
    const payable = (await facts.payment.read()) ?? facts.page
    if (!payable) return undefined
    const loss = await insertLostOrder(context, run, payable)
    if (loss) return loss
  }
  for (const activity of run.activities) {
    const order = await findOrder(sql, orderId)
    if (order) await redo(order, activity)
  }
  const order = await findOrder(sql, orderId)
  if (order && mayHoldEsims(run)) await keepOpenPlacements(context, order, run, placed)
  // Nobody else asks any more: a bank would be shown eSIMs that were never used.
  if (order && !run.isOpen) await readEsimStates(context, order)
  if (!order) return undefined
  const payment = await paymentAtEnd(order)
  if (!payment) return undefined
  // Saved cards belong to it. Without it they would stay at Stripe when the account is erased.
  if (payment.customerId !== null)
    await sql`update accounts set stripe_customer_id = ${payment.customerId}
      where id = ${order.account_id} and stripe_customer_id is null`
  await redoReturns(context, order, partialRefunds)
  await rebuildRefunds(context, order, payment, { partialRefunds, own: ownRefund(run) })
  return undefined

  /** The payment sweep reads the refunds that were made at the processor; those of our runs have numbers of ours. */
  async function paymentAtEnd(order: OrderRow): Promise<Payment | undefined> {
    const isRefunded = order.status.startsWith('refund') || partialRefunds.length > 0 || hasRefunded(run)
    return isRefunded ? facts.payment.read() : facts.payment.readIfShown()
  }

  /** The effect of an activity on the database. One that the dump has already changes nothing. */
  async function redo(order: OrderRow, { type, input, at, completed }: RecordedActivity): Promise<void> {
    if (!completed) return
    const { result } = completed
    switch (type) {
      case 'confirmPayment':
        return rebuildPayment(order, readAs(orderResults.confirmPayment, result), at)
      case 'cancelPayment': {
        if (readAs(orderResults.cancelPayment, result) !== 'cancelled') return
        const { status, reason } = readAs(orderInputs.cancelPayment, input)
        await moveOrder(sql, orderId, ['awaiting_payment'], { status, reason, ended_at: at })
        return
      }
      case 'startProvisioning': {
        const deliver_by = limitOf('provisioning', at)
        await moveOrder(sql, orderId, ['in_review'], { status: 'provisioning', reason: null, deliver_by })
        return
      }
      case 'provision':
        return rebuildProvided(context, order, run, placed, at)
      case 'recordDelivery':
        return rebuildDelivery(context, order, readDelivery(at, result))
      case 'withdrawEsims':
        // The state first: only one that is gone is noted beside a paid top-up, which its own run settles.
        await setEsimsCancelled(sql, orderId, at)
        for (const { id } of await listEsims(context, order)) await noteReturnAsked(sql, id, at)
        return raiseLeft(readAs(orderResults.withdrawEsims, result), at)
      case 'startRefund':
        return moveToRefund(order, 'refunding')
      case 'recordRefundFailure': {
        const found = readAs(orderResults.recordRefundFailure, result)?.found
        if (found === 'refunded') return moveToRefund(order, 'refunded')
        await moveToRefund(order, 'refund_failed')
        const code = found ?? readAs(orderInputs.recordRefundFailure, input)?.code
        return raiseAgain(sql, { kind: refundFailed, subjectId: orderId, detail: code ?? 'restore', at })
      }
      case 'settleWithoutRun': {
        const late = readAs(orderResults.settleWithoutRun, result)
        if (late.state === 'refund') await rebuildLateRefund(order, late.reason, at)
        return
      }
      case 'releaseProvision': {
        const left = readAs(orderResults.releaseProvision, result)
        const isApplied = left?.tasks.some(({ detail }) => detail === topUpApplied) === true
        if (isApplied) await keepOpenPlacements(context, order, run, placed)
        const released = { state: 'released', ...(isApplied && { reason: topUpApplied }) } as const
        for (const { id } of await listPlacements(sql, orderId))
          await movePlacement(sql, id, ['placing', 'placed', 'provided', 'releasing'], released)
        await setEsimsCancelled(sql, orderId, at)
        return raiseLeft(left, at)
      }
      case 'refundPayment': {
        const reason = refundReason(run)
        await moveOrder(sql, orderId, ['refunding', 'refund_failed'], { status: 'refunded', reason })
        await resolveOperatorTask(sql, { kind: refundFailed, subjectId: orderId, by: 'order', at })
        return
      }
      case 'raiseAttention': {
        const raised = readAs(orderResults.raiseAttention, result)
        if (raised) await raiseAgain(sql, { kind: raised.kind, subjectId: orderId, detail: raised.code, at })
        return
      }
      case 'watchEsims':
        if (readAs(orderResults.watchEsims, result)?.recorded)
          await moveOrder(sql, orderId, ['delivered'], { status: 'ended', ended_at: at })
        return
      case 'endOrder': {
        const ended: OrderStatus =
          order.status === 'refunded' ? 'refunded' : order.parent_order_id ? 'delivered' : 'ended'
        await moveOrder(sql, orderId, [order.status], { status: ended, ended_at: at })
        return
      }
      default:
    }
  }

  async function moveToRefund(
    { reason, paid_at, status: before }: OrderRow,
    status: 'refunding' | 'refunded' | 'refund_failed',
  ): Promise<void> {
    const from: OrderStatus[] = ['in_review', 'provisioning', 'delivered', 'refunding', 'refunded', 'refund_failed']
    const isKnown = reason && paid_at && before.startsWith('refund')
    await moveOrder(sql, orderId, from, { status, reason: isKnown ? reason : refundReason(run), ended_at: null })
  }

  /**
   * Rebuilds a refund that aftercare has begun: of an order that was paid late, or that its run has left without an
   * outcome.
   */
  async function rebuildLateRefund(order: OrderRow, reason: RefundReason, at: Date): Promise<void> {
    const refunding = { status: 'refunding', reason, ended_at: null } as const
    const notRecorded = ['awaiting_payment', 'unpaid', 'cancelled'] as const
    if (!notRecorded.some((status) => status === order.status)) {
      await moveOrder(sql, orderId, ['in_review', 'provisioning', 'delivered', 'refund_failed'], refunding)
      return
    }
    const paid = await readPaid()
    if (!paid) return
    const recorded = {
      ...refunding,
      payment_kind: paid.methodKind,
      card_country: evidenceOf(paid.cardCountry),
      paid_at: at,
      deliver_by: null,
    }
    await sql.begin((tx) =>
      recordPaid(tx, orderId, { ...factsOf(order), paidOn: dayIn(config.SELLER_TIME_ZONE, at) }, recorded, [
        ...notRecorded,
      ]),
    )
  }

  /** The order's payment. One on Stripe's page was made since the dump, which has the page alone. */
  async function readPaid(): Promise<Payment | undefined> {
    const paid = await facts.payment.read()
    if (paid) await recordPaymentOf(sql, orderId, paid.paymentIntentId)
    return paid
  }

  async function raiseLeft(left: LeftToOperators | undefined, at: Date): Promise<void> {
    for (const { kind, detail } of left?.tasks ?? []) await raiseAgain(sql, { kind, subjectId: orderId, detail, at })
  }

  async function rebuildPayment(order: OrderRow, truth: PaymentTruth, at: Date): Promise<void> {
    if (order.status !== 'awaiting_payment' || truth.state === 'pending') return
    const paid = await readPaid()
    if (!paid) return
    if (truth.state === 'paid') {
      const { review, deliverBy } = truth
      const recorded = {
        status: review ? 'in_review' : 'provisioning',
        reason: review,
        payment_kind: paid.methodKind,
        paid_at: at,
        card_country: evidenceOf(paid.cardCountry),
        // The hour begins with the payment, of which the run may have heard long after it.
        deliver_by: review ? null : deliverBy === undefined ? limitOf('provisioning', at) : new Date(deliverBy),
      } as const
      await sql.begin(async (tx) => {
        await recordPaid(tx, orderId, { ...factsOf(order), paidOn: dayIn(config.SELLER_TIME_ZONE, at) }, recorded)
        if (review) await dateReview(tx, orderId, at)
      })
      return
    }
    const objection = objectionTo(paid, order)
    if (!objection) return
    await raiseOperatorTask(sql, { kind: notAccepted, subjectId: orderId, detail: objection, at })
    await moveOrder(sql, orderId, ['awaiting_payment'], { status: 'cancelled', reason: notAccepted, ended_at: at })
  }
}

async function insertLostOrder(
  context: RepeatingContext,
  run: OrderRun,
  payable: Payment | OpenPage,
): Promise<Loss | undefined> {
  const { sql, cipher, dataKeys } = context
  const { input, startedAt } = run
  const [account] = await sql`select from accounts where id = ${input.accountId}`
  if (!account) return 'account_lost'
  const [sold] = await sql<Packages[]>`select * from packages where code = ${input.packageCode}`
  if (!sold) return 'package_unknown'
  if (input.parentOrderId && !(await findOrder(sql, input.parentOrderId))) return 'first_order_lost'
  const fields = tableEncryption(cipher, await dataKeys.get(sql, input.accountId), 'orders')
  const opened = readAs(orderInputs.openCheckout, run.activities.find(({ type }) => type === 'openCheckout')?.input)
  const order = newOrder(input, sold, {
    gross_minor: payable.amountMinor,
    currency: payable.currency,
    // The page of a payment ends it, and is redacted with it: its customer may have typed an address and a name there.
    ...('sessionId' in payable
      ? { payment_intent_id: null, payment_client_secret: null, checkout_session_id: payable.sessionId }
      : {
          payment_intent_id: payable.paymentIntentId,
          payment_client_secret: fields.seal('payment_client_secret', payable.clientSecret),
          checkout_session_id: input.hosted ? await context.stripe.pageOf(payable.paymentIntentId) : null,
        }),
    customer_session_secret: null,
    // A purchase that was measured under the lost id must not be measured again.
    measurement_event_id: null,
    created_at: new Date(input.orderedAt ?? startedAt),
    payment_due_at: opened?.paymentDueAt ?? limitOf('awaiting_payment', startedAt),
  })
  await insertOrder(sql, order)
  return undefined
}

async function rebuildDelivery(
  context: Context,
  order: OrderRow,
  { at, issuedOn, invoiceNumber }: Delivery,
): Promise<void> {
  const { sql, cipher, dataKeys } = context
  if (order.status !== 'provisioning') return
  const key = await dataKeys.get(sql, order.account_id)
  const delivered = { delivered_at: at, ...installTokenColumns(cipher, key, order.id) }
  const document = invoiceOf(context.config, order, issuedOn)
  if (invoiceNumber === undefined) {
    // The invoice gets a number of the restore, so it is issued today.
    await recordDelivered(sql, delivered, {
      ...document,
      issuedOn: dayIn(context.config.SELLER_TIME_ZONE, new Date()),
      orderId: order.id,
    })
    return
  }
  await sql.begin(async (tx) => {
    if (!(await moveOrder(tx, order.id, ['provisioning'], { ...delivered, status: 'delivered' }))) return
    if (order.fact_id) await settleFact(tx, order.fact_id, 'delivered')
    const invoice = { number: invoiceNumber, kind: 'invoice', documentKey: 'invoice', corrects: null } as const
    await restoreDocument(tx, { ...document, ...invoice, orderId: order.id })
  })
}
