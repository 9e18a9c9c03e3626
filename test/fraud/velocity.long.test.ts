/**
 * U5: fraud is prevented. Purchases of frequent buyers are counted over accounts, also over deleted ones, by rows that
 * lead to nobody.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { VelocityCounts } from '../../db/connection/schema.ts'
import { mostBought, velocityKeys } from '../../db/order/velocity.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { costMinor } from '../../policy/pricing.ts'
import { plusMs } from '../../shared/calendar.ts'
import { housekeepingType } from '../../workflows/housekeeping/housekeeping.contract.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import type { Person } from '../harness/people.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { testPackages } from '../harness/test-packages.ts'

// The file changes a price and the time of counts; the books of erased customers name no order.
const harness = await shareStack({ books: false })
const { sql, cipher } = harness.context
const { maxOrders, maxGrossUsdMicros } = periods.velocity
const packageCode = testPackages.onlyEsimAccess

/** Buys `count` orders, one after the other. */
async function buyMany(person: Person, count: number, pay: Record<string, unknown> = {}): Promise<void> {
  for (let bought = 0; bought < count; bought += 1) await harness.buy(person, { packageCode, pay })
}

/** The reason of a review, as operators see it; undefined when the order is delivered. */
async function heldFor(person: Person, pay: Record<string, unknown> = {}, wanted: string = packageCode) {
  const order = await harness.buy(person, { packageCode: wanted, pay, until: ['delivered', 'in_review'] })
  const seen = (await harness.operator.get(`/v1/orders/${order.id}`)).body
  return seen.status === 'in_review' ? seen.reason : undefined
}

const counts = (): Promise<VelocityCounts[]> => sql<VelocityCounts[]>`select * from velocity_counts`

test('U5: orders of a deleted account count for a new account with the same card', async () => {
  const fingerprint = randomUUID()
  const first = await harness.signUp()
  await buyMany(first, maxOrders, { fingerprint })
  await deleteAccount(harness.stack, first)
  const again = await harness.signUp()
  expect(await heldFor(again, { fingerprint })).toBe('velocity_across_accounts')
  // Another card of the same new account is counted apart.
  expect(await heldFor(again, { fingerprint: randomUUID() })).toBeUndefined()
})

test('U5: orders of a deleted account count for a new account with the same device or address', async () => {
  const first = await harness.signUp()
  await buyMany(first, maxOrders)
  await deleteAccount(harness.stack, first)

  const sameDevice = await harness.signUp({ device: false })
  const device = { platform: 'ios', osVersion: '18.1' }
  const path = `/v1/accounts/${sameDevice.accountId}/devices/${first.deviceId}`
  expect((await sameDevice.caller.put(path, device)).status).toBe(200)
  expect(await heldFor(sameDevice)).toBe('velocity_across_accounts')

  const sameAddress = await harness.signUp({ account: { email: first.email.toUpperCase() } })
  expect(await heldFor(sameAddress)).toBe('velocity_across_accounts')
  expect(await heldFor(await harness.signUp())).toBeUndefined()
})

test('of orders by one card, paid in the same moment by several accounts, what exceeds the daily number is held', async () => {
  const fingerprint = randomUUID()
  const people = await Promise.all(Array.from({ length: 4 }, () => harness.signUp()))
  const orders = await Promise.all(
    Array.from({ length: maxOrders + 4 }, (_each, index) => {
      const person = people[index % people.length]
      if (!person) throw new Error('nobody is there')
      return harness.buy(person, { packageCode, pay: false })
    }),
  )
  await Promise.all(orders.map(({ id }) => harness.sims.stripe.do('pay', { orderId: id, fingerprint })))
  const settled = await Promise.all(orders.map(({ id }) => harness.untilOrder(id, ['delivered', 'in_review'])))
  expect(settled.filter(({ status }) => status === 'in_review')).toHaveLength(4)
})

