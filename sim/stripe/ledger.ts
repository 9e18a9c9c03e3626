/**
 * The account's balance: each movement of money is a balance transaction
 * (docs.stripe.com/api/balance_transactions/object). Funds become available two days later; a payout takes what is
 * available (docs.stripe.com/payouts).
 */
import type Stripe from 'stripe'
import { type Account, newId } from './account.ts'

/** Stripe's standard fee for European cards: docs.stripe.com/pricing */
const feeOf = (amount: number): number => Math.round(amount * 0.015) + 25
const disputeFee = 2000
const settlesAfterSeconds = 2 * 86_400

export type Ledger = ReturnType<typeof createLedger>

export function createLedger(account: Account) {
  function add(
    entry: Pick<Stripe.BalanceTransaction, 'amount' | 'currency' | 'type' | 'reporting_category'> & { source: string },
    { fee = 0, availableAfter = 0 } = {},
  ): Stripe.BalanceTransaction {
    const { amount, currency } = entry
    const created = account.now()
    const fees = { amount: fee, application: null, currency, description: 'Stripe processing fees', type: 'stripe_fee' }
    return account.balanceTransactions.add({
      id: newId('txn'),
      object: 'balance_transaction',
      available_on: created + availableAfter,
      balance_type: 'payments',
      created,
      description: null,
      exchange_rate: null,
      fee,
      fee_details: fee === 0 ? [] : [fees],
      net: amount - fee,
      status: availableAfter === 0 ? 'available' : 'pending',
      ...entry,
    })
  }

  const isAvailable = (transaction: Stripe.BalanceTransaction): boolean => transaction.available_on <= account.now()

  /** @param others by currency: what else is there */
  function sums(
    isWanted: (transaction: Stripe.BalanceTransaction) => boolean,
    others: ReadonlyMap<string, number>,
  ): { amount: number; currency: string }[] {
    const byCurrency = new Map(others)
    for (const transaction of account.balanceTransactions.all()) {
      const { currency, net } = transaction
      byCurrency.set(currency, (byCurrency.get(currency) ?? 0) + (isWanted(transaction) ? net : 0))
    }
    return [...byCurrency].map(([currency, amount]) => ({ amount, currency }))
  }

  return {
    charged: ({ id: source, amount, currency }: Stripe.Charge) =>
      add(
        { amount, currency, type: 'charge', reporting_category: 'charge', source },
        { fee: feeOf(amount), availableAfter: settlesAfterSeconds },
      ),
    refunded: ({ id: source, amount, currency }: Stripe.Refund) =>
      add({ amount: -amount, currency, type: 'refund', reporting_category: 'refund', source }),
    refundFailed: ({ id: source, amount, currency }: Stripe.Refund) =>
      add({ amount, currency, type: 'refund_failure', reporting_category: 'refund_failure', source }),
    disputed: ({ id: source, amount, currency }: Stripe.Dispute) =>
      add(
        { amount: -amount, currency, type: 'adjustment', reporting_category: 'dispute', source },
        { fee: disputeFee },
      ),
    disputeWon: ({ id: source, amount, currency }: Stripe.Dispute) =>
      add({ amount, currency, type: 'adjustment', reporting_category: 'dispute_reversal', source }),

    /** docs.stripe.com/api/balance/balance_object */
    balance: (): Stripe.Balance => ({
      object: 'balance',
      available: sums(isAvailable, account.unlisted),
      livemode: false,
      pending: sums((transaction) => !isAvailable(transaction), new Map()),
    }),

    /**
     * Pays out what has not been paid out.
     * @param given.early also what is not available yet
     * @param given.differsBy the payout has another amount than its transactions
     * @param given.fails the bank refuses the money, which comes back to the balance
     * @param given.byHand it was asked for in the dashboard
     * @param given.parts divides it into so many payouts
     */
    payOut(given: {
      currency: string
      early?: boolean
      differsBy?: number
      fails?: boolean
      byHand?: boolean
      parts?: number
    }): Stripe.Payout[] {
      const due = account.balanceTransactions
        .all()
        .filter(
          (transaction) =>
            transaction.currency === given.currency &&
            transaction.type !== 'payout' &&
            !account.paidOut.has(transaction.id) &&
            (given.early || isAvailable(transaction)),
        )
      const size = Math.ceil(due.length / (given.parts ?? 1))
      const made: Stripe.Payout[] = []
      for (let start = 0; start < due.length; start += size) {
        const part = due.slice(start, start + size)
        const sum = part.reduce((total, { net }) => total + net, 0)
        const payout = account.payouts.add(newPayout(account.now(), given.currency, sum + (given.differsBy ?? 0)))
        const { id: source, amount, currency } = payout
        const own = add({ amount: -amount, currency, type: 'payout', reporting_category: 'payout', source })
        payout.balance_transaction = own.id
        for (const { id } of [...part, own]) account.paidOut.set(id, payout.id)
        if (given.byHand) Object.assign(payout, { automatic: false, reconciliation_status: 'not_applicable' })
        // docs.stripe.com/payouts#payout-failures
        if (given.fails) {
          const back = add({ amount, currency, type: 'payout_failure', reporting_category: 'payout_reversal', source })
          const failed = { status: 'failed', failure_code: 'account_closed', failure_balance_transaction: back.id }
          Object.assign(payout, failed)
        }
        made.push(payout)
      }
      return made
    },
  }
}

/** docs.stripe.com/api/payouts/object */
const newPayout = (created: number, currency: string, amount: number): Stripe.Payout => ({
  id: newId('po'),
  object: 'payout',
  amount,
  application_fee: null,
  application_fee_amount: null,
  arrival_date: created + 86_400,
  automatic: true,
  balance_transaction: null,
  created,
  currency,
  description: 'STRIPE PAYOUT',
  destination: newId('ba'),
  failure_balance_transaction: null,
  failure_code: null,
  failure_message: null,
  livemode: false,
  metadata: {},
  method: 'standard',
  original_payout: null,
  payout_method: null,
  reconciliation_status: 'completed',
  reversed_by: null,
  source_type: 'card',
  statement_descriptor: null,
  status: 'paid',
  trace_id: null,
  type: 'bank_account',
})
