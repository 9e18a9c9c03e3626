/** API and worker are ready only where database and Temporal have what this build needs. */
import { randomBytes } from 'node:crypto'
import { createServer, type RequestListener } from 'node:http'
import { isDeepStrictEqual } from 'node:util'
import { Client, Connection } from '@temporalio/client'
import { msToTs } from '@temporalio/common/lib/time.js'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { z } from 'zod'
import { createApi } from '../../api/server.ts'
import { createFieldCipher, type Keyring } from '../../db/crypto/field-cipher.ts'
import { wrongKeys } from '../../db/crypto/wrong-keys.ts'
import { searchAttributeTypes } from '../../dev/temporal/search-attribute-types.ts'
import { startTemporal } from '../../dev/temporal/temporal.ts'
import { namespaceIsComplete } from '../../dev/temporal/web-ui.ts'
import { createMetrics } from '../../shared/metrics.ts'
import { listenOn } from '../../shared/process/listen.ts'
import { prepareNamespace, readNamespace, retyping } from '../../temporal/namespace.ts'
import { assertTemporalReady } from '../../temporal/readiness.ts'
import { describeQueues, isPolling, secondsWaited } from '../../temporal/task-queue.ts'
import { untilUsable } from '../../worker/readiness.ts'
import { openHarness } from '../harness/harness.ts'
import { until } from '../harness/until.ts'

const harness = await openHarness()
const { sql } = harness.context
const [workerUrl = ''] = harness.urls.workerMetrics
const indexKey = Buffer.from(harness.context.config.INDEX_KEY, 'base64')

const server = await startTemporal({ namespace: 'bare', searchAttributes: searchAttributeTypes, uiPort: 0 })
const connection = await Connection.connect({ address: server.address })
afterAll(async () => {
  await connection.close()
  await server.stop()
})

async function serve(listener: RequestListener): Promise<string> {
  const answering = createServer(listener)
  onTestFinished(() => void answering.close())
  return `http://127.0.0.1:${await listenOn(answering, 0, '127.0.0.1')}`
}

const ready = async (url = harness.urls.api) =>
  z.looseObject({ checks: z.looseObject({}) }).parse(await (await fetch(`${url}/readyz`)).json())
const workerStatus = async () => (await fetch(`${workerUrl}/readyz`)).status

test('a database that lacks a migration, or was never migrated, makes API and worker unready', async () => {
  expect(await ready()).toEqual({
    status: 'ready',
    checks: { database: 'ok', migrations: 'ok', temporal: 'ok', restore: 'ok', keys: 'ok', workers: 'ok' },
  })
  expect(await workerStatus()).toBe(200)
  const [last] = await sql<{ name: string; applied_at: Date }[]>`
    delete from migrations where name = (select max(name) from migrations) returning *`
  const unready = {
    status: 'not_ready',
    checks: { database: 'ok', migrations: 'failed', temporal: 'ok', restore: 'ok', keys: 'ok', workers: 'ok' },
  }
  await until('the API says so', async () => isDeepStrictEqual(await ready(), unready))
  expect(await workerStatus()).toBe(503)
  await sql`insert into migrations ${sql(last ?? { name: '', applied_at: new Date() })}`
  await sql`alter table migrations rename to hidden`
  await until('the API says so', async () => isDeepStrictEqual(await ready(), unready))
  expect(await workerStatus()).toBe(503)
  await sql`alter table hidden rename to migrations`
  await until('both are ready', async () => (await workerStatus()) === 200 && (await ready()).checks)
})