test('a purchase is counted once, whatever its webhook does, and an amount over accounts is held', async () => {
  const fingerprint = randomUUID()
  const exchange = {
    currency: harness.config.SHOP_CURRENCY,
    ratePerUsdMicros: harness.config.SHOP_RATE_PER_USD_MICROS,
  }
  const priceMinor = Math.floor(costMinor(maxGrossUsdMicros, exchange) / 2)
  await sql`update packages set price_minor = ${priceMinor} where code = ${testPackages.onlyAiralo}`
  await harness.sims.stripe.do('webhooks', { copies: 3 })
  const [first, second, third] = [await harness.signUp(), await harness.signUp(), await harness.signUp()]
  expect(await heldFor(first, { fingerprint }, testPackages.onlyAiralo)).toBeUndefined()
  await harness.sims.stripe.do('webhooks', { copies: 1 })
  const keys = await velocityKeys(sql, cipher, { accountId: first.accountId, cardFingerprint: fingerprint })
  expect(keys.map(({ kind }) => kind).sort()).toEqual(['address', 'card', 'device'])
  const aDayAgo = plusMs(new Date(), -milliseconds.day)
  const { lately: bought } = await mostBought(sql, keys, { lately: aDayAgo, longAgo: aDayAgo })
  expect(bought.orders).toBe(1)
  expect(Math.abs(bought.grossMinor - priceMinor)).toBeLessThanOrEqual(500)
  await deleteAccount(harness.stack, first)
  expect(await heldFor(second, { fingerprint }, testPackages.onlyAiralo)).toBeUndefined()
  expect(await heldFor(third, { fingerprint }, testPackages.onlyAiralo)).toBe('velocity_across_accounts')
})

test('daily limits of purchases start anew a day later, and the limits of 30 days go on', async () => {
  const fingerprint = randomUUID()
  const person = await harness.signUp()
  await buyMany(person, maxOrders, { fingerprint })
  const other = await harness.signUp()
  const keys = await velocityKeys(sql, cipher, { accountId: person.accountId, cardFingerprint: fingerprint })
  const hashes = keys.map(({ hash }) => hash.toString('hex'))
  await sql`update velocity_counts set hour = hour - interval '26 hours' where encode(hash, 'hex') = any(${hashes})`
  expect(await heldFor(other, { fingerprint })).toBeUndefined()
  const { maxOrders: most } = periods.velocityAcrossAccounts
  await sql`update velocity_counts set orders = ${most} where encode(hash, 'hex') = any(${hashes}) and kind = 'card'
    and hour < now() - interval '25 hours'`
  expect(await heldFor(other, { fingerprint })).toBe('velocity_across_accounts')
})

test('no count of purchases leads to a person: its hash, time and amount are in no other row, also with the key of the database’s indexes', async () => {
  const fingerprint = randomUUID()
  const person = await harness.signUp()
  await buyMany(person, 1, { fingerprint })
  const rows = await counts()
  expect(rows).not.toHaveLength(0)
  for (const { hour, gross_minor } of rows) {
    expect(hour.getTime() % milliseconds.hour).toBe(0)
    expect(gross_minor % 1_000n).toBe(0n)
  }
  const indexes = await sql<{ hash: Buffer }[]>`
    select email_index as hash from accounts union all select device_index from devices`
  const known = new Set(indexes.map(({ hash }) => hash.toString('hex')))
  expect(rows.filter(({ hash }) => known.has(hash.toString('hex')))).toEqual([])
  const said = JSON.stringify(
    rows.map((row) => ({ ...row, gross_minor: String(row.gross_minor), hash: row.hash.toString('hex') })),
  )
  for (const datum of [person.accountId, person.email, person.deviceId, fingerprint]) expect(said).not.toContain(datum)
})

test('housekeeping deletes a count before it is thirty days old, and the figure says so', async () => {
  await sql`update velocity_counts set hour = hour - interval '28 days', expires_at = expires_at - interval '28 days'`
  const before = await counts()
  expect(before.length).toBeGreaterThan(0)
  const figureOf = async () => {
    const { promises } = (await harness.operator.get('/v1/promises')).body
    const { figures } = promises.find(({ id }: { id: string }) => id === 'U5')
    return figures.find(({ name }: { name: string }) => name === 'oldest_velocity_count')
  }
  expect((await figureOf()).value).toBeGreaterThanOrEqual(28)
  await runLater(harness.stack, housekeepingType, 2)
  expect(await counts()).toEqual([])
})
