/** docs/examples/app-backend.ts sells an eSIM by events alone. */
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { claimPort } from '../../dev/port.ts'
import { portOf } from '../../shared/process/listen.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { eventRetriesWorkflowId } from '../../workflows/events/event-retries.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus, withId } from '../harness/http.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { stack, sims, service } = harness
const file = fileURLToPath(new URL('../../docs/examples/app-backend.ts', import.meta.url))

const stops: (() => void)[] = []
afterEach(async () => {
  for (const stop of stops.splice(0)) stop()
  await harness.context.sql`delete from webhook_endpoints`
})

type Person = Awaited<ReturnType<typeof harness.signUp>>
const withPayment = withId.extend({ payment: z.looseObject({}) })

/** The example as a process, behind a server that can lose what is sent to it. */
async function startExample() {
  const port = await claimPort(0)
  let isLost = false
  const front = createServer(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    if (isLost) return void response.writeHead(503).end()
    const headers = Object.entries(request.headers).flatMap(([name, value]): [string, string][] =>
      name.startsWith('webhook-') && typeof value === 'string' ? [[name, value]] : [],
    )
    // At the end of a test the program is gone before the last events are.
    const answer = await fetch(`http://127.0.0.1:${port}${request.url}`, { method: 'POST', headers, body }).catch(
      () => null,
    )
    response.writeHead(answer?.status ?? 502).end()
  })
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve))
  const own = `http://127.0.0.1:${portOf(front)}`
  const folder = mkdtempSync(join(tmpdir(), 'ama-example-'))
  const env = {
    ...process.env,
    AMA_URL: stack.urls.api,
    AMA_KEY: stack.keys.service,
    OWN_URL: own,
    PORT: String(port),
    SECRET_FILE: join(folder, 'secret'),
  }
  let lines: string[] = []
  const start = () => {
    lines = []
    const started = spawn(process.execPath, ['--import', 'tsx', file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
    createInterface(started.stdout).on('line', (line) => lines.push(line))
    return started
  }
  let program = start()
  stops.push(() => {
    program.kill()
    front.closeAllConnections()
    front.close()
    rmSync(folder, { recursive: true })
  })
  await until('it listens', () => lines.includes('listening'))
  return {
    async restart(): Promise<void> {
      const ended = new Promise((resolve) => program.once('exit', resolve))
      program.kill()
      await ended
      program = start()
      await until('it listens again', () => lines.includes('listening'))
    },
    lose(all: boolean): void {
      isLost = all
    },
    /** Orders by the example and pays. @returns the order's id */
    async buy(person?: Person, packageCode: string = testPackages.anyProvider): Promise<string> {
      const { accountId } = person ?? (await harness.signUp())
      const body = JSON.stringify({ accountId, packageCode, quantity: 1 })
      const headers = { 'idempotency-key': randomUUID() }
      const ask = () => fetch(`http://127.0.0.1:${port}/buy`, { method: 'POST', headers, body })
      const [bought, again] = [await ask(), await ask()]
      const { id, payment } = withPayment.parse(await bought.json())
      expect(withPayment.parse(await again.json()).id).toBe(id)
      expect(payment).toHaveProperty('paymentIntentClientSecret')
      await sims.stripe.do('pay', { orderId: id })
      return id
    },
    lineAbout: (id: string) => lines.find((line) => line.includes(id)),
  }
}

test('the example of an app backend has 40 lines and sells an eSIM by events alone', async () => {
  expect(readFileSync(file, 'utf8').trimEnd().split('\n').length).toBeLessThanOrEqual(40)
  const app = await startExample()
  const id = await app.buy()
  const line = await until('the app is told', () => app.lineAbout(id))
  const order = expectStatus(await service.get(`/v1/orders/${id}`), 200)
  expect(JSON.parse(line)).toEqual({ order: id, installUrl: order.esims[0].iosInstallUrl })
})

test('the example of an app backend takes the event of a top-up, and is one endpoint after a restart', {
  tags: 'long',
}, async () => {
  const app = await startExample()
  const person = await harness.signUp()
  const id = await app.buy(person, testPackages.onlyEsimAccess)
  await until('the app is told', () => app.lineAbout(id))
  await app.restart()
  const { items } = expectStatus(await service.get('/v1/webhook-endpoints'), 200)
  expect(items).toHaveLength(1)
  const asked = { packageCode: testPackages.topUp }
  const topUp = expectStatus(await person.caller.post(`/v1/orders/${id}/top-up`, asked), 201)
  await sims.stripe.do('pay', { orderId: topUp.id })
  const line = await until('it is told of the top-up', () => app.lineAbout(topUp.id))
  expect(JSON.parse(line)).toEqual({ order: topUp.id, topUpOf: id })
  const path = `/v1/webhook-endpoints/${items[0].id}`
  await until('no event waits for it', async () => expectStatus(await service.get(path), 200).waiting === 0)
})

test('events that the example of an app backend does not take for an hour arrive afterwards', {
  tags: 'long',
}, async () => {
  const app = await startExample()
  const [endpoint] = expectStatus(await service.get('/v1/webhook-endpoints'), 200).items
  app.lose(true)
  const id = await app.buy()
  await harness.untilOrder(id, 'delivered')
  await until('its events are lost', async () => {
    return expectStatus(await service.get(`/v1/webhook-endpoints/${endpoint.id}`), 200).waiting >= 3
  })
  await fastForward(harness.temporal, eventRetriesWorkflowId(endpoint.id), '1 hour')
  expect(app.lineAbout(id)).toBeUndefined()
  app.lose(false)
  await fastForward(harness.temporal, eventRetriesWorkflowId(endpoint.id), '2 hours')
  await until('the app is told', () => app.lineAbout(id))
})
