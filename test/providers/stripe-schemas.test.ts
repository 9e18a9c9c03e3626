/** Answers of sim/stripe, against an extract of the schemas that Stripe publishes: fixtures/stripe-schemas.json. */
import { readFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ControlOf, controlOf } from '../../sim/control.ts'
import { startStripe } from '../../sim/stripe.ts'

const secretKey = 'sk_test_planted'
const preview = { 'stripe-version': '2026-06-24.preview' }

/** Fields of the SDK's types of 2026-10-28.endive that the extract's older version has not. */
const newer: Record<string, string[]> = {
  charge: ['source'],
  'checkout.session': ['allowed_payment_method_types'],
  dispute: ['intended_submission_method'],
  dispute_evidence_details: ['submission_method'],
  payment_intent: ['payment_record', 'source'],
  payment_method_details_card: ['electronic_commerce_indicator'],
}

interface Definitions {
  $defs: Record<string, { properties: Record<string, object> }>
}

// biome-ignore lint/suspicious/noExplicitAny: any object of Stripe
type Answer = any

let simulator: Awaited<ReturnType<typeof startStripe>>
let sim: ControlOf<typeof startStripe>
let faultsOf: (answer: Answer) => string[]
const checked = new Set<string>()

beforeAll(async () => {
  simulator = await startStripe({ secretKey, webhookSecret: 'whsec_planted' })
  sim = controlOf(simulator)
  const file = new URL('./fixtures/stripe-schemas.json', import.meta.url)
  const schemas: Definitions = JSON.parse(await readFile(file, 'utf8'))
  for (const [name, fields] of Object.entries(newer)) {
    const { properties } = schemas.$defs[name] ?? { properties: {} }
    for (const field of fields) {
      expect(properties).not.toHaveProperty([field])
      properties[field] = {}
    }
  }
  const ajv = new Ajv2020({ strict: false, allErrors: true }).addSchema(schemas, 'stripe')
  const check = (name: string, object: Answer): string[] => {
    checked.add(name)
    const validate = ajv.getSchema(`stripe#/$defs/${name}`)
    if (!validate) return [`no schema of ${name}`]
    if (validate(object)) return []
    return (validate.errors ?? []).map((error) => `${name}${error.instancePath}: ${ajv.errorsText([error])}`)
  }
  faultsOf = (answer) => {
    if (answer.error) return check('error', answer)
    if (answer.object === 'list') return answer.data.flatMap(faultsOf)
    if (answer.deleted) return check(`deleted_${answer.object}`, answer)
    const own = check(answer.object, answer)
    return answer.object === 'event' ? [...own, ...faultsOf(answer.data.object)] : own
  }
})

afterAll(() => simulator.stop())

/** Asks the simulator, and holds its answer against the schemas. */
async function ask(method: string, path: string, body?: string, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await fetch(`${simulator.url}/v1/${path}`, {
    method,
    headers: {
      authorization: `Bearer ${secretKey}`,
      'content-type': 'application/x-www-form-urlencoded',
      ...headers,
    },
    ...(body !== undefined && { body }),
  })
  const answer = await response.json()
  expect([path, faultsOf(answer)]).toEqual([path, []])
  return answer
}

const newIntent = async (customer?: string): Promise<string> => {
  const ofCustomer = customer ? `&customer=${customer}` : ''
  const body = `amount=990&currency=eur&automatic_payment_methods[enabled]=true&metadata[order_id]=o1${ofCustomer}`
  return (await ask('POST', 'payment_intents', body)).id
}
const newPage = async (customer?: string): Promise<Answer> => {
  const item = 'line_items[0][price_data]'
  const price = `${item}[currency]=eur&${item}[unit_amount]=990&${item}[product_data][name]=data`
  const page = 'mode=payment&success_url=https://a.example/done&allowed_payment_method_types[0]=card&metadata[mark]=m'
  const ofCustomer = customer ? `&customer=${customer}` : ''
  return ask('POST', 'checkout/sessions', `${page}&${price}&line_items[0][quantity]=1${ofCustomer}`)
}
const paidIntent = async (how: Record<string, unknown> = {}): Promise<string> => {
  const paymentIntent = await newIntent()
  await sim.do('pay', { paymentIntent, ...how })
  return paymentIntent
}

