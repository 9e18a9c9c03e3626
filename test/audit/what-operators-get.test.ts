/**
 * An operator needs neither the secrets of a payment nor those of an installation: whoever has an operator key could
 * install everybody's eSIMs. No route that answers an operator with an order has them.
 */
import { beforeAll, expect, test } from 'vitest'
import { readDescribed } from '../harness/api/described.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'

const harness = await shareStack()
const { operator } = harness

/** What the tests below do to a delivered order, and to one in review. */
const ofDelivered = [
  ['GET', '/v1/orders/{id}', undefined],
  ['POST', '/v1/orders/{id}/resend', undefined],
  ['POST', '/v1/orders/{id}/refund', { amount: { minor: 100, currency: 'EUR' } }],
  ['POST', '/v1/orders/{id}/refund', undefined],
] as const
const ofReview = ['approve', 'reject'] as const

interface Secrets {
  payment: unknown
  installUrl: unknown
  esims: unknown
}

async function ask(method: 'GET' | 'POST', path: string, id: string, body?: unknown): Promise<Secrets> {
  const answer = await operator.call(method, path.replace('{id}', id), { body })
  const { payment, installUrl, esims } = expectStatus(answer, 200)
  return { payment, installUrl, esims }
}

const nothing = { payment: null, installUrl: null, esims: [] }
const held = { pay: { riskLevel: 'elevated' }, until: 'in_review' }
let delivered: string
let secret: string

beforeAll(async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  delivered = order.id
  secret = order.esims[0].activationCode
  // Its customer gets them.
  expect([secret, order.installUrl]).toEqual([expect.stringMatching(/^LPA:1\$/), expect.stringContaining('/i/')])
})

test('an order that waits for its payment is shown and cancelled without the secret of its payment', async () => {
  const order = await harness.buy(await harness.signUp(), { pay: false })
  expect(order.payment.paymentIntentClientSecret).toEqual(expect.any(String))
  expect(await ask('GET', '/v1/orders/{id}', order.id)).toEqual(nothing)
  expect(await ask('POST', '/v1/orders/{id}/cancel', order.id)).toEqual(nothing)
})

test.each(ofDelivered)('a delivered order is answered without what installs it: %s %s', async (method, path, body) => {
  expect(await ask(method, path, delivered, body)).toEqual(nothing)
})

test.each(ofReview)('an order in review is answered without secrets: %s', async (act) => {
  const order = await harness.buy(await harness.signUp(), held)
  expect(await ask('POST', `/v1/orders/{id}/${act}`, order.id)).toEqual(nothing)
})

test('each route that answers an operator with an order is among them', async () => {
  const { paths } = await readDescribed(harness.anonymous)
  const found = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, { responses, 'x-callers': callers }]) => {
      const successes = Object.entries(responses).filter(([status]) => status.startsWith('2'))
      const content = JSON.stringify(successes.map(([, success]) => success.content ?? {}))
      const isOrder = callers.includes('operator') && content.includes('"#/components/schemas/Order"')
      return isOrder ? [`${method.toUpperCase()} ${path}`] : []
    }),
  )
  const asked = new Set([
    'POST /v1/orders/{id}/cancel',
    ...ofDelivered.map(([method, path]) => `${method} ${path}`),
    ...ofReview.map((act) => `POST /v1/orders/{id}/${act}`),
    // Their orders are in the tests of disputes.
    ...['submit', 'accept'].map((act) => `POST /v1/orders/{id}/disputes/{disputeId}/${act}`),
  ])
  expect(found.sort()).toEqual([...asked].sort())
})
