/**
 * U2, paid means delivered or refunded, and U6, accounting and tax: each payment at Stripe, beside its order, invoice,
 * credit notes and order facts.
 */
import { heartbeat } from '@temporalio/activity'
import type { Context } from '../../context.ts'
import { findErased } from '../../db/erasure/erased-references.ts'
import {
  type BookedOrder,
  findBookedOrders,
  listOldPayments,
  listPaidOrders,
} from '../../db/reconciliation/payments.ts'
import { periods } from '../../policy/periods.ts'
import type { Explanation } from '../../policy/reconciliation.ts'
import type { BookedPayment } from '../../providers/stripe/books.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { OrderStatus } from '../../workflows/order/order.contract.ts'
import { limitOf } from '../../workflows/order/order-states.ts'
import type {
  Compared,
  ReconciliationActivities,
  ReconciliationStepInput,
} from '../../workflows/reconciliation/reconciliation.contract.ts'
import { paymentMark } from '../order/payment/payment-mark.ts'
import { askAboutPayment } from '../order/provider-alarm.ts'
import { isFullyReturned } from '../order/refunds/lost-disputes.ts'
import { createTally, differs, type FoundDifference, isUnexplained, minor, whole } from './tally.ts'

type Activities = Pick<ReconciliationActivities, 'comparePayments' | 'compareRefunds' | 'compareOlderPayments'>

const { graceMs } = periods.reconciliation
const pageSize = 100

type Tally = ReturnType<typeof createTally>

