/**
 * Stripe's own books, page by page: payments with what was refunded of them, disputes, balance, balance transactions
 * and payouts. Fields as in the types of stripe 23.1 (docs.stripe.com/api/balance_transactions, /api/payouts,
 * /api/balance).
 */
import type Stripe from 'stripe'
import { isProviderFailure, ProviderFailure } from '../failure.ts'
import type { StripeClient } from './client.ts'
import { orderIdIn } from './order-id.ts'
import { createPages, seconds } from './pages.ts'

/** A payment that succeeded. */
export interface BookedPayment {
  paymentIntentId: string
  /** metadata.order_id */
  orderId: string | null
  /** metadata.mark */
  mark: string | null
  receivedMinor: number
  /** pending refunds included */
  refundedMinor: number
  disputed: boolean
  /** ISO 4217, upper case */
  currency: string
  createdAt: Date
  paidAt: Date
}

export interface BookedDispute {
  disputeId: string
  paymentIntentId: string | null
  /** of the payment's metadata */
  orderId: string | null
  mark: string | null
  /** as codes/stripe-values.ts lists them */
  status: string
  createdAt: Date
}

export interface BookedTransaction {
  /** `charge`, `refund`, `dispute`, ...: docs.stripe.com/reports/reporting-categories */
  category: string
  amountMinor: number
  feeMinor: number
  netMinor: number
  currency: string
}

export interface BookedPayout {
  payoutId: string
  amountMinor: number
  currency: string
  /** Stripe says which transactions it pays out: not of one that was made by hand */
  automatic: boolean
  /** Stripe still attaches its transactions */
  inProgress: boolean
  /** the money has not reached the bank account: Stripe's reason, or that it was cancelled */
  failure: string | null
  createdAt: Date
}

const withCharge = 'latest_charge'

