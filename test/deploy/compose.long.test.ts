/**
 * docker-compose.yml runs as delivered: each service with its own command, settings, volumes, health check and order,
 * as programs of this machine in namespaces of their own. Not run: Grafana, of which there are no packages. The images
 * themselves are not built: test/image/image.test.ts has their content.
 */
import { readFile, rm } from 'node:fs/promises'
import { request } from 'node:https'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { withId } from '../harness/http.ts'
import { lacks } from '../harness/optional/optional.ts'
import { until } from '../harness/until.ts'
import { makeImage } from '../image/image.ts'
import { services } from './compose/compose.ts'
import { type Container, type Containers, createContainers } from './compose/containers.ts'
import { missingForCompose, runnable } from './compose/missing.ts'
import { recipes } from './compose/recipes.ts'

const missing = missingForCompose()
if (missing.length > 0) console.warn(`docker-compose.yml is not run here:\n  ${missing.join('\n  ')}`)

/** Everything of this file runs at once, beside other tests. */
const slowStart = { timeoutMs: 300_000, everyMs: 500 }

const withSettings = (script: string, ...args: string[]): string[] => [
  ...['node', '--env-file=/settings/ama-esim.env', '--import', 'tsx', script],
  ...args,
]

let containers: Containers
const images: string[] = []
const started: Record<string, Container> = {}
let serviceKey = ''

beforeAll(async () => {
  if (missing.length > 0) return
  images.push(await makeImage(), await makeImage('ops/compose/Dockerfile.dockerignore'))
  const [ours = '', simulators = ''] = images
  containers = await createContainers(services, recipes({ 'ama-esim': ours, 'ama-esim-simulators': simulators }))
  for (const name of runnable) started[name] = await containers.start(name)
  for (const name of ['api-1', 'api-2', 'worker-1', 'worker-2', 'mail']) await containers.healthy(name)
  const made = await started['api-1']?.run(withSettings('cli/keys.ts', 'create', 'service', '--label', 'app'))
  serviceKey = /^ama_service_\S+/m.exec(made ?? '')?.[0] ?? ''
}, 900_000)

afterAll(async () => {
  await containers?.close()
  for (const image of images) await rm(image, { recursive: true, force: true })
}, 60_000)

/** A request to the proxy, which has a certificate of its own authority for localhost. */
async function viaProxy(
  path: string,
  { port = 8443, body, key = '' }: { port?: number; body?: object; key?: string } = {},
) {
  const ca = await readFile(join(containers.volume('proxy'), 'caddy/pki/authorities/local/root.crt'))
  return await new Promise<{ status: number; text: string }>((resolve, reject) => {
    const asked = request(
      {
        ...{ host: started.proxy?.address, port, path, ca, servername: 'localhost' },
        method: body ? 'POST' : 'GET',
        headers: {
          host: `localhost:${port}`,
          authorization: `Bearer ${serviceKey}`,
          ...(body && { 'content-type': 'application/json', 'idempotency-key': key }),
        },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    asked.on('error', reject)
    asked.end(body && JSON.stringify(body))
  })
}

/** Repeats what the proxy could not hand on, under the same key, as every caller has to. */
async function json<Body>(path: string, form: z.ZodType<Body>, body?: object): Promise<Body> {
  const key = crypto.randomUUID()
  const { status, text } = await until(
    `${path} is answered`,
    async () => {
      const answer = await viaProxy(path, { key, ...(body && { body }) })
      return answer.status !== 502 && answer.status !== 503 && answer
    },
    slowStart,
  )
  if (status >= 300) throw new Error(`${path}: ${status} ${text}`)
  return form.parse(JSON.parse(text))
}

const orderForm = z.object({
  id: z.string(),
  status: z.string(),
  payment: z.object({ paymentIntentClientSecret: z.string(), publishableKey: z.string() }).nullable(),
})
const packagesForm = z.object({ items: z.array(z.object({ code: z.string() })) })

/** Buys the cheapest package as the quickstart does, and waits for its delivery. */
async function buy(): Promise<z.output<typeof orderForm>> {
  const person = { email: `ada.${crypto.randomUUID()}@example.com`, firstName: 'Ada', lastName: 'Lovelace' }
  const { id: accountId } = await json('/v1/accounts', withId, person)
  const { items } = await until(
    'the catalogue is read',
    async () => {
      const found = await json('/v1/packages?destination=DE&sort=price&limit=1', packagesForm)
      return found.items.length > 0 && found
    },
    slowStart,
  )
  const order = await json('/v1/orders', orderForm, { accountId, packageCode: items[0]?.code })
  const { paymentIntentClientSecret: secret = '', publishableKey = '' } = order.payment ?? {}
  const confirm = `http://${started.simulators?.address}:12111/v1/payment_intents/${secret.split('_secret_')[0]}/confirm`
  await fetch(confirm, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${publishableKey}:`).toString('base64')}` },
    body: new URLSearchParams({ client_secret: secret, payment_method: 'pm_card_visa' }),
  })
  return await until(
    'the order is delivered',
    async () => {
      const now = await json(`/v1/orders/${order.id}`, orderForm)
      return now.status === 'delivered' && now
    },
    slowStart,
  )
}

const target = z.object({ labels: z.object({ instance: z.string() }), health: z.string() })
const targetsForm = z.object({ data: z.object({ activeTargets: z.array(target) }) })

/** The targets that Prometheus reaches, by their names. */
async function targets(): Promise<Record<string, string>> {
  const answer = await fetch(`http://${started.prometheus?.address}:9090/api/v1/targets`)
  const { data } = targetsForm.parse(await answer.json())
  return Object.fromEntries(data.activeTargets.map(({ labels, health }) => [labels.instance, health]))
}

test.skipIf(lacks('containers of docker-compose.yml'))(
  'compose: an order is delivered through proxy, two APIs, two workers and Temporal on PostgreSQL; doctor is content (skipped without containers of docker-compose.yml)',
  async () => {
    expect((await buy()).status).toBe('delivered')
    expect(await started['worker-1']?.run(withSettings('cli/doctor/main.ts'))).toContain('No fault.')
    const inbox = await fetch(`http://${started.mail?.address}:8025/_control/state`)
    expect(await inbox.text()).toContain('ada.')
    const ui = await viaProxy('/api/v1/settings', { port: 8233 })
    expect(JSON.parse(ui.text)).toMatchObject({ Codec: { Endpoint: 'https://localhost:8443/codec' } })
    await until(
      'Prometheus reaches all',
      async () => Object.values(await targets()).every((health) => health === 'up'),
      slowStart,
    )
    expect(Object.keys(await targets()).sort()).toEqual(
      ['api-1:8080', 'api-2:8080', 'temporal:9090', 'worker-1:9464', 'worker-2:9464'].sort(),
    )
  },
  900_000,
)

test.skipIf(lacks('containers of docker-compose.yml'))(
  'compose: after an API and a worker were killed, the others go on, and Prometheus sees who is gone (skipped without containers of docker-compose.yml)',
  async () => {
    await Promise.all(['api-1', 'worker-1'].map((name) => started[name]?.kill()))
    expect((await buy()).status).toBe('delivered')
    await until(
      'Prometheus sees it',
      async () => {
        const { 'api-1:8080': api, 'worker-1:9464': worker, 'api-2:8080': other } = await targets()
        return api === 'down' && worker === 'down' && other === 'up'
      },
      slowStart,
    )
  },
  900_000,
)