export function createPaymentComparison(context: Context): Activities {
  const { sql, stripe, cipher } = context

  return {
    async comparePayments(input) {
      const { from, asOf, reconciliationId } = input
      const atStripe = new Set<string>()
      const pages = stripe.bookedPayments(new Date(from), new Date(asOf))
      const tally = createTally(sql, reconciliationId)
      await compareAll(input, remembering(pages, atStripe), tally)
      tally.note(await unknownAtStripe(input, atStripe))
      return tally.close()
    },
    compareRefunds: (input) => compare(input, stripe.olderPaymentsRefunded(new Date(input.from), new Date(input.asOf))),
    compareOlderPayments: (input) => compare(input, olderPayments(input)),
  }

  /** Our paid orders whose payment Stripe has not listed, each asked for by its id, or that name none. */
  async function unknownAtStripe(
    { from, asOf }: ReconciliationStepInput,
    atStripe: ReadonlySet<string>,
  ): Promise<FoundDifference[]> {
    const unknown: FoundDifference[] = []
    const range = { from: new Date(from), to: plusMs(new Date(asOf), -graceMs), limit: pageSize }
    for (let after: string | undefined; ; ) {
      const page = await listPaidOrders(sql, { ...range, after })
      for (const { id, paymentIntentId, paidAt } of page) {
        if (paymentIntentId !== null && atStripe.has(paymentIntentId)) continue
        // The payment may have been made just before the time from which Stripe has listed.
        const [found] = paymentIntentId === null ? [] : await readAgain([paymentIntentId])
        if (found) continue
        unknown.push(differs('payment_unknown', { id, part: whole, at: paidAt }, paymentIntentId ?? 'no payment'))
      }
      heartbeat()
      after = page.at(-1)?.id
      if (page.length < pageSize) return unknown
    }
  }

  async function* olderPayments({ reconciliationId, from }: ReconciliationStepInput): AsyncGenerator<BookedPayment[]> {
    for (let after: string | undefined; ; ) {
      const page = await listOldPayments(sql, { before: new Date(from), reconciliationId, after, limit: pageSize })
      yield await readAgain(page.map(({ paymentIntentId }) => paymentIntentId))
      after = page.at(-1)?.orderId
      if (page.length < pageSize) return
    }
  }

  async function readAgain(paymentIntentIds: readonly string[]): Promise<BookedPayment[]> {
    const payments = new Map<string, BookedPayment>()
    // Asked for twice: one of Stripe's machines may not know a payment at the moment.
    for (const paymentIntentId of [...paymentIntentIds, ...paymentIntentIds]) {
      if (payments.has(paymentIntentId)) continue
      heartbeat()
      const payment = await askAboutPayment(context, () => stripe.bookedPayment(paymentIntentId))
      if (payment) payments.set(paymentIntentId, payment)
    }
    return [...payments.values()]
  }

  async function compare(input: ReconciliationStepInput, pages: AsyncGenerator<BookedPayment[]>): Promise<Compared> {
    const tally = createTally(sql, input.reconciliationId)
    await compareAll(input, pages, tally)
    return tally.close()
  }

  async function compareAll(
    { asOf }: ReconciliationStepInput,
    pages: AsyncGenerator<BookedPayment[]>,
    tally: Tally,
  ): Promise<void> {
    const at = new Date(asOf)
    const doubtful: string[] = []
    const reading = pages[Symbol.asyncIterator]()
    for (;;) {
      const { value: page, done } = await askAboutPayment(context, () => reading.next())
      if (done) break
      heartbeat()
      tally.seen(page.length)
      const found = await examine(page, at)
      // Both sides were not read at the same moment: what differs is read again at the end.
      for (const { paymentIntentId, differences } of found) {
        if (differences.some(isUnexplained)) doubtful.push(paymentIntentId)
        else tally.note(differences)
      }
    }
    for (let start = 0; start < doubtful.length; start += pageSize) {
      const again = await examine(await readAgain(doubtful.slice(start, start + pageSize)), at)
      tally.note(again.flatMap(({ differences }) => differences))
    }
  }

  async function examine(
    payments: readonly BookedPayment[],
    at: Date,
  ): Promise<{ paymentIntentId: string; differences: FoundDifference[] }[]> {
    if (payments.length === 0) return []
    const orders = await findBookedOrders(sql, {
      paymentIntentIds: payments.map(({ paymentIntentId }) => paymentIntentId),
      orderIds: payments.flatMap(({ orderId }) => orderId ?? []),
    })
    const byPayment = new Map(orders.map((order) => [order.payment_intent_id, order]))
    const byId = new Map(orders.map((order) => [order.id, order]))
    const strange = payments.filter(({ paymentIntentId }) => !byPayment.has(paymentIntentId))
    const erased = await findErased(
      sql,
      cipher,
      strange.map(({ paymentIntentId }) => paymentIntentId),
      at,
    )
    const takenBack = new Set<string>()
    for (const payment of payments) {
      const order = byPayment.get(payment.paymentIntentId)
      if (!payment.disputed || (order && order.status !== 'refunded' && !lacksEsim(order))) continue
      const left = payment.receivedMinor - payment.refundedMinor
      if (await isFullyReturned(context, payment, left)) takenBack.add(payment.paymentIntentId)
    }
    return payments.flatMap((payment) => {
      const { paymentIntentId, orderId } = payment
      const own = byPayment.get(paymentIntentId)
      const named = orderId === null ? undefined : byId.get(orderId)
      const differences = own
        ? [...settled(payment, own, takenBack.has(paymentIntentId), at), ...booked(payment, own, at)]
        : [
            stray(
              payment,
              named,
              { wasErased: erased.has(paymentIntentId), wasTakenBack: takenBack.has(paymentIntentId) },
              at,
            ),
          ]
      return differences.length > 0 ? [{ paymentIntentId, differences }] : []
    })
  }

  /** A payment that is not the one of any order. @param named the order that it was made for */
  function stray(
    payment: BookedPayment,
    named: BookedOrder | undefined,
    { wasErased, wasTakenBack }: { wasErased: boolean; wasTakenBack: boolean },
    at: Date,
  ): FoundDifference {
    const { paymentIntentId, receivedMinor, refundedMinor, currency, paidAt } = payment
    const isOurs = payment.orderId !== null && payment.mark === paymentMark(cipher, payment.orderId)
    const rule: Explanation | null = wasErased
      ? 'erased_person'
      : receivedMinor <= refundedMinor || wasTakenBack
        ? 'given_back'
        : !isOurs
          ? 'not_ours'
          : at < plusMs(paidAt, graceMs)
            ? 'younger_than_promise'
            : null
    const left = minor(receivedMinor - refundedMinor, currency)
    return named
      ? differs(
          'charged_twice',
          { ...named, part: paymentIntentId, at: paidAt },
          `${paymentIntentId} holds ${left}`,
          rule,
        )
      : differs('payment_without_order', { id: paymentIntentId, part: whole, at: paidAt }, `holds ${left}`, rule)
  }
}

