/** The account's endpoints. */
import type { Router } from 'express'
import type Stripe from 'stripe'
import { type Account, idOf, newId } from './account.ts'
import { type Collection, found } from './collection.ts'
import { type Confirm, intentOfSecret } from './confirm/confirm.ts'
import { mountPaymentPage } from './confirm/payment-page.ts'
import type { Disputes } from './disputes.ts'
import type { FraudWarnings } from './fraud-warnings.ts'
import { mountHosted } from './hosted/routes.ts'
import type { Sessions } from './hosted/sessions.ts'
import type { Ledger } from './ledger.ts'
import { mountLedger } from './ledger-routes.ts'
import { newCustomer } from './objects.ts'
import { integer, type Parameters, pageRequest, record, requiredText, text, textList, textMap } from './parameters.ts'
import type { Payments } from './payments.ts'
import type { Protocol } from './protocol.ts'
import type { Redactions } from './redaction.ts'
import { mountRedactions } from './redaction-routes.ts'
import type { Refunds } from './refunds.ts'
import { invalidParameter, missing, refusedByState } from './refusal.ts'

export interface Parts {
  account: Account
  protocol: Protocol
  payments: Payments
  refunds: Refunds
  disputes: Disputes
  warnings: FraudWarnings
  redactions: Redactions
  ledger: Ledger
  confirm: Confirm
  sessions: Sessions
}

export const pagination = ['limit', 'starting_after', 'ending_before', 'created']

export function mountRoutes(router: Router, parts: Parts): void {
  mountCustomers(router, parts)
  mountPaymentIntents(router, parts)
  mountRefundsAndCharges(router, parts)
  mountDisputesAndEvents(router, parts)
  mountRedactions(router, parts)
  mountLedger(router, parts)
  mountPaymentPage(router, parts)
  mountHosted(router, parts)
  parts.protocol.otherwise(router)
}

function mountCustomers(router: Router, { account, protocol }: Parts): void {
  const personal = ['address', 'description', 'email', 'name', 'phone', 'shipping']
  protocol.endpoint(router, 'post', '/v1/customers', ['metadata', ...personal], ({ parameters }) => {
    const customer = newCustomer(account.now(), textMap(parameters, 'metadata'))
    for (const field of personal) if (parameters[field]) Object.assign(customer, { [field]: parameters[field] })
    return account.customers.add(customer)
  })
  protocol.endpoint(router, 'get', '/v1/customers/:id', [], ({ id }) => {
    const found = account.deletedCustomers.get(id) ?? account.customers.get(id)
    if (!found) throw missing('customer', id)
    return found
  })
  protocol.endpoint(router, 'delete', '/v1/customers/:id', [], ({ id }) => {
    liveCustomer(account, id)
    const deleted: Stripe.DeletedCustomer = { id, object: 'customer', deleted: true }
    account.deletedCustomers.set(id, deleted)
    for (const card of account.cards.all()) if (idOf(card.customer) === id) card.customer = null
    return deleted
  })
  protocol.endpoint(router, 'post', '/v1/customer_sessions', ['components', 'customer'], ({ parameters }) => {
    const customer = liveCustomer(account, requiredText(parameters, 'customer'), 'customer')
    const components = record(parameters, 'components')
    if (Object.keys(components).length === 0) {
      throw invalidParameter('parameter_missing', 'components', 'Missing required param: components.')
    }
    return {
      object: 'customer_session',
      client_secret: newId('cuss_secret'),
      components: sessionComponents(components),
      created: account.now(),
      customer: customer.id,
      customer_account: null,
      expires_at: account.now() + 1800,
      livemode: false,
    }
  })
}

