/** The state of one simulated Stripe account, and its clock. */
import { randomBytes } from 'node:crypto'
import type Stripe from 'stripe'
import { fill, type Kept } from '../keeping.ts'
import { type Collection, createCollection } from './collection.ts'
import type { RedactionJob } from './redaction.ts'

export interface StoredEvent {
  id: string
  type: string
  created: number
  objectId: string
  /** the JSON text to deliver: Stripe never changes an event */
  body: string
}

export interface Settings {
  autoPay: { enabled: boolean; delayMs: number; riskLevel: string }
  pendingRefunds: boolean
  /** of those */
  pendingReason: Stripe.Refund.PendingReason
  redactionAccess: boolean
  /** these payments succeed just before their next cancellation */
  lateSuccess: Set<string>
  /** the next refund of these payments is accepted and then fails */
  failNextRefund: Set<string>
  /** refunds of these payments are pending at first */
  pendingRefundOf: Set<string>
}

const initialSettings = (): Settings => ({
  autoPay: { enabled: false, delayMs: 0, riskLevel: 'normal' },
  pendingRefunds: false,
  pendingReason: 'processing',
  redactionAccess: true,
  lateSuccess: new Set(),
  failNextRefund: new Set(),
  pendingRefundOf: new Set(),
})

/** The objects of the account, by their kind. */
interface Objects {
  customers: Stripe.Customer
  paymentIntents: Stripe.PaymentIntent
  charges: Stripe.Charge
  refunds: Stripe.Refund
  disputes: Stripe.Dispute
  fraudWarnings: Stripe.Radar.EarlyFraudWarning
  redactions: RedactionJob
  sessions: Stripe.Checkout.Session
  /** the cards that customers have saved */
  cards: Stripe.PaymentMethod
  balanceTransactions: Stripe.BalanceTransaction
  payouts: Stripe.Payout
  events: StoredEvent
}

type Collections = { [Kind in keyof Objects]: Collection<Objects[Kind]> }
type KeptObjects = { [Kind in keyof Objects]: Objects[Kind][] }

export interface Account extends Collections {
  deletedCustomers: Map<string, Stripe.DeletedCustomer>
  /** by session: the metadata of the payment that it will make */
  sessionPayments: Map<string, Record<string, string>>
  /** the payout of each balance transaction that was paid out */
  paidOut: Map<string, string>
  /** by currency: what is in the balance and in no transaction */
  unlisted: Map<string, number>
  settings: Settings
  /** Unix seconds of the account's own clock, which only moves forward */
  now(): number
  advance(seconds: number): void
  /** Runs a task later, unless the account is reset or closed first. */
  later(delayMs: number, task: () => void): void
  kept: Kept<KeptAccount>
  reset(): void
}

/** In this order: a warning is indexed by its charge. */
const kinds = [
  'customers',
  'paymentIntents',
  'charges',
  'refunds',
  'disputes',
  'fraudWarnings',
  'redactions',
  'sessions',
  'cards',
  'balanceTransactions',
  'payouts',
  'events',
] as const satisfies (keyof Objects)[]

export interface KeptAccount
  extends Pick<Account, 'deletedCustomers' | 'sessionPayments' | 'paidOut' | 'unlisted' | 'settings'> {
  objects: KeptObjects
  advancedSeconds: number
}

const objectsOf = (account: Collections): KeptObjects => ({
  customers: account.customers.all(),
  paymentIntents: account.paymentIntents.all(),
  charges: account.charges.all(),
  refunds: account.refunds.all(),
  disputes: account.disputes.all(),
  fraudWarnings: account.fraudWarnings.all(),
  redactions: account.redactions.all(),
  sessions: account.sessions.all(),
  cards: account.cards.all(),
  balanceTransactions: account.balanceTransactions.all(),
  payouts: account.payouts.all(),
  events: account.events.all(),
})

function addObjects<Kind extends keyof Objects>(account: Collections, kind: Kind, objects: KeptObjects): void {
  for (const item of objects[kind]) account[kind].add(item)
}

export function createAccount(): Account {
  const timers = new Set<NodeJS.Timeout>()
  const paidOut = new Map<string, string>()
  let advancedSeconds = 0
  const account: Account = {
    customers: createCollection(),
    deletedCustomers: new Map(),
    paymentIntents: createCollection({
      customer: (intent) => idOf(intent.customer),
      order: (intent) => intent.metadata.order_id,
    }),
    charges: createCollection({
      customer: (charge) => idOf(charge.customer),
      payment_intent: (charge) => idOf(charge.payment_intent),
    }),
    refunds: createCollection({
      charge: (refund) => idOf(refund.charge),
      payment_intent: (refund) => idOf(refund.payment_intent),
    }),
    disputes: createCollection({
      charge: (dispute) => idOf(dispute.charge),
      payment_intent: (dispute) => idOf(dispute.payment_intent),
    }),
    fraudWarnings: createCollection({
      charge: (warning) => idOf(warning.charge),
      payment_intent: (warning) =>
        idOf(warning.payment_intent ?? account.charges.get(idOf(warning.charge) ?? '')?.payment_intent),
    }),
    redactions: createCollection(),
    sessions: createCollection(),
    sessionPayments: new Map(),
    cards: createCollection(),
    balanceTransactions: createCollection(
      {
        currency: (transaction) => transaction.currency,
        source: (transaction) => idOf(transaction.source),
        type: (transaction) => transaction.type,
      },
      { payout: (transaction) => paidOut.get(transaction.id) },
    ),
    payouts: createCollection({ status: (payout) => payout.status, destination: (payout) => idOf(payout.destination) }),
    paidOut,
    unlisted: new Map(),
    events: createCollection({ type: (event) => event.type }),
    settings: initialSettings(),
    now: () => Math.floor(Date.now() / 1000) + advancedSeconds,
    advance: (seconds) => {
      if (!(seconds >= 0)) throw new Error('the clock only moves forward')
      advancedSeconds += seconds
    },
    later: (delayMs, task) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        task()
      }, delayMs)
      timers.add(timer)
    },
    kept: {
      save: () => ({
        objects: objectsOf(account),
        deletedCustomers: account.deletedCustomers,
        sessionPayments: account.sessionPayments,
        paidOut,
        unlisted: account.unlisted,
        settings: account.settings,
        advancedSeconds,
      }),
      load: (state) => {
        fill(paidOut, state.paidOut)
        for (const kind of kinds) addObjects(account, kind, state.objects)
        fill(account.deletedCustomers, state.deletedCustomers)
        fill(account.sessionPayments, state.sessionPayments)
        fill(account.unlisted, state.unlisted)
        account.settings = state.settings
        advancedSeconds = state.advancedSeconds
      },
    },
    reset: () => {
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      for (const kind of kinds) account[kind].clear()
      account.deletedCustomers.clear()
      account.sessionPayments.clear()
      account.paidOut.clear()
      account.unlisted.clear()
      account.settings = initialSettings()
      advancedSeconds = 0
    },
  }
  return account
}

/** An id like Stripe's: a prefix and 24 characters, for example `pi_3f..`. */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(12).toString('hex')}`

/** The id of an expandable field, expanded or not. */
export function idOf(field: string | { id: string } | null | undefined): string | null {
  if (!field) return null
  return typeof field === 'string' ? field : field.id
}
