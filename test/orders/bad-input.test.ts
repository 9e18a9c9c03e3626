/**
 * C7: we keep nothing but the data that the policy names. An invalid order is refused with the field and the reason,
 * and nothing of it is stored.
 */
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import { shareStack } from '../harness/harness.ts'
import type { OrderView } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.stack.context
const person = await harness.signUp()
const requested = { accountId: person.accountId, packageCode: testPackages.anyProvider, quantity: 1 }
const nobody = randomUUID()
let delivered: OrderView
let open: OrderView
const post = (body: unknown, path = '/v1/orders') => person.caller.post(path, body)

beforeAll(async () => {
  open = await harness.buy(person, { pay: false })
  delivered = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  await until('mail and push are out', async () => {
    return (await sql`select 1 from sends where subject_id = ${delivered.id} and state = 'sent'`).length === 2
  })
})

/** The rows of every table except the security log, the payments at Stripe, and the runs of orders. */
async function stored(): Promise<Record<string, number>> {
  const tables = await sql<{ name: string }[]>`
    select table_name as name from information_schema.tables
    where table_schema = 'public' and table_type = 'BASE TABLE' and table_name not like 'security%'`
  const counts: Record<string, number> = {}
  for (const { name } of tables) {
    const [row] = await sql<{ count: number }[]>`select count(*)::int as count from ${sql(name)}`
    counts[name] = row?.count ?? Number.NaN
  }
  const { paymentIntents } = await harness.sims.stripe.state()
  counts.payments = paymentIntents.length
  counts.runs = (await harness.temporal.workflow.count("WorkflowType = 'order'")).count
  return counts
}

async function nothingStored(work: () => Promise<unknown>): Promise<void> {
  const before = await stored()
  await work()
  expect(await stored()).toEqual(before)
}

const partial = { adPersonalization: true }
test.each<[string, unknown[]]>([
  ['quantity', [0, -5, 1e9, 1.5, 11, '1', null, true, [1], {}]],
  ['packageCode', ['', 'A', 'no such', `x${'y'.repeat(80)}`, 7, null, "'; drop table orders --"]],
  ['accountId', ['', 'me', 7, null, `${nobody}x`]],
  ['savedCards', ['yes', null]],
  ['measurement', [true, 'granted']],
  ['measurement.adUserData', [partial]],
  ['measurement.gaid', [{ ...partial, adUserData: true, gaid: 'x' }]],
])('an order with %s of %j is refused, and the problem names the field', async (field, values) => {
  await nothingStored(async () => {
    for (const value of values) {
      const { status, body } = await post({ ...requested, [field.split('.')[0] ?? '']: value })
      const errors = [{ field, reason: expect.any(String) }]
      expect({ value, status, ...body }).toMatchObject({ value, status: 400, code: 'invalid_request', errors })
    }
  })
})

test('an order with unknown fields is refused, and the problem names the fields', async () => {
  const known = JSON.stringify(requested).slice(0, -1)
  await nothingStored(async () => {
    for (const field of 'price amount currency status orderId id esimId parentOrderId email __proto__'.split(' ')) {
      const { status, body } = await post(`${known},${JSON.stringify(field)}:1}`)
      expect([status, body.errors]).toEqual([400, [{ field, reason: 'unknown field' }]])
    }
  })
})

test('an order with numbers that JSON and JavaScript read differently is refused', async () => {
  await nothingStored(async () => {
    for (const text of ['1e400', '-0.5', '1.0000000001', '9007199254740993', 'NaN', '01']) {
      const body = JSON.stringify({ ...requested, quantity: 0 }).replace('"quantity":0', `"quantity":${text}`)
      expect([text, (await post(body)).status]).toEqual([text, 400])
    }
  })
})

test('an order of a missing package, or one that is not for sale, is refused', async () => {
  await nothingStored(async () => {
    expect((await post({ ...requested, packageCode: 'no-such-package' })).body.code).toBe('package_unavailable')
    expect((await post({ ...requested, packageCode: testPackages.topUp })).body.code).toBe('package_unavailable')
    expect((await post({ ...requested, accountId: nobody })).status).toBe(404)
    expect((await harness.service.post('/v1/orders', { ...requested, accountId: nobody })).body.code).toBe(
      'account_missing',
    )
  })
  await sql`update packages set active = false where code = ${testPackages.anyProvider}`
  await nothingStored(async () => expect((await post(requested)).body.code).toBe('package_unavailable'))
  await sql`update packages set active = true where code = ${testPackages.anyProvider}`
})