function mountPaymentIntents(router: Router, { account, protocol, payments, confirm }: Parts): void {
  const reachable = (id: string, parameters: Parameters, isApp: boolean) =>
    isApp
      ? intentOfSecret(account, requiredText(parameters, 'client_secret'))
      : found(account.paymentIntents, 'payment_intent', id)
  const path = '/v1/payment_intents'
  const created = [
    'allowed_payment_method_types',
    'amount',
    'automatic_payment_methods',
    'currency',
    'customer',
    'metadata',
  ]
  protocol.endpoint(router, 'post', path, created, ({ parameters }) => {
    const currency = requiredText(parameters, 'currency')
    if (!/^[a-z]{3}$/.test(currency)) {
      throw invalidParameter('parameter_invalid_string_empty', 'currency', `Invalid currency: ${currency}`)
    }
    requiredText(parameters, 'amount')
    const amount = integer(parameters, 'amount') ?? 0
    if (amount < 50) throw invalidParameter('amount_too_small', 'amount', 'The amount is too small.')
    if (amount > 99_999_999) throw invalidParameter('amount_too_large', 'amount', 'The amount is too large.')
    const customer = text(parameters, 'customer') ?? null
    if (customer) liveCustomer(account, customer, 'customer')
    // docs.stripe.com/changelog/dahlia/2026-07-29/allowed-payment-method-types-parameter
    const areCards = textList(parameters, 'allowed_payment_method_types').includes('card')
    if (areCards && parameters.automatic_payment_methods !== undefined)
      throw invalidParameter(
        'parameters_exclusive',
        'automatic_payment_methods',
        'These parameters exclude one another.',
      )
    return payments.create({ amount, currency, customer, metadata: textMap(parameters, 'metadata'), areCards })
  })
  protocol.endpoint(router, 'get', path, [...pagination, 'customer'], ({ parameters }) =>
    list(path, account.paymentIntents, parameters, ['customer']),
  )
  protocol.endpoint(
    router,
    'get',
    `${path}/:id`,
    ['client_secret'],
    ({ id, parameters, isApp }) => reachable(id, parameters, isApp),
    { forApps: true },
  )
  // docs.stripe.com/api/payment_intents/confirm: an app confirms with its publishable key and the client secret.
  protocol.endpoint(
    router,
    'post',
    `${path}/:id/confirm`,
    ['client_secret', 'payment_method', 'payment_method_data', 'return_url', 'use_stripe_sdk'],
    ({ id, parameters, isApp }) => {
      const card = record(record(parameters, 'payment_method_data'), 'card')
      return confirm(
        reachable(id, parameters, isApp),
        text(parameters, 'payment_method') ?? requiredText(card, 'number'),
      )
    },
    { forApps: true },
  )
  protocol.endpoint(router, 'post', `${path}/:id/cancel`, ['cancellation_reason'], ({ id, parameters }) => {
    const intent = found(account.paymentIntents, 'payment_intent', id)
    // docs.stripe.com/api/payment_intents/cancel. The error has no code.
    if (account.sessions.all().some(({ payment_intent }) => idOf(payment_intent) === id)) {
      const message =
        'You cannot perform this action on PaymentIntents created by Checkout. Try expiring the Checkout Session instead.'
      throw refusedByState(undefined, message)
    }
    return payments.cancel(intent, text(parameters, 'cancellation_reason') ?? null)
  })
}

function mountRefundsAndCharges(router: Router, { account, protocol, refunds }: Parts): void {
  const created = ['amount', 'charge', 'metadata', 'payment_intent', 'reason']
  protocol.endpoint(router, 'post', '/v1/refunds', created, ({ parameters }) => {
    const amount = integer(parameters, 'amount')
    if (amount !== undefined && amount < 1) {
      throw invalidParameter('parameter_invalid_integer', 'amount', 'Invalid positive integer')
    }
    const reason = text(parameters, 'reason')
    if (reason && !['duplicate', 'fraudulent', 'requested_by_customer'].includes(reason)) {
      throw invalidParameter('parameter_unknown', 'reason', 'Invalid reason.')
    }
    const charge = chargeToRefund(account, parameters)
    return refunds.create(charge, { amount, reason, metadata: textMap(parameters, 'metadata') })
  })
  protocol.endpoint(router, 'get', '/v1/refunds', [...pagination, 'charge', 'payment_intent'], ({ parameters }) =>
    list('/v1/refunds', account.refunds, parameters, ['payment_intent', 'charge']),
  )
  const chargeFilters = ['payment_intent', 'customer']
  protocol.endpoint(router, 'get', '/v1/charges', [...pagination, ...chargeFilters], ({ parameters }) =>
    list('/v1/charges', account.charges, parameters, chargeFilters),
  )
  protocol.endpoint(router, 'get', '/v1/charges/:id', [], ({ id }) => found(account.charges, 'charge', id))
}

