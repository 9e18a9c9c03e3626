import { expect, test } from 'vitest'
import type { SecurityLog } from '../../../db/connection/schema.ts'
import { nothingChanged, openCatalogue } from '../../harness/catalogue.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'

const harness = await shareStack()
const { sync, packageRow, operatorTasks } = await openCatalogue(harness)

const setProviderPrice = (packageCode: string, price: number) =>
  harness.sims.esimAccess.do('price', { packageCode, price })
const setPrice = (code: string, minor: unknown, currency = 'EUR') =>
  harness.operator.put(`/v1/packages/${code}/price`, { minor, currency })

test('a changed cost at a provider does not change our price', async () => {
  const before = await packageRow('de-5gb-30d')
  await setProviderPrice('CKH101', 33_000)
  expect((await sync()).changes).toEqual({ ...nothingChanged, offersChanged: 1 })
  expect(await packageRow('de-5gb-30d')).toEqual({
    ...before,
    offers: { 'esim-access': { ...before.offers['esim-access'], cost: 3_300_000 } },
  })
})

test('a package whose cost exceeds its price is taken off sale with an operator task, until the price covers the cost again', async () => {
  await setProviderPrice('CKH102', 160_000)
  expect((await sync()).changes).toEqual({ ...nothingChanged, offersChanged: 1, takenOffSale: 1 })
  expect(await packageRow('de-20gb-30d')).toMatchObject({ onSale: false, price: 1_449 })
  const task = { subject: 'de-20gb-30d', detail: 'price 1449, cost 1472, minor units of EUR' }
  expect(await operatorTasks('package_price')).toEqual([task])
  expect((await sync()).changes).toEqual(nothingChanged)
  const person = await harness.signUp()
  const refused = await harness.service.post('/v1/orders', { accountId: person.accountId, packageCode: 'de-20gb-30d' })
  expect([refused.status, refused.body.code]).toEqual([409, 'package_unavailable'])

  await setProviderPrice('CKH102', 157_500)
  expect((await sync()).changes).toEqual({ ...nothingChanged, offersChanged: 1, putOnSale: 1 })
  expect(await packageRow('de-20gb-30d')).toMatchObject({ onSale: true, price: 1_449 })
  expect(await operatorTasks('package_price')).toEqual([])
})

test('a package is sold while one of its offers costs less than its price', async () => {
  await setProviderPrice('CKH107', 900_000)
  expect((await sync()).changes).toEqual({ ...nothingChanged, offersChanged: 1 })
  expect(await packageRow('es-5gb-30d')).toMatchObject({ onSale: true, price: 549 })
})

test("an operator's price is kept, is logged, and is compared with the cost at once", async () => {
  const raised = expectStatus(await setPrice('it-5gb-30d', 777), 200)
  expect(raised).toMatchObject({ code: 'it-5gb-30d', price: { minor: 777, currency: 'EUR' }, onSale: true })
  await sync()
  expect(await packageRow('it-5gb-30d')).toMatchObject({ price: 777, onSale: true })

  expect(expectStatus(await setPrice('it-5gb-30d', 100), 200)).toMatchObject({ onSale: false })
  expect(await operatorTasks('package_price')).toEqual([
    { subject: 'it-5gb-30d', detail: 'price 100, cost 286, minor units of EUR' },
  ])
  expect(expectStatus(await setPrice('it-5gb-30d', 549), 200)).toMatchObject({ onSale: true })
  expect(await operatorTasks('package_price')).toEqual([])

  const audit = await harness.context.sql<Pick<SecurityLog, 'detail' | 'actor'>[]>`
    select detail, actor from security_log where detail like 'price of it-5gb-30d%' order by at`
  expect(audit.map(({ detail }) => detail)).toEqual([
    'price of it-5gb-30d: 549 EUR > 777 EUR',
    'price of it-5gb-30d: 777 EUR > 100 EUR',
    'price of it-5gb-30d: 100 EUR > 549 EUR',
  ])
  expect(audit.every(({ actor }) => /^operator:/.test(actor))).toBe(true)
})

test.each([
  ['nothing', 0, 'EUR', 'minor'],
  ['less than nothing', -5, 'EUR', 'minor'],
  ['a fraction', 4.99, 'EUR', 'minor'],
  ['more than can be paid', 10 ** 9, 'EUR', 'minor'],
  ['text', '499', 'EUR', 'minor'],
  ["another currency than the shop's", 499, 'USD', 'currency'],
])('%s is refused as a price', async (_what, minor, currency, field) => {
  const answer = await setPrice('it-1gb-7d', minor, currency)
  expect([answer.status, answer.body.errors[0].field]).toEqual([400, field])
  expect(await packageRow('it-1gb-7d')).toMatchObject({ price: 199 })
})

test('only operators can set prices and start a sync, and only of packages that exist', async () => {
  expect((await setPrice('xx-1gb-7d', 499)).status).toBe(404)
  for (const [caller, status] of [
    [harness.service, 403],
    [harness.anonymous, 401],
  ] as const) {
    expect((await caller.put('/v1/packages/it-1gb-7d/price', { minor: 499, currency: 'EUR' })).status).toBe(status)
    expect((await caller.post('/v1/packages/sync')).status).toBe(status)
  }
})

test('prices that operators set during a sync are neither lost nor delayed', async () => {
  const codes = ['jp-5gb-30d', 'jp-10gb-30d', 'jp-1gb-7d', 'th-3gb-15d', 'th-15gb-30d']
  const syncs = Promise.all(Array.from({ length: 3 }, () => sync()))
  const answers = await Promise.all(codes.map((code, index) => setPrice(code, 20_000 + index)))
  await syncs
  expect(answers.map(({ status }) => status)).toEqual(codes.map(() => 200))
  const rows = await Promise.all(codes.map(packageRow))
  expect(rows.map(({ price, onSale }) => [price, onSale])).toEqual(codes.map((_, index) => [20_000 + index, true]))
})
