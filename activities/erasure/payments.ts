/**
 * U2: paid means delivered or refunded, also for erased persons. Refunds what was not delivered and deletes the Stripe
 * customer.
 */
import type { Context } from '../../context.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { operatorsDecide } from '../../db/erasure/claims.ts'
import { deleteSecret, openSecret, type PaymentToClose, resealSecret } from '../../db/erasure/deletion-seals.ts'
import { findStep, recordStep } from '../../db/erasure/deletions.ts'
import { operatorTaskOf } from '../../db/erasure/step-tasks.ts'
import { resolveOperatorTask } from '../../db/operator-tasks.ts'
import { creditInvoice, insertFact, settleFact, settleRefunded } from '../../db/order/books.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { isProviderFailure, ProviderFailure } from '../../providers/failure.ts'
import { isPageId } from '../../providers/stripe/hosted.ts'
import type { Refund } from '../../providers/stripe/refunds.ts'
import { dayIn, plusMs } from '../../shared/calendar.ts'
import { failure } from '../../shared/failures.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { asFailure, paymentFailureTypes, recordedAt, sinceScheduledMs, withFailureTypes } from '../failures.ts'
import { refundUnlessTakenBack } from '../order/refunds/lost-disputes.ts'
import { isReceived, leftOf, paymentContradicts } from '../order/refunds/refund.ts'
import { listedWith, refundedMinorOf } from '../order/refunds/refund-records.ts'
import { leaveStepToOperator, withSecret } from './step.ts'

type Activities = Pick<DeletionActivities, 'settlePayments' | 'deleteStripeCustomer'>

/** The next state of a payment and its entry in the books; `next` is null when the payment is closed. */
interface Progress {
  next: PaymentToClose | null
  book?: (tx: Transaction) => Promise<void>
}

const processor = 'stripe'
const processingRetryMs = 10 * milliseconds.minute
const unknownIsFinalAfterMs = periods.deletion.overdueAfterMs
/** a refund that failed twice is left to an operator */
const maxFailedRefunds = 2

