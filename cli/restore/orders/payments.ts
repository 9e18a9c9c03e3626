/** The payments and payment pages that are newer than the dump, and which of them is an order's own. */
import { paymentMark } from '../../../activities/order/payment/payment-mark.ts'
import { isReceived, paymentContradicts } from '../../../activities/order/refunds/refund.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { ProviderFailure } from '../../../providers/failure.ts'
import type { OpenPage } from '../../../providers/stripe/hosted.ts'
import type { Payment } from '../../../providers/stripe/payments.ts'
import { failure } from '../../../shared/failures.ts'
import { atOnce } from '../at-once.ts'
import type { IsolateFailure } from '../failure-isolation.ts'
import type { IsWanted } from '../order-runs.ts'
import { type RepeatingContext, untilAnswered } from '../until-answered.ts'

/** The payment of an order, which is read only where something of it is needed. */
export interface OrderPayment {
  /** undefined: the run never got as far as a payment */
  id: string | undefined
  /** @throws when the processor does not say what it is */
  read(): Promise<Payment | undefined>
  /** The same for what can be done without: it is an operator task when Stripe does not say what it is. */
  readIfShown(): Promise<Payment | undefined>
}

export interface NewPayments {
  /** by their ids, those that were answered for */
  read: ReadonlyMap<string, Payment>
  /** by the order, the one that is its own */
  ownOf: ReadonlyMap<string, Payment>
  /** by the order, the ids of all its payments: also of those that were not answered for */
  idsOf: ReadonlyMap<string, readonly string[]>
  /** The payment of an order, newer than the dump or not. @param order as the database has it */
  paymentOf(orderId: string, order: OrderRow | undefined): OrderPayment
}

/** Reads our payments since a time: those that are wanted, or whose order is. */
export async function readNewPayments(
  { stripe, cipher }: RepeatingContext,
  { since, isolate, isWanted }: { since: Date; isolate: IsolateFailure; isWanted: IsWanted },
): Promise<NewPayments> {
  const read = new Map<string, Payment>()
  const ownOf = new Map<string, Payment>()
  const idsOf = new Map<string, string[]>()
  /** payments that were not answered for, and their orders: it is unknown whether they were paid */
  const unread = new Set<string>()
  const listed: { paymentIntentId: string; orderId: string }[] = []
  for await (const { paymentIntentId, orderId, mark } of stripe.paymentsCreated(since, new Date()))
    if (orderId !== null && mark === paymentMark(cipher, orderId) && isWanted(orderId, paymentIntentId))
      listed.push({ paymentIntentId, orderId })
  for (const { paymentIntentId, orderId } of listed)
    idsOf.set(orderId, [...(idsOf.get(orderId) ?? []), paymentIntentId])
  const answers = await atOnce(listed, ({ paymentIntentId }) =>
    isolate({ kind: 'payment', subjectId: paymentIntentId }, () => stripe.getPayment(paymentIntentId)),
  )
  for (const [index, payment] of answers.entries()) {
    const { paymentIntentId = '', orderId = '' } = listed[index] ?? {}
    if (!payment) {
      unread.add(paymentIntentId).add(orderId)
      continue
    }
    read.set(payment.paymentIntentId, payment)
    const known = ownOf.get(orderId)
    // Stripe lists the newest first.
    if (!known || rankOf(payment) > rankOf(known)) ownOf.set(orderId, payment)
  }
  return { read, ownOf, idsOf, paymentOf }

  function paymentOf(orderId: string, order: OrderRow | undefined): OrderPayment {
    const known = order?.payment_intent_id ?? undefined
    const id = known ?? ownOf.get(orderId)?.paymentIntentId
    const isUnread = known ? unread.has(known) : unread.has(orderId) && ownOf.get(orderId)?.status !== 'succeeded'
    let answer: Promise<Payment | undefined> | undefined
    const ask = async (): Promise<Payment | undefined> => {
      // The payment is an operator task already.
      if (isUnread) throw failure('PaymentUnavailable', { code: 'payment_unread' })
      return known ? readAgreeing(stripe, order, known, { first: read.get(known) }) : ownOf.get(orderId)
    }
    const readOnce = () => (answer ??= ask())
    const readIfShown = async () =>
      isUnread || id === undefined ? undefined : isolate({ kind: 'payment', subjectId: id }, readOnce)
    return { id, read: readOnce, readIfShown }
  }
}

/**
 * Reads a payment of an order. One that our records have as made is asked for again while the answer does not say so: one
 * of Stripe's machines may not know it yet, and what is left of it would be nothing.
 * @param how.first an answer of before
 */
export async function readAgreeing(
  stripe: Pick<RepeatingContext['stripe'], 'getPayment'>,
  order: Pick<OrderRow, 'paid_at'> | undefined,
  paymentIntentId: string,
  { first, firstPauseMs }: { first?: Payment | undefined; firstPauseMs?: number } = {},
): Promise<Payment> {
  let known = first
  return untilAnswered(async () => {
    const payment = known ?? (await stripe.getPayment(paymentIntentId))
    known = undefined
    if (order?.paid_at && !isReceived(payment)) throw new ProviderFailure('stripe', 'unavailable', paymentContradicts)
    return payment
  }, firstPauseMs)
}

/** Stripe's pages since a time on which an order can still be paid, by the order. */
export async function listUnpaidPages(
  { stripe, cipher }: RepeatingContext,
  { since, isWanted }: { since: Date; isWanted: IsWanted },
): Promise<Map<string, OpenPage>> {
  const found = new Map<string, OpenPage>()
  for await (const page of stripe.openPages(since, new Date())) {
    const { orderId, mark } = page
    if (orderId === null || !isWanted(orderId, page.sessionId)) continue
    // Nobody has the address of an older one. Stripe lists the newest first.
    if (mark === paymentMark(cipher, orderId) && !found.has(orderId)) found.set(orderId, page)
  }
  return found
}

/**
 * Which payment of an order is its own: a checkout whose answer was lost, or that was repeated after a day, has made
 * several. One of them was paid at most; a cancelled one can never be.
 */
export function rankOf({ status }: Pick<Payment, 'status'>): number {
  if (status === 'succeeded') return 3
  if (status === 'processing') return 2
  return status === 'canceled' ? 0 : 1
}
