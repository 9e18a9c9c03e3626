/** The confirmation of a payment with a test card, as Stripe.js and the mobile PaymentSheet ask for it. */
import type Stripe from 'stripe'
import type { Account } from '../account.ts'
import type { Disputes } from '../disputes.ts'
import type { FraudWarnings } from '../fraud-warnings.ts'
import type { Payments } from '../payments.ts'
import { Refusal } from '../refusal.ts'
import { cardOfAmount } from './test-amounts.ts'
import { findTestCard } from './test-cards.ts'

export type Confirm = ReturnType<typeof createConfirm>

interface Parts {
  account: Account
  payments: Payments
  disputes: Disputes
  warnings: FraudWarnings
}

/** A bank disputes what is booked. An order whose payment is disputed before it is accepted is not delivered at all. */
const disputeAfterMs = 10_000

export function createConfirm({ account, payments, disputes, warnings }: Parts) {
  /** @param card number or payment method of a test card. @throws Refusal 402 when it is declined */
  return function confirm(intent: Stripe.PaymentIntent, card: string): Stripe.PaymentIntent {
    const found = findTestCard(card)
    if (!found) {
      throw new Refusal(400, {
        type: 'invalid_request_error',
        code: 'resource_missing',
        param: 'payment_method',
        message: `No such PaymentMethod: '${card}'. The simulator knows the test cards of docs.stripe.com/testing that it lists.`,
      })
    }
    // A test amount decides for each card that would otherwise be paid.
    const { result } = (found.result.is === 'paid' ? cardOfAmount(intent.amount) : undefined) ?? found
    if (result.is === 'authentication') {
      payments.requireAction(intent)
      return intent
    }
    if (result.is === 'declined') {
      payments.fail(intent, result.declineCode ?? result.code)
      Object.assign(intent.last_payment_error ?? {}, { code: result.code })
      throw new Refusal(402, {
        type: 'card_error',
        code: result.code,
        ...(result.declineCode !== undefined && { decline_code: result.declineCode }),
        message: 'Your card was declined.',
        payment_intent: structuredClone(intent),
      })
    }
    const charge = payments.pay(intent, { riskLevel: result.riskLevel })
    if (result.refund === 'fails') account.settings.failNextRefund.add(intent.id)
    if (result.refund === 'pending') account.settings.pendingRefundOf.add(intent.id)
    if (result.leadsTo === 'dispute')
      account.later(disputeAfterMs, () => disputes.open(charge, { reason: 'fraudulent' }))
    if (result.leadsTo === 'fraud-warning')
      warnings.warn(charge, { fraudType: 'made_with_stolen_card', withIntent: true })
    return intent
  }
}

/** The payment of a client secret. @throws Refusal 404 */
export function intentOfSecret(account: Account, secret: string): Stripe.PaymentIntent {
  const intent = account.paymentIntents.get(secret.split('_secret_')[0] ?? '')
  if (!intent || intent.client_secret !== secret) {
    throw new Refusal(404, {
      type: 'invalid_request_error',
      code: 'resource_missing',
      param: 'intent',
      message: 'No such payment_intent',
    })
  }
  return intent
}