export function createDeletionPaymentActivities(context: Context): Activities {
  const { sql, stripe, config } = context
  const dayOfBooks = (at: Date): string => dayIn(config.SELLER_TIME_ZONE, at)

  return {
    async settlePayments({ receiptId, asOf, giveUp }) {
      const at = recordedAt(asOf)
      let open = (await openSecret(sql, context, receiptId, 'settlements')) ?? []
      let firstFailure: ProviderFailure | undefined
      let processing = false
      for (const { paymentIntentId } of open) {
        try {
          await closePayment(paymentIntentId)
        } catch (error) {
          // A payment that cannot be settled now must not stop the others.
          if (!isProviderFailure(error)) throw error
          firstFailure ??= error
        }
      }
      if (firstFailure) throw asFailure(firstFailure, paymentFailureTypes)
      if (processing) throw failure('PaymentPending', { nextRetryDelay: processingRetryMs })
      const trouble = open.find((settlement) => settlement.trouble)?.trouble
      if (trouble) await leaveStepToOperator(context, { receiptId, processor, code: trouble, at })
      else await resolveIfSettled(receiptId, at)
      if (giveUp) await deleteSecret(sql, receiptId, 'settlements')
      return { watch: open.length > 0 && !giveUp, ...(trouble && { trouble }) }

      async function closePayment(firstId: string): Promise<void> {
        for (let paymentIntentId = firstId; ; ) {
          const settlement = open.find((each) => each.paymentIntentId === paymentIntentId)
          if (!settlement) return
          const step = await advance(settlement, at)
          if (step === 'processing') processing = true
          if (step === 'processing' || step === 'unchanged') return
          const { next, book } = step
          const left = open.flatMap((each) => (each === settlement ? (next ?? []) : each))
          await sql.begin(async (tx) => {
            await book?.(tx)
            if (left.length > 0) await resealSecret(tx, context, receiptId, 'settlements', left)
            else await deleteSecret(tx, receiptId, 'settlements')
          })
          open = left
          // A page at Stripe was paid: its payment takes its place.
          paymentIntentId = next?.paymentIntentId ?? paymentIntentId
        }
      }
    },

    async deleteStripeCustomer(step) {
      return withSecret(context, { ...step, processor, part: 'stripeCustomer' }, async ({ customerId }) => {
        const outcome = await withFailureTypes(paymentFailureTypes, () => stripe.deleteCustomer(customerId))
        if (outcome === 'deleted') return { state: 'done' }
        if (outcome === 'already_deleted') return { state: 'done', code: 'already_gone' }
        // Stripe keeps a record of deleted customers: one that it does not know was not deleted.
        if (sinceScheduledMs() < unknownIsFinalAfterMs)
          throw failure('PaymentUnavailable', { code: 'unknown_customer' })
        return { state: 'needs_operator', code: 'unknown_customer' }
      })
    },
  }

  /** Resolves the operator task, when no payment has a `trouble` any more. */
  async function resolveIfSettled(receiptId: string, at: Date): Promise<void> {
    await resolveOperatorTask(sql, { ...operatorTaskOf(receiptId, processor), by: 'deletion', at })
    const step = await findStep(sql, receiptId, processor)
    const customer = await openSecret(sql, context, receiptId, 'stripeCustomer')
    if (step?.state === 'needs_operator' && !customer)
      await recordStep(sql, { receiptId, processor, state: 'done', at })
  }

  async function advance(settlement: PaymentToClose, at: Date): Promise<Progress | 'processing' | 'unchanged'> {
    try {
      if (settlement.action === 'cancel') return await cancel(settlement, at)
      if (settlement.action === 'follow') return follow(settlement, await withParts(settlement), at, dayOfBooks(at))
      const refunds = await stripe.listRefunds(settlement.paymentIntentId)
      const payment = await stripe.getPayment(settlement.paymentIntentId)
      // One of Stripe's machines may not know yet that it was paid, or that a refund of it has failed.
      if (!isReceived(payment)) throw new ProviderFailure(processor, 'unavailable', paymentContradicts)
      const left = leftOf(payment)
      if (left > 0) return await refund(settlement, refunds, left, at)
      const refundedMinor = refundedMinorOf(refunds)
      if (refundedMinor < payment.refundedMinor)
        throw new ProviderFailure(processor, 'unavailable', 'refunds_contradict')
      return recordRefund(settlement, refundedMinor, at, dayOfBooks(at), refunds)
    } catch (error) {
      if (!isProviderFailure(error) || error.kind !== 'rejected') throw error
      if (error.code === 'resource_missing') return unknownThere(settlement, error)
      return trouble(settlement, error.code)
    }
  }

  /**
   * Makes what was asked for before the erasure: the run of the refund may have sent it a moment ago, under the same
   * key.
   * @returns all refunds of the payment
   */
  async function withParts({ paymentIntentId, parts = [] }: PaymentToClose): Promise<Refund[]> {
    const known = await stripe.listRefunds(paymentIntentId)
    const missing = parts.filter((part) => known.every(({ refundKey }) => refundKey !== part.refundKey))
    if (missing.length === 0) return known
    const made: Refund[] = []
    for (const { refundKey, amountMinor, reason } of missing) {
      const asked = { paymentIntentId, amountMinor, idempotencyKey: refundKey, reasonCode: reason }
      made.push(await stripe.refund({ ...asked, lookFirst: true }))
    }
    const listed = await stripe.listRefunds(paymentIntentId)
    return made.reduce((all, refund) => listedWith(refund, all), listed)
  }

  /** The person may pay while we cancel: Stripe decides which came first. */
  async function cancel(settlement: PaymentToClose, at: Date): Promise<Progress | 'processing'> {
    const { paymentIntentId: id } = settlement
    const isPage = isPageId(id)
    const outcome = isPage
      ? await stripe.endHostedPayment(id, `erased-${id}:end`)
      : await stripe.cancelPayment(id, `erased-${id}:cancel`)
    if (outcome === 'processing') return 'processing'
    if (outcome !== 'already_paid') return { next: null }
    const paymentIntentId = isPage ? ((await stripe.getHostedPayment(id)).paymentIntentId ?? id) : id
    const next: PaymentToClose = { ...settlement, paymentIntentId, action: 'refund' }
    return {
      next,
      async book(tx) {
        next.factId = await insertFact(tx, settlement, dayOfBooks(at))
      },
    }
  }

  async function refund(
    settlement: PaymentToClose,
    before: Refund[],
    amountMinor: number,
    at: Date,
  ): Promise<Progress | 'unchanged'> {
    const { paymentIntentId } = settlement
    if (before.filter(hasFailed).length >= maxFailedRefunds) return leaveUnrefunded(settlement, before)
    const idempotencyKey = `erased-${paymentIntentId}:refund-${before.length + 1}`
    const reasonCode = 'account_deleted'
    let made: Refund | undefined
    const takenBack = await refundUnlessTakenBack(context, settlement, amountMinor, async () => {
      made = await stripe.refund({ paymentIntentId, amountMinor: 'rest', idempotencyKey, reasonCode, lookFirst: false })
    })
    const refundedMinor = refundedMinorOf(listedWith(made, before)) + (made ? 0 : amountMinor)
    const day = dayOfBooks(at)
    // The bank has paid the customer, and nothing of it can fail.
    if (takenBack.length > 0) return { next: null, book: (tx) => bookRefunded(tx, settlement, refundedMinor, day) }
    return recordRefund({ ...settlement, action: 'refund', trouble: null }, refundedMinor, at, day)
  }
}