test('what no worker takes has waited for as long as the oldest of it, also where the workers’ own figures are of none', {
  tags: 'long',
}, async () => {
  const client = new Client({ connection, namespace: 'bare' })
  const taskQueue = 'nobody-works-here'
  expect(await secondsWaited(client, taskQueue, 5_000)).toEqual({ workflow: 0, activity: 0 })
  await client.workflow.start('unheard', { taskQueue, workflowId: 'waits' })
  await until('it has waited', async () => (await secondsWaited(client, taskQueue, 5_000)).workflow > 0.5)
  const config = { ...harness.context.config, TEMPORAL_TASK_QUEUE: taskQueue }
  const running = await createApi({ ...harness.context, config, metrics: createMetrics(), temporal: client }).listen(0)
  const headers = { authorization: `Bearer ${harness.keys.operator}` }
  const scraped = await (await fetch(`${running.url}/metrics`, { headers })).text()
  expect(scraped).toMatch(/^ama_task_waiting_oldest_seconds\{task="workflow"\} (?!0$)\d/m)
  expect(scraped).toMatch(/^ama_task_waiting_oldest_seconds\{task="activity"\} 0$/m)
  await running.stop({ drainMs: 1_000 })
  const { text } = await harness.operator.get('/metrics')
  for (const task of ['workflow', 'activity'])
    expect(text).toMatch(new RegExp(`^ama_task_waiting_oldest_seconds\\{task="${task}"\\} \\d`, 'm'))
})

test('a worker is ready while Temporal sees it poll for workflow tasks and for activities', async () => {
  const { temporal } = harness.stack
  const queue = harness.context.config.TEMPORAL_TASK_QUEUE
  const [workflowTasks, activities] = await describeQueues(temporal, queue)
  const identity = workflowTasks?.pollers?.[0]?.identity ?? ''
  expect(activities?.pollers?.map((poller) => poller.identity)).toContain(identity)
  expect(await isPolling(temporal, queue, identity)).toBe(true)
  expect(await isPolling(temporal, queue, 'another worker')).toBe(false)
  expect(await isPolling(temporal, 'another queue', identity)).toBe(false)
})

test.each([
  ['INDEX_KEY', (own: Keyring) => createFieldCipher(own, randomBytes(32))],
  [
    'FIELD_KEYS',
    (own: Keyring) => createFieldCipher({ ...own, keys: new Map([[own.activeId, randomBytes(32)]]) }, indexKey),
  ],
])('API and worker with the %s of another database are not ready, and take nothing', async (setting, cipherOf) => {
  const { context, stack } = harness
  await harness.signUp()
  expect(await wrongKeys(sql, context.cipher)).toEqual([])
  const cipher = cipherOf(context.config.FIELD_KEYS)
  expect(await wrongKeys(sql, cipher)).toEqual([setting])
  const running = await createApi({ ...context, cipher, metrics: createMetrics(), temporal: stack.temporal }).listen(0)
  expect(await ready(running.url)).toMatchObject({ status: 'not_ready', checks: { database: 'ok', keys: 'failed' } })
  const refused = await fetch(`${running.url}/v1/packages`)
  expect([refused.status, refused.headers.has('retry-after')]).toEqual([503, true])
  expect((await fetch(`${running.url}/livez`)).status).toBe(200)
  await running.stop({ drainMs: 1_000 })

  // It waits until it is stopped, and says why.
  const stopping = new AbortController()
  const log = Object.assign(Object.create(context.log), { error: () => stopping.abort() })
  await untilUsable({ ...context, cipher, log, temporal: stack.temporal }, stopping.signal)
  expect(stopping.signal.aborted).toBe(true)
})

test('a key that was taken away too early closes nothing to the people of the others', async () => {
  const { cipher } = harness.context
  await harness.signUp()
  const undone = new Error('undone')
  const rows = await sql
    .begin(async (tx) => {
      for (let at = 0; at < 5; at += 1)
        await tx`insert into data_keys (account_id, kek_id, wrapped_key) values (${`00000000-0000-4000-8000-00000000000${at}`}, 'gone', '\\x00')`
      await tx`update data_keys set kek_id = 'gone'`
      const own = cipher.newDataKey('ffffffff-ffff-4fff-bfff-ffffffffffff')
      await tx`insert into data_keys (account_id, kek_id, wrapped_key) values (${own.accountId}, ${own.kekId}, ${own.wrapped})`
      expect(await wrongKeys(tx, cipher)).toEqual([])
      throw undone
    })
    .catch((error: unknown) => {
      if (error !== undone) throw error
    })
  expect(rows).toBeUndefined()
})