test('an order for another person, or without credentials, is refused', async () => {
  const otherPerson = await harness.signUp()
  await nothingStored(async () => {
    const callers = [otherPerson.caller, harness.anonymous, harness.operator]
    const answers = await Promise.all(callers.map((caller) => caller.post('/v1/orders', requested)))
    expect(answers.map(({ status }) => status)).toEqual([404, 401, 403])
  })
})

test('a top-up that does not fit an eSIM of a delivered order is refused', async () => {
  const topUp = (id: string, body: unknown) => post(body, `/v1/orders/${id}/top-up`)
  const packageCode = testPackages.topUp
  const esimId = delivered.esims[0].id
  await nothingStored(async () => {
    expect((await topUp(nobody, { packageCode })).status).toBe(404)
    expect((await topUp(open.id, { packageCode })).body.errors).toMatchObject([{ field: 'esimId' }])
    expect((await topUp(delivered.id, { packageCode, esimId: nobody })).body.errors).toMatchObject([
      { field: 'esimId' },
    ])
    expect((await topUp(delivered.id, { packageCode, quantity: 2 })).body.errors).toMatchObject([{ field: 'quantity' }])
    expect((await topUp(delivered.id, { packageCode: testPackages.anyProvider, esimId })).body.code).toBe(
      'package_unavailable',
    )
    expect((await topUp(delivered.id, {})).body.errors).toMatchObject([{ field: 'packageCode' }])
  })
})

test('unknown actions of an order get 404, and wrong methods 405', async () => {
  await nothingStored(async () => {
    for (const action of ['pay', 'deliver', 'refund2', 'Cancel', 'constructor', '__proto__', 'cancel/all', 'state']) {
      const { status, body } = await post(undefined, `/v1/orders/${open.id}/${action}`)
      expect([action, status, body.code]).toEqual([action, 404, 'not_found'])
    }
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      expect((await person.caller.call(method, `/v1/orders/${open.id}`)).status).toBe(405)
    }
    expect((await person.caller.get(`/v1/orders/${open.id}/cancel`)).status).toBe(405)
  })
  expect((await person.caller.get(`/v1/orders/${open.id}`)).body.status).toBe('awaiting_payment')
})

test.each(['cancel', 'refund', 'resend', 'approve', 'reject'])(
  '%s needs the id of an order, and no other input',
  async (action) => {
    await nothingStored(async () => {
      const by = ['approve', 'reject'].includes(action) ? harness.operator : person.caller
      expect((await by.post(`/v1/orders/${nobody}/${action}`)).status).toBe(404)
      for (const id of ['1', 'x', `${open.id}x`, '%00', '..%2f..']) {
        expect([400, 404]).toContain((await by.post(`/v1/orders/${id}/${action}`)).status)
      }
      const { status, body } = await by.post(`/v1/orders/${delivered.id}/${action}`, { reason: 'x' })
      expect([status, body.errors]).toMatchObject([400, [{ field: 'reason' }]])
      expect((await by.post(`/v1/orders/${delivered.id}/${action}?force=1`)).status).toBe(400)
    })
  },
)

test('lists of orders accept only documented parameters', async () => {
  for (const query of [
    'limit=0',
    'limit=-1',
    'limit=1e9',
    'limit=x',
    'cursor=x',
    'sort=price',
    'accountId=me',
    `status=${'x'.repeat(41)}`,
  ]) {
    const { status, body } = await harness.service.get(`/v1/orders?${query}`)
    expect([query, status, body.code]).toEqual([query, 400, 'invalid_request'])
  }
})

test('any body of an order is accepted or refused, without a 5xx', async () => {
  const field = fc.constantFrom('accountId', 'packageCode', 'quantity', 'savedCards', 'measurement')
  const anything = fc.oneof(
    fc.jsonValue(),
    fc.tuple(field, fc.jsonValue()).map(([name, value]) => ({ ...requested, quantity: 0, [name]: value })),
  )
  await nothingStored(() =>
    fc.assert(
      fc.asyncProperty(anything, async (body) => {
        // The generated value could only correct this fault.
        fc.pre(
          !(
            body instanceof Object &&
            'quantity' in body &&
            Number.isInteger(body.quantity) &&
            Number(body.quantity) > 0
          ),
        )
        const answer = await post(JSON.stringify(body))
        expect(answer.status).toBeGreaterThanOrEqual(400)
        expect(answer.status).toBeLessThan(500)
        expect(answer.headers.get('content-type')).toContain('application/problem+json')
      }),
      { numRuns: 50 },
    ),
  )
})
