/**
 * Checkout Sessions in `payment` mode: docs.stripe.com/api/checkout/sessions. A session is paid once. Its PaymentIntent
 * is made when the customer pays, and ends with the session.
 */
import type Stripe from 'stripe'
import { fieldsIn } from '../../fields.ts'
import { type Account, idOf, newId } from '../account.ts'
import { found } from '../collection.ts'
import type { Events } from '../events.ts'
import { integer, type Parameters, record, requiredText, text, textMap } from '../parameters.ts'
import type { Payments } from '../payments.ts'
import { invalidParameter, missing, refusedByState } from '../refusal.ts'
import { newSession } from './session-object.ts'

export type Sessions = ReturnType<typeof createSessions>

const shortestLife = 30 * 60
const longestLife = 24 * 60 * 60

export function createSessions(account: Account, events: Events, payments: Payments) {
  /** @param origin of the page on which it is paid */
  function create(parameters: Parameters, origin: string): Stripe.Checkout.Session {
    const mode = requiredText(parameters, 'mode')
    if (mode !== 'payment') throw invalidParameter('parameter_unknown', 'mode', `The simulator has no mode ${mode}.`)
    const now = account.now()
    const expiresAt = integer(parameters, 'expires_at') ?? now + longestLife
    if (expiresAt < now + shortestLife || expiresAt > now + longestLife) {
      const message =
        'The `expires_at` timestamp must be between 30 minutes and 24 hours from Checkout Session creation.'
      throw invalidParameter('parameter_invalid_integer', 'expires_at', message)
    }
    const customer = text(parameters, 'customer') ?? null
    if (customer && (!account.customers.get(customer) || account.deletedCustomers.has(customer)))
      throw missing('customer', customer, 'customer')
    const { amount, currency } = totalOf(parameters)
    const id = `cs_test_${newId('a1').replace('_', '')}`
    const session = newSession({
      id,
      created: now,
      expiresAt,
      amount,
      currency,
      customer,
      reference: text(parameters, 'client_reference_id') ?? null,
      locale: text(parameters, 'locale') ?? null,
      metadata: textMap(parameters, 'metadata'),
      successUrl: requiredText(parameters, 'success_url'),
      cancelUrl: text(parameters, 'cancel_url') ?? null,
      url: `${origin}/c/pay/${id}`,
    })
    account.sessionPayments.set(id, textMap(record(parameters, 'payment_intent_data'), 'metadata'))
    return account.sessions.add(session)
  }

  function find(id: string): Stripe.Checkout.Session {
    const session = found(account.sessions, 'checkout.session', id)
    if (session.status === 'open' && session.expires_at <= account.now()) end(session)
    return session
  }

  function expire(id: string): Stripe.Checkout.Session {
    const session = find(id)
    if (session.status !== 'open') {
      const message = `Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a status of ${session.status}.`
      throw refusedByState(undefined, message)
    }
    return end(session)
  }

  function end(session: Stripe.Checkout.Session): Stripe.Checkout.Session {
    Object.assign(session, { status: 'expired', url: null })
    const intent = account.paymentIntents.get(idOf(session.payment_intent) ?? '')
    if (intent && intent.status !== 'canceled') payments.cancel(intent, 'abandoned')
    events.emit('checkout.session.expired', session)
    return session
  }

  /** The payment of an open session, made at its first attempt. */
  function intentOf(session: Stripe.Checkout.Session): Stripe.PaymentIntent {
    const known = account.paymentIntents.get(idOf(session.payment_intent) ?? '')
    if (known) return known
    const intent = payments.create({
      amount: session.amount_total ?? 0,
      currency: session.currency ?? 'eur',
      customer: idOf(session.customer),
      metadata: account.sessionPayments.get(session.id) ?? {},
    })
    session.payment_intent = intent.id
    return intent
  }

  function complete(session: Stripe.Checkout.Session): void {
    Object.assign(session, { status: 'complete', payment_status: 'paid', url: null })
    events.emit('checkout.session.completed', session)
  }

  return { create, find, expire, intentOf, complete }
}

function totalOf(parameters: Parameters): { amount: number; currency: string } {
  const items = Object.values(parameters.line_items ?? {}).map((item) => fieldsIn(item) ?? {})
  const [first] = items
  if (!first) throw invalidParameter('parameter_missing', 'line_items', 'Missing required param: line_items.')
  const amounts = items.map((item) => {
    const price = record(item, 'price_data')
    requiredText(record(price, 'product_data'), 'name')
    return (integer(price, 'unit_amount') ?? 0) * (integer(item, 'quantity') ?? 1)
  })
  const amount = amounts.reduce((sum, each) => sum + each, 0)
  if (amount < 50) throw invalidParameter('amount_too_small', 'line_items', 'The amount is too small.')
  return { amount, currency: requiredText(record(first, 'price_data'), 'currency') }
}
