/** U2 holds for the erased, too: money for what was not delivered goes back. And P2: their record at Stripe goes. */
import type { Context } from '../../context.ts'
import type { Transaction } from '../../db/connection/database.ts'
import { openSecret, type PaymentToClose, resealSecret, wipeSecret } from '../../db/erasure/deletion-seals.ts'
import { findStep, recordStep } from '../../db/erasure/deletions.ts'
import { resolveOperatorTask } from '../../db/operator-tasks.ts'
import { insertFact, issueUntiedCreditNote, settleFact } from '../../db/order/books.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { isProviderFailure, ProviderFailure } from '../../providers/failure.ts'
import type { Refund } from '../../providers/stripe/refunds.ts'
import { plusMs } from '../../shared/calendar.ts'
import { failure } from '../../shared/failures.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { asFailure, payment as paymentTerms, sinceScheduledMs, withFailureTypes } from '../failures.ts'
import { leaveStepToOperator, operatorTaskOf, withSecret } from './step.ts'

type Activities = Pick<DeletionActivities, 'settlePayments' | 'deleteStripeCustomer'>

/** What became of a settlement, and its entry in the books; null: nothing is left to do. */
interface Next {
  next: PaymentToClose | null
  book?: (tx: Transaction) => Promise<void>
}

const processor = 'stripe'
const processingLookMs = 10 * milliseconds.minute
const unknownIsFinalAfterMs = milliseconds.hour
/** one that comes back twice will not get through a third time */
const mostBounces = 2

export function createDeletionPaymentActivities(context: Context): Activities {
  const { sql, stripe } = context

  return {
    async settlePayments({ receiptId, asOf, giveUp }) {
      const at = new Date(asOf)
      let open = (await openSecret(sql, context, receiptId, 'settlements')) ?? []
      let fault: ProviderFailure | undefined
      let processing = false
      for (const { paymentIntentId } of open) {
        try {
          await settle(paymentIntentId)
        } catch (error) {
          // One payment that cannot be settled now does not hold up the others.
          if (!isProviderFailure(error)) throw error
          fault ??= error
        }
      }
      if (fault) throw asFailure(fault, paymentTerms)
      if (processing) throw failure('PaymentPending', { nextRetryDelay: processingLookMs })
      const trouble = open.find((settlement) => settlement.trouble)?.trouble
      if (trouble) await leaveStepToOperator(context, { receiptId, processor, code: trouble, at })
      else await settled(receiptId, at)
      if (giveUp) await wipeSecret(sql, receiptId, 'settlements')
      return { watch: open.length > 0 && !giveUp }

      async function settle(paymentIntentId: string): Promise<void> {
        for (;;) {
          const settlement = open.find((each) => each.paymentIntentId === paymentIntentId)
          if (!settlement) return
          const step = await move(settlement, at)
          if (step === 'processing') processing = true
          if (step === 'processing' || step === 'unchanged') return
          const { next, book } = step
          const left = open.flatMap((each) => (each === settlement ? (next ?? []) : each))
          await sql.begin(async (tx) => {
            await book?.(tx)
            if (left.length > 0) await resealSecret(tx, context, receiptId, 'settlements', left)
            else await wipeSecret(tx, receiptId, 'settlements')
          })
          open = left
        }
      }
    },

    async deleteStripeCustomer(step) {
      await withSecret(context, { ...step, processor, part: 'stripeCustomer' }, async ({ customerId }) => {
        const outcome = await withFailureTypes(paymentTerms, () => stripe.deleteCustomer(customerId))
        return { state: 'done', ...(outcome === 'unknown' && { code: 'already_gone' }) }
      })
    },
  }

  /** What an operator had to look at is no longer there. */
  async function settled(receiptId: string, at: Date): Promise<void> {
    await resolveOperatorTask(sql, { ...operatorTaskOf(receiptId, processor), by: 'deletion', at })
    const step = await findStep(sql, receiptId, processor)
    const customer = await openSecret(sql, context, receiptId, 'stripeCustomer')
    if (step?.state === 'needs_operator' && !customer)
      await recordStep(sql, { receiptId, processor, state: 'done', at })
  }

  async function move(settlement: PaymentToClose, at: Date): Promise<Next | 'processing' | 'unchanged'> {
    try {
      if (settlement.action === 'cancel') return await cancel(settlement, at)
      const refunds = await stripe.listRefunds(settlement.paymentIntentId)
      const standing = refunds.find((refund) => !hasBounced(refund))
      return standing ? recordRefund(settlement, at) : await refund(settlement, refunds, at)
    } catch (error) {
      if (!isProviderFailure(error) || error.kind !== 'rejected') throw error
      if (error.code === 'resource_missing') return unknownThere(settlement, error)
      return trouble(settlement, error.code)
    }
  }

  /** Somebody may pay in the very moment in which we cancel: the processor decides who was first. */
  async function cancel(settlement: PaymentToClose, at: Date): Promise<Next | 'processing'> {
    const { paymentIntentId } = settlement
    const outcome = await stripe.cancelPayment(paymentIntentId, `erased-${paymentIntentId}:cancel`)
    if (outcome === 'processing') return 'processing'
    if (outcome !== 'already_paid') return { next: null }
    const next: PaymentToClose = { ...settlement, action: 'refund' }
    return {
      next,
      async book(tx) {
        next.factId = await insertFact(tx, settlement, at)
      },
    }
  }

  async function refund(settlement: PaymentToClose, before: Refund[], at: Date): Promise<Next | 'unchanged'> {
    const { paymentIntentId, grossMinor: amountMinor } = settlement
    if (before.length >= mostBounces) return stillOwed(settlement)
    const idempotencyKey = `erased-${paymentIntentId}:refund-${before.length + 1}`
    await stripe.refund({
      paymentIntentId,
      amountMinor,
      idempotencyKey,
      reasonCode: 'account_deleted',
      lookFirst: false,
    })
    return recordRefund({ ...settlement, action: 'refund', trouble: null }, at)
  }
}

