/** The states of a PaymentIntent with automatic capture: docs.stripe.com/payments/paymentintents/lifecycle */
import type Stripe from 'stripe'
import { type Account, newId } from './account.ts'
import type { Events } from './events.ts'
import type { Ledger } from './ledger.ts'
import { type ChargeOutcome, cardDetails, newCharge, newPaymentIntent } from './objects.ts'
import { refusedByState } from './refusal.ts'

const open = ['requires_payment_method', 'requires_confirmation', 'requires_action', 'processing']
/** Without `processing`: the money is on its way, and Stripe allows a cancellation only in rare cases. */
const cancellable = ['requires_payment_method', 'requires_confirmation', 'requires_action', 'requires_capture']

export interface PayInput {
  method?: string | undefined
  /** of the card; null: the issuer does not say */
  country?: string | null | undefined
  riskLevel?: string | undefined
  riskScore?: number | undefined
  /** of the card; by default each payment has a card of its own */
  fingerprint?: string | undefined
}

export type Payments = ReturnType<typeof createPayments>

export function createPayments(account: Account, events: Events, ledger: Ledger) {
  function create(given: {
    amount: number
    currency: string
    customer: string | null
    metadata: Record<string, string>
    /** it takes cards and their wallets alone */
    areCards?: boolean
  }): Stripe.PaymentIntent {
    const intent = account.paymentIntents.add(newPaymentIntent(account.now(), given))
    events.emit('payment_intent.created', intent)
    const { enabled, delayMs, riskLevel } = account.settings.autoPay
    if (enabled) account.later(delayMs, () => open.includes(intent.status) && pay(intent, { riskLevel }))
    return intent
  }

  function pay(intent: Stripe.PaymentIntent, input: PayInput = {}) {
    const { method = 'card', riskLevel = 'normal', riskScore, fingerprint, country } = input
    mustBeOpen(intent)
    const charge = attempt(intent, method, { paid: true, riskLevel, riskScore }, fingerprint, country)
    Object.assign(intent, {
      amount_received: intent.amount,
      last_payment_error: null,
      next_action: null,
      payment_method: charge.payment_method,
      processing: null,
      status: 'succeeded',
    })
    charge.balance_transaction = ledger.charged(charge).id
    events.emit('charge.succeeded', charge)
    events.emit('payment_intent.succeeded', intent)
    return charge
  }

  /** Fails an attempt; the payment can be tried again with another card. */
  function fail(intent: Stripe.PaymentIntent, declineCode: string, riskLevel = 'normal'): Stripe.Charge {
    mustBeOpen(intent)
    const charge = attempt(intent, 'card', { paid: false, riskLevel, declineCode })
    Object.assign(intent, {
      last_payment_error: {
        charge: charge.id,
        code: 'card_declined',
        decline_code: declineCode,
        message: 'The card was declined.',
        type: 'card_error',
      },
      next_action: null,
      payment_method: null,
      processing: null,
      status: 'requires_payment_method',
    })
    events.emit('charge.failed', charge)
    events.emit('payment_intent.payment_failed', intent)
    return charge
  }

  function process(intent: Stripe.PaymentIntent): void {
    mustBeOpen(intent)
    Object.assign(intent, { next_action: null, payment_method: newId('pm'), status: 'processing' })
    events.emit('payment_intent.processing', intent)
  }

  function requireAction(intent: Stripe.PaymentIntent): void {
    mustBeOpen(intent)
    const next_action = { type: 'use_stripe_sdk', use_stripe_sdk: { type: 'three_d_secure_redirect' } }
    Object.assign(intent, { next_action, payment_method: newId('pm'), status: 'requires_action' })
    events.emit('payment_intent.requires_action', intent)
  }

  function cancel(intent: Stripe.PaymentIntent, reason: string | null): Stripe.PaymentIntent {
    if (account.settings.lateSuccess.delete(intent.id) && open.includes(intent.status)) pay(intent)
    if (!cancellable.includes(intent.status)) {
      throw refusedByState(
        'payment_intent_unexpected_state',
        `A PaymentIntent with status ${intent.status} cannot be canceled.`,
        structuredClone(intent),
      )
    }
    Object.assign(intent, {
      canceled_at: account.now(),
      cancellation_reason: reason,
      next_action: null,
      status: 'canceled',
    })
    events.emit('payment_intent.canceled', intent)
    return intent
  }

  function attempt(
    intent: Stripe.PaymentIntent,
    method: string,
    outcome: ChargeOutcome,
    fingerprint = newId('card'),
    country?: string | null,
  ): Stripe.Charge {
    const charge = account.charges.add(
      newCharge(account.now(), intent, cardDetails(method, fingerprint, country), outcome),
    )
    intent.latest_charge = charge.id
    return charge
  }

  return { create, pay, fail, process, requireAction, cancel }
}

function mustBeOpen(intent: Stripe.PaymentIntent): void {
  if (!open.includes(intent.status)) {
    throw refusedByState('payment_intent_unexpected_state', `This PaymentIntent is ${intent.status}.`)
  }
}
