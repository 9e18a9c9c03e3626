/** An answer that never comes is not waited for without end. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import { connectDatabase, type Database, timeLimits } from '../../db/connection/database.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'
import { portOf } from '../../shared/process/listen.ts'
import { until } from '../harness/until.ts'

const server = await startPostgres()
afterAll(() => server.stop())

/** A proxy in front of the database. */
async function openProxy() {
  const target = new URL(server.url)
  const nears = new Map<Socket, { isAsking: boolean }>()
  const fars = new Set<Socket>()
  const is = { deaf: false, closing: false }
  let accepted = 0
  const proxy = createServer((near) => {
    accepted += 1
    near.on('error', () => undefined)
    if (is.closing) return void near.resume().end()
    const state = { isAsking: false }
    const far = connect(Number(target.port), target.hostname)
    nears.set(near, state)
    fars.add(far)
    far.on('error', () => undefined)
    near.on('data', (bytes) => {
      state.isAsking = true
      if (!is.deaf) far.write(bytes)
    })
    far.on('data', (bytes) => {
      state.isAsking = false
      near.write(bytes)
    })
    near.on('close', () => far.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const url = new URL(server.url)
  url.port = String(portOf(proxy))
  return {
    is,
    url: url.href,
    accepted: () => accepted,
    asking: () => [...nears.values()].filter(({ isAsking }) => isAsking).length,
    /** Resets all connections at once, first those on which nobody waits for an answer. */
    reset(): void {
      const ordered = [...nears].sort(([, one], [, other]) => Number(one.isAsking) - Number(other.isAsking))
      for (const [near] of ordered) near.resetAndDestroy()
      nears.clear()
    },
    async stop(): Promise<void> {
      for (const [near] of nears) near.destroy()
      for (const far of fars) far.destroy()
      proxy.close()
      await once(proxy, 'close')
    },
  }
}

let proxy: Awaited<ReturnType<typeof openProxy>>
let sql: Database
beforeEach(async () => {
  proxy = await openProxy()
})
afterEach(async () => {
  await sql.end({ timeout: 0 })
  await proxy.stop()
})

const connectWith = (limits: Partial<typeof timeLimits.api> | object = {}): Database =>
  connectDatabase(proxy.url, { maxConnections: 8, limits: { ...timeLimits.api, ...limits } })

const one = async (): Promise<unknown> => (await sql`select 1 as one`)[0]?.one
const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : error)
const lost = expect.stringMatching(/^(CONNECTION_CLOSED|ECONNRESET|EPIPE)$/)

test('a statement that is sent while its connection is reset fails', async () => {
  sql = connectWith()
  await Promise.all(Array.from({ length: 8 }, () => sql`select pg_sleep(0.05)`))
  const busy = Array.from({ length: 4 }, () => sql`select pg_sleep(10)`)
  const next = busy.map((asked) =>
    asked.then(
      () => 'slept',
      () => one().catch(codeOf),
    ),
  )
  await until('four connections wait for their answer', () => proxy.asking() === 4)
  proxy.reset()
  await Promise.allSettled(busy)
  // Nor does a connection that is opened next answer it, with somebody else's rows.
  for (let times = 0; times < 3; times += 1)
    await Promise.all(Array.from({ length: 8 }, () => sql`select pg_sleep(0.02)`.catch(() => [])))
  const answers = await Promise.all(next)
  expect(answers.filter((answer) => answer !== 1)).toEqual(answers.filter((answer) => answer !== 1).map(() => lost))
  expect(await one()).toBe(1)
})

test.each<[string, (ask: Database) => PromiseLike<unknown>]>([
  ['a statement', (ask) => ask`select 1`],
  ['a transaction', (ask) => ask.begin((tx) => tx`select 1`)],
])('%s whose answer never comes fails, and its connection is not used again', async (_what, work) => {
  sql = connectWith({ statementMs: 500, transactionMs: 100, lateMs: 500 })
  expect(await one()).toBe(1)
  proxy.is.deaf = true
  await expect(Promise.resolve(work(sql))).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  proxy.is.deaf = false
  expect(await one()).toBe(1)
  expect(proxy.accepted()).toBe(2)
})

test('a server that closes each connection at once is not asked without end', { tags: 'long' }, async () => {
  sql = connectWith({ connectMs: 300 })
  proxy.is.closing = true
  await expect(one()).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' })
  const asked = proxy.accepted()
  await expect(one()).rejects.toMatchObject({ code: 'CONNECT_TIMEOUT' })
  expect(proxy.accepted()).toBeGreaterThan(asked)
  proxy.is.closing = false
  expect(await until('it answers again', () => one().catch(() => false))).toBe(1)
})