test('every object that the Stripe simulator answers has the fields and types of Stripe’s published schemas', async () => {
  const customer = (await ask('POST', 'customers', 'metadata[account_ref]=x')).id
  const enabled = 'components[mobile_payment_element][enabled]=true'
  const feature = 'components[mobile_payment_element][features][payment_method_save]=enabled'
  await ask('POST', 'customer_sessions', `customer=${customer}&${enabled}&${feature}`)
  await newIntent(customer)

  const page = await newPage(customer)
  await fetch(page.url, { method: 'POST', body: 'number=4242424242424242', redirect: 'manual' })
  const paid = await ask('GET', `checkout/sessions/${page.id}`)
  expect(paid).toMatchObject({ status: 'complete', payment_status: 'paid' })
  const ended = (await newPage()).id
  expect((await ask('POST', `checkout/sessions/${ended}/expire`, '')).status).toBe('expired')
  const { card } = await sim.do('save-card', { paymentIntent: paid.payment_intent })
  expect((await ask('GET', `customers/${customer}/payment_methods?type=card`)).data).toHaveLength(1)
  await ask('GET', `payment_methods/${card}`)
  expect((await ask('POST', `payment_methods/${card}/detach`, '')).customer).toBeNull()

  for (const method of ['card', 'apple_pay', 'google_pay']) await paidIntent({ method, riskScore: 10 })
  for (const action of ['fail-payment', 'require-action', 'process'] as const) {
    const paymentIntent = await newIntent()
    await sim.do(action, { paymentIntent })
    await ask('GET', `payment_intents/${paymentIntent}`)
  }
  const cancelled = await newIntent()
  await ask('POST', `payment_intents/${cancelled}/cancel`, 'cancellation_reason=abandoned')

  const refunded = await paidIntent()
  const part = `payment_intent=${refunded}&amount=100`
  await ask('POST', 'refunds', `${part}&metadata[refund_key]=k&reason=requested_by_customer`)
  await sim.do('pending-refunds', { enabled: true })
  const pending = await ask('POST', 'refunds', part)
  await sim.do('fail-refund', { refund: pending.id })

  for (const inquiry of [false, true]) {
    const paymentIntent = await paidIntent()
    await sim.do('warn-fraud', { paymentIntent, fraudType: 'misc', withIntent: inquiry })
    const { dispute } = await sim.do('open-dispute', { paymentIntent, reason: 'fraudulent', inquiry })
    await ask('POST', `disputes/${dispute}`, 'evidence[uncategorized_text]=x&submit=false')
    await sim.do('close-dispute', { dispute, outcome: inquiry ? 'won' : 'lost' })
  }
  await sim.do('clock', { advanceSeconds: 3 * 86_400 })
  await sim.do('pay-out', { currency: 'eur' })
  for (const list of ['payment_intents', 'charges', 'refunds', 'disputes', 'events', 'radar/early_fraud_warnings']) {
    expect((await ask('GET', `${list}?limit=100`)).data.length, list).toBeGreaterThan(0)
  }
  for (const list of ['balance_transactions', 'payouts', 'checkout/sessions']) {
    expect((await ask('GET', `${list}?limit=100`)).data.length, list).toBeGreaterThan(0)
  }
  await ask('GET', 'balance')
  await ask('GET', `payment_intents/${refunded}?expand[]=latest_charge`)
  await ask('DELETE', `customers/${customer}`)
  await ask('GET', `customers/${customer}`)

  const objects = `objects[payment_intents][0]=${refunded}&objects[customers][0]=cus_unknown`
  const { id } = await ask('POST', 'privacy/redaction_jobs', `${objects}&validation_behavior=error`, preview)
  expect(await ask('GET', `privacy/redaction_jobs/${id}`, undefined, preview)).toMatchObject({ status: 'failed' })
  const { data } = await ask('GET', `privacy/redaction_jobs/${id}/validation_errors`, undefined, preview)
  expect(data).toHaveLength(2)

  expect([...checked].sort()).toEqual([
    'balance',
    'balance_transaction',
    'charge',
    'checkout.session',
    'customer',
    'customer_session',
    'deleted_customer',
    'dispute',
    'event',
    'payment_intent',
    'payment_method',
    'payout',
    'privacy.redaction_job',
    'privacy.redaction_job_validation_error',
    'radar.early_fraud_warning',
    'refund',
  ])
})

test('every refusal of the Stripe simulator is Stripe’s error object', async () => {
  const paid = await paidIntent()
  const refusals = [
    await ask('GET', 'payment_intents/pi_unknown'),
    await ask('GET', 'nothing/of/this/kind'),
    await ask('GET', 'charges', undefined, { authorization: 'Bearer wrong' }),
    await ask('POST', 'refunds', `payment_intent=${paid}&amount=10000`),
    await ask('POST', 'refunds', `payment_intent=${paid}&colour=red`),
    await ask('POST', `payment_intents/${paid}/cancel`, ''),
  ]
  await sim.do('misbehave-next', { path: 'charges', status: 500 })
  refusals.push(await ask('GET', 'charges'))
  expect(refusals.map(({ error }) => error.type)).toEqual([...Array(6).fill('invalid_request_error'), 'api_error'])
})

test('an answer that lacks a field, or has one that Stripe does not name, is noticed', async () => {
  const charge = (await ask('GET', 'charges')).data[0] ?? (await ask('GET', `payment_intents/${await paidIntent()}`))
  const { livemode: _livemode, ...lacking } = charge
  expect(faultsOf(lacking)).toHaveLength(1)
  expect(faultsOf({ ...charge, colour: 'red' })).toHaveLength(1)
})
