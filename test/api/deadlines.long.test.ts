/** Every request is answered in a bounded time, and what was applied nevertheless is found by its repetition. */
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerWithin, defaultAnswering } from '../../api/http/answering.ts'
import type { Route } from '../../api/http/route.ts'
import { connectDatabase, type Database, timeLimits } from '../../db/connection/database.ts'
import { runUntil } from '../../shared/deadline.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'
import { until } from '../harness/until.ts'
import { fillHistory } from './export-fixture.ts'

const withinMs = 500
let harness: ApiHarness
let service: string
let operator: string
let other: Database

beforeAll(async () => {
  harness = await startApiHarness({
    answering: { usual: withinMs, webhook: withinMs, probe: withinMs },
    // Nothing of the database's own may end the wait.
    database: { maxConnections: 100, limits: { ...timeLimits.maintenance, stuckAfterMs: Number.POSITIVE_INFINITY } },
  })
  service = await harness.key('service')
  operator = await harness.key('operator')
  other = connectDatabase(harness.postgres.url, { maxConnections: 1, limits: timeLimits.maintenance })
})
afterAll(async () => {
  await other.end()
  await harness.stop()
})

/** Locks tables while `work` runs. */
async function whileLocked(tables: readonly string[], work: () => Promise<void>): Promise<void> {
  await other.begin(async (tx) => {
    await tx`lock table ${tx(tables)} in access exclusive mode`
    await work()
  })
}

const named = ({ method, path }: Route): string => `${method} ${path}`
const id = randomUUID()

test('with every table locked each route answers, and a 503 says when to try again', async () => {
  const tables = await other<{ name: string }[]>`
    select tablename as name from pg_tables where schemaname = 'public'`
  await whileLocked(
    tables.map(({ name }) => name),
    async () => {
      const statuses = new Map<string, number>()
      for (const token of [undefined, service, operator]) {
        await Promise.all(
          harness.routes.map(async (route) => {
            const path = route.path.replaceAll(/\{\w+\}/g, id)
            const headers = { 'idempotency-key': randomUUID() }
            const body = ['get', 'head'].includes(route.method) ? {} : { body: {} }
            const answer = await harness.call(route.method.toUpperCase(), path, { token, headers, ...body })
            statuses.set(`${named(route)} ${token?.slice(0, 8) ?? ''}`, answer.status)
            if (answer.status < 500) return
            if (route.path === '/readyz') return
            expect([named(route), answer.status]).toEqual([named(route), 503])
            expect([named(route), answer.headers.get('retry-after')]).toEqual([named(route), '5'])
            if (route.path.startsWith('/v1') && route.method !== 'head')
              expect([named(route), answer.body.code]).toEqual([named(route), 'unavailable'])
          }),
        )
      }
      expect([...statuses.values()].filter((status) => status === 503).length).toBeGreaterThan(50)
      expect((await harness.call('GET', '/livez')).status).toBe(200)
    },
  )
})

test('a sign-up that was answered too late is found by its repetition, and makes one account', async () => {
  const person = newPerson()
  const request = { token: service, body: person, headers: { 'idempotency-key': randomUUID() } }
  await whileLocked(['accounts'], async () => {
    expect((await harness.call('POST', '/v1/accounts', request)).status).toBe(503)
    const line = harness.logged.findLast((each) => each.includes('"route":"/v1/accounts"'))
    expect(JSON.parse(line ?? '{}')).toMatchObject({ problem: 'unavailable', err: { code: 'DEADLINE_PASSED' } })
  })
  const made = await until('it is answered', async () => {
    const answer = await harness.call('POST', '/v1/accounts', request)
    return answer.status === 201 && answer
  })
  expect((await harness.call('POST', '/v1/accounts', request)).body.id).toBe(made.body.id)
  const accounts = await other`select count(*)::int as count from accounts`
  expect(accounts[0]?.count).toBe(1)
})

test('an answer that is written page by page goes on after the limit', async () => {
  const accountId = (await harness.call('POST', '/v1/accounts', { token: service, body: newPerson() })).body.id
  const orders = 20_000
  await fillHistory(harness.api, accountId, orders)
  const { text } = await harness.call('GET', `/v1/accounts/${accountId}/export`, { token: service })
  expect(JSON.parse(text).orders).toHaveLength(orders)
})

test('a request that was answered too late begins nothing more in the database', async () => {
  const { sql } = harness.api
  const late = performance.now() - 1
  const refused = { code: 'DEADLINE_PASSED' }
  await expect(runUntil(late, async () => sql`select 1`)).rejects.toMatchObject(refused)
  await expect(runUntil(late, () => sql.begin((tx) => tx`select 1`))).rejects.toMatchObject(refused)
  expect(await runUntil(performance.now() + 60_000, async () => sql`select 1`)).toHaveLength(1)
})

test('each class of routes has its time limit', () => {
  const limitOf = (path: string) => {
    const found = harness.routes.find((route) => route.path === path)
    return found ? answerWithin(found, defaultAnswering) : undefined
  }
  expect(limitOf('/v1/orders')).toBe(defaultAnswering.usual)
  expect(limitOf('/v1/webhooks/stripe')).toBe(defaultAnswering.webhook)
  expect(limitOf('/metrics')).toBe(defaultAnswering.probe)
  expect(Math.max(...Object.values(defaultAnswering))).toBeLessThan(30_000)
})