/** The pages as they are; the ids of their payments are added to a set. */
async function* remembering(pages: AsyncGenerator<BookedPayment[]>, ids: Set<string>): AsyncGenerator<BookedPayment[]> {
  for await (const page of pages) {
    for (const { paymentIntentId } of page) ids.add(paymentIntentId)
    yield page
  }
}

const deliveredStates: readonly OrderStatus[] = ['delivered', 'ended']

/**
 * U2, paid means delivered or refunded. The order's status is no proof: Stripe says what was refunded, and an eSIM has
 * to be there, which the comparison with its provider confirms.
 * @param wasTakenBack Stripe says that lost disputes have returned the rest
 */
function settled(payment: BookedPayment, order: BookedOrder, wasTakenBack: boolean, at: Date): FoundDifference[] {
  const { receivedMinor, refundedMinor, currency, paidAt } = payment
  if (receivedMinor <= refundedMinor || wasTakenBack) return []
  if (deliveredStates.includes(order.status)) return withoutEsim(payment, order)
  // The order has this difference under its own name: our books say that all was refunded.
  if (order.status === 'refunded' && refundedMinor === 0 && bookedMinorOf(order) > 0) return []
  const rule = (): Explanation | null => {
    if (order.status === 'in_review') {
      const decidedBy = plusMs(limitOf('in_review', order.paid_at ?? paidAt), graceMs)
      return at < decidedBy ? 'in_review' : null
    }
    if (order.status === 'refunding' && order.delivered_at) return 'in_flight'
    if (order.status === 'refunded') return null
    const deliverBy = order.deliver_by ?? limitOf('provisioning', paidAt)
    return at < plusMs(deliverBy, graceMs) ? 'younger_than_promise' : null
  }
  const reason = `${order.status}, holds ${minor(receivedMinor - refundedMinor, currency)}`
  return [differs('paid_not_settled', { ...order, part: whole, at: paidAt }, reason, rule())]
}

/** An order that is delivered by our status alone. A partial refund of it differs in the credit notes. */
function withoutEsim({ receivedMinor, currency, paidAt }: BookedPayment, order: BookedOrder): FoundDifference[] {
  const { placement } = order
  if (!lacksEsim(order)) return []
  const missing = placement === 'none' ? 'no placement' : 'no eSIM for each that was bought'
  const reason = `${order.status}, ${missing}, paid ${minor(receivedMinor, currency)}`
  const rule = placement === 'releasing' ? 'in_flight' : null
  return [differs('delivered_without_esim', { ...order, part: whole, at: paidAt }, reason, rule)]
}

const lacksEsim = ({ placement, has_esims }: BookedOrder): boolean => placement !== 'held' || !has_esims

/** Refunds from before the invoice was issued are in the order facts alone. */
const bookedMinorOf = (order: BookedOrder): number =>
  order.invoice_minor === null ? order.refunded_minor : order.credited_minor

/** Invoices, credit notes and order facts say what was paid and refunded. */
function booked(payment: BookedPayment, order: BookedOrder, at: Date): FoundDifference[] {
  const { receivedMinor, currency, paidAt } = payment
  const refundedMinor = payment.refundedMinor + order.taken_back_minor
  const subject = { ...order, part: whole, at: paidAt }
  const found: FoundDifference[] = []
  const received = minor(receivedMinor, currency)
  if (order.delivered_at && order.invoice_minor === null) {
    const rule = at < plusMs(order.delivered_at, graceMs) ? 'in_flight' : null
    found.push(differs('invoice_missing', subject, `paid ${received}`, rule))
  }
  if (order.invoice_minor !== null) {
    const invoiced = minor(order.invoice_minor, order.invoice_currency ?? '')
    if (invoiced !== received)
      found.push(differs('invoice_amount_differs', subject, `paid ${received}, invoiced ${invoiced}`))
  }
  const bookedMinor = bookedMinorOf(order)
  if (bookedMinor !== refundedMinor) {
    const kind =
      bookedMinor === 0
        ? 'refund_without_credit_note'
        : refundedMinor === 0
          ? 'credit_note_without_refund'
          : 'refund_amount_differs'
    const rule = order.status === 'refunding' ? 'in_flight' : null
    const reason = `refunded ${minor(refundedMinor, currency)}, booked ${minor(bookedMinor, currency)}`
    found.push(differs(kind, subject, reason, rule))
  }
  return found
}