/** Refunded, whoever asked for it: into the books once, and then watched for as long as it can bounce. */
function recordRefund(settlement: PaymentToClose, at: Date): Next | 'unchanged' {
  const { factId, invoiceNumber, grossMinor, refundedAt } = settlement
  if (settlement.action === 'watch') {
    const settledBy = plusMs(new Date(refundedAt ?? at), periods.order.refundSettlesWithinMs)
    if (at >= settledBy) return { next: null }
    return settlement.trouble ? { next: { ...settlement, trouble: null } } : 'unchanged'
  }
  return {
    next: { ...settlement, action: 'watch', refundedAt: at.toISOString(), trouble: null },
    async book(tx) {
      if (factId) await settleFact(tx, factId, 'refunded', grossMinor)
      if (invoiceNumber) await issueUntiedCreditNote(tx, invoiceNumber, at)
    },
  }
}

/**
 * It was made there: what is said once may pass, and what stays so ends nothing but what no money hangs on.
 * @throws ProviderFailure for the first hour
 */
function unknownThere(settlement: PaymentToClose, { provider, code }: ProviderFailure): Next | 'unchanged' {
  if (settlement.action === 'watch') return { next: null }
  if (sinceScheduledMs() < unknownIsFinalAfterMs) throw new ProviderFailure(provider, 'unavailable', code)
  return settlement.action === 'cancel' ? { next: null } : trouble(settlement, code)
}

/** The books say what is true: the money is still here. A refund that an operator makes by hand is found and recorded. */
function stillOwed(settlement: PaymentToClose): Next | 'unchanged' {
  const { factId } = settlement
  const told = trouble({ ...settlement, action: 'refund' }, 'refund_bounced')
  if (told === 'unchanged') return told
  return {
    ...told,
    async book(tx) {
      if (factId) await settleFact(tx, factId, 'paid')
    },
  }
}

function trouble(settlement: PaymentToClose, code: string): Next | 'unchanged' {
  return settlement.trouble === code ? 'unchanged' : { next: { ...settlement, trouble: code } }
}

const hasBounced = ({ status }: Refund): boolean => status === 'failed' || status === 'canceled'