/**
 * Records a refund in the books once, also one that an operator made, and watches it as long as it can fail.
 * @param day of its credit note (YYYY-MM-DD)
 * @param listed all refunds of the payment
 */
function recordRefund(
  settlement: PaymentToClose,
  refundedMinor: number,
  at: Date,
  day: string,
  listed: readonly Refund[] = [],
): Progress | 'unchanged' {
  const { refundedAt } = settlement
  if (settlement.action === 'watch') return untilSettled(settlement, listed, new Date(refundedAt ?? at), at)
  return {
    next: { ...settlement, action: 'watch', refundedAt: at.toISOString(), trouble: null },
    book: (tx) => bookRefunded(tx, settlement, refundedMinor, day),
  }
}

async function bookRefunded(
  tx: Transaction,
  { factId, invoiceNumber }: PaymentToClose,
  refundedMinor: number,
  day: string,
): Promise<void> {
  if (factId) await settleFact(tx, factId, 'refunded', refundedMinor)
  if (invoiceNumber) await creditInvoice(tx, invoiceNumber, refundedMinor, day)
}

/** Closes a payment when its refund cannot fail any more. One that is still on its way then is an operator's. */
function untilSettled(
  settlement: PaymentToClose,
  listed: readonly Refund[],
  refundedAt: Date,
  at: Date,
): Progress | 'unchanged' {
  if (at < plusMs(refundedAt, periods.order.refundSettlesWithinMs))
    return settlement.trouble ? { next: { ...settlement, trouble: null } } : 'unchanged'
  return listed.some(isUnsettled) ? trouble(settlement, 'refund_unsettled') : { next: null }
}

/** Records in the books what is refunded of a payment in part. How much, an operator has decided. */
function follow(settlement: PaymentToClose, refunds: Refund[], at: Date, day: string): Progress | 'unchanged' {
  const { factId, invoiceNumber, promisedMinor = 0, bookedMinor = 0, parts = [], refundedAt } = settlement
  const refundedMinor = refundedMinorOf(refunds)
  if (refundedMinor !== bookedMinor || refundedAt === null) {
    return {
      next: { ...settlement, bookedMinor: refundedMinor, refundedAt: refundedAt ?? at.toISOString() },
      async book(tx) {
        if (factId) await settleRefunded(tx, factId, refundedMinor)
        if (invoiceNumber) await creditInvoice(tx, invoiceNumber, refundedMinor, day)
      },
    }
  }
  if (refundedMinor >= promisedMinor) {
    const isUndecided = settlement.trouble !== null && operatorsDecide.includes(settlement.trouble)
    const askedFor = parts.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
    // What was refunded before the erasure decides nothing.
    if (isUndecided && refundedMinor <= promisedMinor - askedFor) return 'unchanged'
    return untilSettled(settlement, refunds, new Date(refundedAt), at)
  }
  return trouble(settlement, 'partial_refund_failed')
}

/**
 * Stripe has made this payment, so "not found" settles nothing: it is asked again for days, then an operator is
 * notified.
 * @throws ProviderFailure until then
 */
function unknownThere(settlement: PaymentToClose, { provider, code }: ProviderFailure): Progress | 'unchanged' {
  const isRecorded = settlement.trouble === code
  if (!isRecorded && sinceScheduledMs() < unknownIsFinalAfterMs)
    throw new ProviderFailure(provider, 'unavailable', code)
  return trouble(settlement, code)
}

/**
 * Records in the books that the money was not returned. A refund that an operator makes later is found and recorded.
 */
function leaveUnrefunded(settlement: PaymentToClose, refunds: Refund[]): Progress | 'unchanged' {
  const { factId } = settlement
  const progress = trouble({ ...settlement, action: 'refund' }, 'refund_bounced')
  if (progress === 'unchanged') return progress
  return {
    ...progress,
    async book(tx) {
      if (factId) await settleFact(tx, factId, 'paid', refundedMinorOf(refunds))
    },
  }
}

function trouble(settlement: PaymentToClose, code: string): Progress | 'unchanged' {
  return settlement.trouble === code ? 'unchanged' : { next: { ...settlement, trouble: code } }
}

const hasFailed = ({ status }: Refund): boolean => status === 'failed' || status === 'canceled'
const isUnsettled = (refund: Refund): boolean => !hasFailed(refund) && refund.status !== 'succeeded'