export function createBooks({ sdk, call }: StripeClient) {
  const pages = createPages(call)

  return {
    /** Pages of the payments that were created between two times and have succeeded. */
    async *bookedPayments(from: Date, to: Date): AsyncGenerator<BookedPayment[]> {
      const created = { gte: seconds(from), lte: seconds(to) }
      const expand = [`data.${withCharge}`]
      for await (const intents of pages((page) => sdk.paymentIntents.list({ ...page, created, expand }))) {
        yield intents.flatMap(bookedPaymentOf)
      }
    },

    /** Pages of the payments that were created before a time and refunded since. A payment may come more than once. */
    async *olderPaymentsRefunded(from: Date, to: Date): AsyncGenerator<BookedPayment[]> {
      const created = { gte: seconds(from), lte: seconds(to) }
      const expand = [`data.payment_intent.${withCharge}`]
      for await (const refunds of pages((page) => sdk.refunds.list({ ...page, created, expand }))) {
        const intents = refunds.flatMap(({ payment_intent: intent }) =>
          intent !== null && typeof intent === 'object' && intent.created < seconds(from) ? [intent] : [],
        )
        yield [...new Map(intents.map((intent) => [intent.id, intent])).values()].flatMap(bookedPaymentOf)
      }
    },

    /** Undefined when the payment has not succeeded, or Stripe does not know it. */
    async bookedPayment(paymentIntentId: string): Promise<BookedPayment | undefined> {
      try {
        const intent = await call('reads', () => sdk.paymentIntents.retrieve(paymentIntentId, { expand: [withCharge] }))
        return bookedPaymentOf(intent)[0]
      } catch (error) {
        if (isProviderFailure(error, 'resource_missing')) return undefined
        throw error
      }
    },

    async *bookedDisputes(from: Date, to: Date): AsyncGenerator<BookedDispute[]> {
      const created = { gte: seconds(from), lte: seconds(to) }
      const expand = ['data.payment_intent']
      for await (const disputes of pages((page) => sdk.disputes.list({ ...page, created, expand }))) {
        yield disputes.map(({ id, payment_intent: intent, status, created: createdAt }) => {
          const payment = intent !== null && typeof intent === 'object' ? intent : null
          return {
            disputeId: id,
            paymentIntentId: payment?.id ?? (typeof intent === 'string' ? intent : null),
            orderId: orderIdIn(payment?.metadata) ?? null,
            mark: payment?.metadata.mark ?? null,
            status,
            createdAt: timeOf(createdAt),
          }
        })
      }
    },

    /** By currency: what is available and what is pending, which is the net sum of all transactions. */
    async balances(): Promise<Map<string, number>> {
      const balance = await call('reads', () => sdk.balance.retrieve())
      const sums = new Map<string, number>()
      for (const { amount, currency } of [...balance.available, ...balance.pending]) {
        sums.set(currency.toUpperCase(), (sums.get(currency.toUpperCase()) ?? 0) + amount)
      }
      return sums
    },

    /** Pages of the transactions that were created after one time and up to another. */
    async *transactionsCreated(after: Date | undefined, to: Date | undefined): AsyncGenerator<BookedTransaction[]> {
      const created = { ...(after && { gt: seconds(after) }), ...(to && { lte: seconds(to) }) }
      for await (const transactions of pages((page) => sdk.balanceTransactions.list({ ...page, created }))) {
        yield transactions.map(transactionOf)
      }
    },

    async *bookedPayouts(from: Date, to: Date): AsyncGenerator<BookedPayout[]> {
      const created = { gte: seconds(from), lte: seconds(to) }
      for await (const payouts of pages((page) => sdk.payouts.list({ ...page, created }))) {
        yield payouts.map((payout) => ({
          payoutId: payout.id,
          amountMinor: payout.amount,
          currency: payout.currency.toUpperCase(),
          automatic: payout.automatic,
          inProgress: payout.reconciliation_status === 'in_progress',
          failure: failureOf(payout),
          createdAt: timeOf(payout.created),
        }))
      }
    },

    /** The net sum of what a payout has paid out. */
    async paidOutMinor(payoutId: string): Promise<number> {
      let sum = 0
      for await (const page of pages((at) => sdk.balanceTransactions.list({ ...at, payout: payoutId }))) {
        for (const { type, net } of page) if (type !== 'payout') sum += net
      }
      return sum
    },
  }
}

function bookedPaymentOf(intent: Stripe.PaymentIntent): BookedPayment[] {
  if (intent.status !== 'succeeded') return []
  const charge = intent.latest_charge
  const orderId = orderIdIn(intent.metadata) ?? null
  // Another application's, which was paid another way than by a charge.
  if (charge === null && orderId === null) return []
  // Asked for by `expand`: without it nobody knows what was refunded.
  if (charge === null || typeof charge !== 'object') throw new ProviderFailure('stripe', 'unavailable', 'invalid_reply')
  return [
    {
      paymentIntentId: intent.id,
      orderId,
      mark: intent.metadata.mark ?? null,
      receivedMinor: intent.amount_received,
      refundedMinor: charge.amount_refunded,
      disputed: charge.disputed,
      currency: intent.currency.toUpperCase(),
      createdAt: timeOf(intent.created),
      paidAt: timeOf(charge.created),
    },
  ]
}

const transactionOf = (transaction: Stripe.BalanceTransaction): BookedTransaction => ({
  category: transaction.reporting_category,
  amountMinor: transaction.amount,
  feeMinor: transaction.fee,
  netMinor: transaction.net,
  currency: transaction.currency.toUpperCase(),
})

/** A payout may be shown as paid for some days and fail then: docs.stripe.com/api/payouts/object, `status`. */
function failureOf({ status, failure_code }: Stripe.Payout): string | null {
  if (status === 'canceled') return status
  return status === 'failed' ? (failure_code ?? status) : null
}

const timeOf = (unixSeconds: number): Date => new Date(unixSeconds * 1000)
