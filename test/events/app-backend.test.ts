/** docs/examples/app-backend.ts sells an eSIM by events alone. */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
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
  const env = { ...process.env, AMA_URL: stack.urls.api, AMA_KEY: stack.keys.service, OWN_URL: own, PORT: String(port) }
  const program = spawn(process.execPath, ['--import', 'tsx', file], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  stops.push(() => {
    program.kill()
    front.closeAllConnections()
    front.close()
  })
  const lines: string[] = []
  createInterface(program.stdout).on('line', (line) => lines.push(line))
  await until('it listens', () => lines.includes('listening'))
  return {
    lose(all: boolean): void {
      isLost = all
    },
    /** Orders by the example and pays. @returns the order's id */
    async buy(): Promise<string> {
      const { accountId } = await harness.signUp()
      const body = JSON.stringify({ accountId, packageCode: testPackages.anyProvider, quantity: 1 })
      const bought = await fetch(`http://127.0.0.1:${port}/buy`, { method: 'POST', body })
      const { id, payment } = withPayment.parse(await bought.json())
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