test('an API is ready only while workers poll, and says to a load balancer that it serves all the same', async () => {
  const { context, stack } = harness
  const config = { ...context.config, TEMPORAL_TASK_QUEUE: 'a queue without workers' }
  const running = await createApi({ ...context, config, metrics: createMetrics(), temporal: stack.temporal }).listen(0)
  const ask = async (url: string, query = '') => {
    const answer = await fetch(`${url}/readyz${query}`)
    return [answer.status, await answer.json()]
  }
  const checks = { database: 'ok', migrations: 'ok', temporal: 'ok', restore: 'ok', keys: 'ok' }
  const without = { ...checks, workers: 'failed' }
  expect(await ask(running.url)).toEqual([503, { status: 'not_ready', checks: without }])
  expect(await ask(running.url, '?exclude=workers')).toEqual([200, { status: 'ready', checks: without }])
  await until('the workers poll', async () => (await ask(harness.urls.api))[0] === 200)
  for (const query of ['', '?exclude=workers'])
    expect(await ask(harness.urls.api, query)).toEqual([200, { status: 'ready', checks: { ...checks, workers: 'ok' } }])
  expect((await ask(harness.urls.api, '?exclude=database'))[0]).toBe(400)
  await running.stop({ drainMs: 1_000 })
})

test('the Web UI of the embedded server tells whether a namespace has what it needs', async () => {
  const { uiUrl = '' } = server
  const isComplete = (namespace: string, searchAttributes: Record<string, string>) =>
    namespaceIsComplete(uiUrl, { namespace, searchAttributes })
  expect(await isComplete('bare', searchAttributeTypes)).toBe(true)
  expect(await isComplete('bare', { ...searchAttributeTypes, Another: 'Keyword' })).toBe(false)
  expect(await isComplete('another', {})).toBe(false)
  const keepFor = (days: number) =>
    connection.workflowService.updateNamespace({
      namespace: 'bare',
      config: { workflowExecutionRetentionTtl: msToTs(`${days} days`) },
    })
  await keepFor(1)
  expect(await isComplete('bare', searchAttributeTypes)).toBe(false)
  await keepFor(7)
  expect(await isComplete('bare', searchAttributeTypes)).toBe(true)
})

test.each([
  [404, '{}'],
  [200, 'a page'],
  [200, '{"config":{}}'],
])('a Web UI that answers with %i and %s tells nothing', async (status, body) => {
  const url = await serve((_request, response) => void response.writeHead(status).end(body))
  expect(await namespaceIsComplete(url, { namespace: 'bare' })).toBe(false)
})

test('a Web UI without its server, or without an answer, is asked again', async () => {
  const unavailable = await serve((_request, response) => void response.writeHead(503).end('{}'))
  await expect(namespaceIsComplete(unavailable, { namespace: 'bare' })).rejects.toThrow('the Web UI answers 503')
  const silent = await serve((request) => void request.destroy())
  await expect(namespaceIsComplete(silent, { namespace: 'bare' })).rejects.toThrow('socket hang up')
})

test('a Temporal service that lacks the namespace or a search attribute is not ready', async () => {
  const client = (namespace: string) => new Client({ connection, namespace })
  await assertTemporalReady(client('bare'), 5_000)
  await expect(assertTemporalReady(client('another'), 5_000)).rejects.toThrow()
  for (const name of ['DueAt', 'AccountRef']) {
    await connection.operatorService.removeSearchAttributes({ namespace: 'bare', searchAttributes: [name] })
    await until(`${name} is missed`, () =>
      assertTemporalReady(client('bare'), 5_000).then(
        () => false,
        () => true,
      ),
    )
  }
})

test('a search attribute of another type, which nobody can change, is named with what helps', async () => {
  const namespace = 'mistyped'
  const other = await startTemporal({ namespace, searchAttributes: { ...searchAttributeTypes, DueAt: 'Keyword' } })
  onTestFinished(() => other.stop())
  const client = new Client({ connection: await Connection.connect({ address: other.address }), namespace })
  expect((await readNamespace(client)).mistyped).toEqual(['DueAt (must be DATETIME)'])
  await expect(prepareNamespace(client)).rejects.toThrow(retyping)
})