function mountDisputesAndEvents(router: Router, { account, protocol, disputes }: Parts): void {
  const filters = ['payment_intent', 'charge']
  const isKept = ({ created }: { created: number }) => created >= account.now() - eventsKeptSeconds
  protocol.endpoint(router, 'get', '/v1/disputes', [...pagination, ...filters], ({ parameters }) =>
    list('/v1/disputes', account.disputes, parameters, filters),
  )
  protocol.endpoint(router, 'get', '/v1/disputes/:id', [], ({ id }) => found(account.disputes, 'dispute', id))
  protocol.endpoint(router, 'post', '/v1/disputes/:id', ['evidence', 'submit', 'metadata'], ({ id, parameters }) =>
    disputes.update(
      found(account.disputes, 'dispute', id),
      disputeEvidence(parameters),
      text(parameters, 'submit') !== 'false',
    ),
  )
  protocol.endpoint(router, 'post', '/v1/disputes/:id/close', [], ({ id }) =>
    disputes.decide(found(account.disputes, 'dispute', id), 'lost'),
  )
  protocol.endpoint(router, 'get', '/v1/radar/early_fraud_warnings', [...pagination, ...filters], ({ parameters }) =>
    list('/v1/radar/early_fraud_warnings', account.fraudWarnings, parameters, filters),
  )
  protocol.endpoint(router, 'get', '/v1/radar/early_fraud_warnings/:id', [], ({ id }) =>
    found(account.fraudWarnings, 'early_fraud_warning', id),
  )
  // docs.stripe.com/api/events/list: `types` holds up to 20 names; an event of any of them is listed.
  protocol.endpoint(router, 'get', '/v1/events', [...pagination, 'type', 'types'], ({ parameters }) => {
    const types = textList(parameters, 'types')
    if (types.length > 20) throw invalidParameter(undefined, 'types', 'At most 20 types.')
    const page = list('/v1/events', account.events, parameters, ['type'], (event) => {
      return isKept(event) && (types.length === 0 || types.includes(event.type))
    })
    return { ...page, data: page.data.map((event) => JSON.parse(event.body)) }
  })
  protocol.endpoint(router, 'get', '/v1/events/:id', [], ({ id }) => {
    const event = found(account.events, 'event', id)
    if (!isKept(event)) throw missing('event', id)
    return JSON.parse(event.body)
  })
}

/** docs.stripe.com/api/events: those of the last 30 days. */
const eventsKeptSeconds = 30 * 86_400

/** docs.stripe.com/api/customer_sessions/object names each component, enabled or not. */
function sessionComponents(given: Parameters): Stripe.CustomerSession.Components {
  const enabled = (name: string) => text(record(given, name), 'enabled') === 'true'
  const features = record(record(given, 'mobile_payment_element'), 'features')
  const feature = (name: string) => (text(features, name) === 'enabled' ? 'enabled' : 'disabled')
  return {
    active_entitlements: { enabled: enabled('active_entitlements') },
    buy_button: { enabled: enabled('buy_button') },
    customer_portal: { enabled: enabled('customer_portal') },
    customer_sheet: { enabled: enabled('customer_sheet'), features: null },
    mobile_payment_element: {
      enabled: enabled('mobile_payment_element'),
      features: enabled('mobile_payment_element')
        ? {
            payment_method_allow_redisplay_filters: ['always'],
            payment_method_redisplay: feature('payment_method_redisplay'),
            payment_method_remove: feature('payment_method_remove'),
            payment_method_save: feature('payment_method_save'),
            payment_method_save_allow_redisplay_override: null,
          }
        : null,
    },
    payment_element: { enabled: enabled('payment_element'), features: null },
    pricing_table: { enabled: enabled('pricing_table') },
  }
}

/** The texts of docs.stripe.com/api/disputes/update, with their limits; the simulator keeps no files. */
function disputeEvidence(parameters: Parameters): Record<string, string> {
  const entries = Object.entries(record(parameters, 'evidence')).map(([name, value]) => [name, String(value)] as const)
  const unknown = entries.find(([name]) => !evidenceTexts.includes(name))
  if (unknown) throw invalidParameter('parameter_unknown', `evidence[${unknown[0]}]`, 'Received unknown parameter.')
  const tooLong = entries.find(([, value]) => value.length > 20_000)
  if (tooLong) throw invalidParameter(undefined, `evidence[${tooLong[0]}]`, 'Invalid string: too long.')
  return Object.fromEntries(entries)
}

const evidenceTexts = [
  'access_activity_log',
  'customer_email_address',
  'customer_name',
  'customer_purchase_ip',
  'product_description',
  'refund_policy_disclosure',
  'refund_refusal_explanation',
  'service_date',
  'uncategorized_text',
]

export function list<T extends { id: string; created: number }>(
  url: string,
  collection: Collection<T>,
  parameters: Parameters,
  filters: string[],
  isWanted?: (item: T) => boolean,
) {
  const wanted = Object.fromEntries(filters.map((name) => [name, text(parameters, name)]))
  return { object: 'list', ...collection.page(pageRequest(parameters), wanted, isWanted), url }
}

function liveCustomer(account: Account, id: string, param?: string): Stripe.Customer {
  const customer = account.customers.get(id)
  if (!customer || account.deletedCustomers.has(id)) throw missing('customer', id, param)
  return customer
}

function chargeToRefund(account: Account, parameters: Parameters): Stripe.Charge {
  const direct = text(parameters, 'charge')
  const intent = direct ? undefined : account.paymentIntents.get(requiredText(parameters, 'payment_intent'))
  if (!direct && !intent) throw missing('payment_intent', String(parameters.payment_intent), 'payment_intent')
  const charge = account.charges.get(direct ?? idOf(intent?.latest_charge) ?? '')
  if (direct && !charge) throw missing('charge', direct, 'charge')
  if (!charge?.paid) {
    throw refusedByState('payment_intent_unexpected_state', 'There is no successful charge to refund.')
  }
  return charge
}
