/** The operation of the API: limits, outages, logs, metrics, documents, shutdown. */
import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
import { problems } from '../../api/http/problems.ts'
import { apiDrainMs } from '../../api/server.ts'
import { timeLimits } from '../../db/connection/database.ts'
import type { SecurityLog } from '../../db/connection/schema.ts'
import { type ApiHarness, newPerson, startApiHarness } from '../harness/api/api-harness.ts'
import { until, untilValue } from '../harness/until.ts'

let harness: ApiHarness
let service: string

beforeAll(async () => {
  harness = await startApiHarness()
  service = await harness.key('service')
})
afterAll(() => harness.stop())

test('the API is alive and not ready while Temporal is down, and names Temporal', async () => {
  expect((await harness.call('GET', '/livez')).status).toBe(200)
  const ready = await harness.call('GET', '/readyz')
  expect([ready.status, ready.body]).toEqual([
    503,
    {
      status: 'not_ready',
      checks: { database: 'ok', migrations: 'ok', temporal: 'failed', restore: 'ok', keys: 'ok', workers: 'failed' },
    },
  ])
})

test('logs, metrics and problems of the API contain no personal data', async () => {
  const canary = randomUUID().slice(0, 8)
  const person = { ...newPerson(), firstName: `First${canary}`, email: `mail${canary}@example.com` }
  const headers = { 'x-forwarded-for': '203.0.113.201' }
  const { body } = await harness.call('POST', '/v1/accounts', { token: service, body: person, headers })
  const path = `/v1/accounts/${body.id}`
  const device = { platform: 'ios', pushToken: `push${canary}`, model: `Model${canary}` }
  const answers = await Promise.all([
    harness.call('PUT', `${path}/devices/device${canary}`, { token: service, body: device, headers }),
    harness.call('PUT', `${path}/devices/device${canary}`, {
      token: service,
      body: { ...device, platform: 'x' },
      headers,
    }),
    harness.call('POST', '/v1/accounts', { token: service, body: person, headers }),
    harness.call('POST', '/v1/accounts', { token: service, body: `{"email":"mail${canary}@`, headers }),
    harness.call('GET', `/v1/packages?email=mail${canary}`, { headers }),
    harness.call('GET', `/v1/nowhere/mail${canary}?x=mail${canary}`, { headers }),
    harness.call('GET', '/livez', { headers: { ...headers, 'x-request-id': `mail${canary}` } }),
  ])
  expect(answers.map((answer) => answer.status)).toEqual([200, 400, 409, 400, 400, 404, 200])
  const metrics = await harness.call('GET', '/metrics', { token: service })
  const refusals = answers.filter((answer) => answer.status >= 400).map((answer) => answer.text)
  for (const text of [harness.logged.join(''), metrics.text, ...refusals]) {
    expect(text).not.toContain(canary)
    expect(text).not.toContain('203.0.113.201')
    expect(text).not.toContain(body.id)
    expect(text).not.toContain(service)
  }
  expect(metrics.text).toContain('route="/v1/accounts/{id}/devices/{deviceId}"')
  expect(harness.logged.join('')).toContain('"route":"/v1/accounts/{id}/devices/{deviceId}"')
})

test('the API makes the request id, and logs a valid X-Request-Id of the caller beside it', async () => {
  const given = randomUUID()
  const idFor = async (id: string) =>
    (await harness.call('GET', '/v1/packages', { headers: { 'x-request-id': id } })).headers.get('x-request-id')
  const [made, other] = [await idFor(given), await idFor('short')]
  for (const id of [made, other]) expect(id).toMatch(/^[0-9a-f-]{36}$/)
  expect(new Set([given, made, other]).size).toBe(3)
  const lines = harness.logged.join('')
  expect(lines).toContain(`"requestId":"${made}"`)
  expect(lines).toContain(`"callerRequestId":"${given}"`)
  expect(lines).not.toContain('"callerRequestId":"short"')
})

test('every answer has the security headers, and none allows another site', async () => {
  const answer = await harness.call('GET', '/v1/packages', { headers: { origin: 'https://evil.example.com' } })
  expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  expect(answer.headers.get('x-powered-by')).toBeNull()
  expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  expect(answer.headers.get('strict-transport-security')).toContain('max-age=')
  expect(answer.headers.get('ratelimit')).toMatch(/^limit=\d+, remaining=\d+, reset=\d+$/)
})

test('the OpenAPI document describes every route with every problem of it', async () => {
  const document: typeof harness.document = JSON.parse((await harness.call('GET', '/openapi.json')).text)
  expect(document.openapi).toBe('3.1.0')
  for (const route of harness.routes) {
    const operation = document.paths?.[route.path]?.[route.method]
    expect(operation, `${route.method} ${route.path}`).toBeDefined()
    const described = Object.keys(operation?.responses ?? {}).map(Number)
    for (const code of route.problems ?? []) expect(described).toContain(problems[code].status)
    for (const status of Object.keys(route.responses)) expect(described).toContain(Number(status))
  }
  const ids = Object.values(document.paths ?? {}).flatMap((methods) =>
    Object.values(methods).map((operation: { operationId?: string }) => operation.operationId),
  )
  expect(new Set(ids).size).toBe(harness.routes.length)
})

test('the OpenAPI document has bodies, callers and no broken references', () => {
  const schemes = Object.keys(harness.document.components?.securitySchemes ?? {})
  for (const route of harness.routes) {
    const name = `${route.method} ${route.path}`
    const operation = harness.document.paths?.[route.path]?.[route.method]
    // An empty list would mean: no credentials needed.
    expect(operation?.security?.length, name).toBeGreaterThan(0)
    const isOpen = operation?.security?.some((each) => Object.keys(each).length === 0)
    expect(isOpen, name).toBe(route.callers.includes('public'))
    for (const scheme of (operation?.security ?? []).flatMap((each) => Object.keys(each)))
      expect(schemes, name).toContain(scheme)

    const body = operation?.requestBody
    const mediaTypes = body && 'content' in body ? Object.keys(body.content) : []
    const parsed = route.form ? 'application/x-www-form-urlencoded' : 'application/json'
    const taken =
      route.unreadBody ?? [route.rawBody?.mediaType ?? (route.body && parsed)].filter((type) => type !== undefined)
    expect(mediaTypes, name).toEqual(taken)

    const inPath = (operation?.parameters ?? []).flatMap((each) =>
      'in' in each && each.in === 'path' && each.required ? [each.name] : [],
    )
    expect(inPath.sort(), name).toEqual([...route.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter).sort())
  }
  const references = [...JSON.stringify(harness.document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)]
  const schemas = Object.keys(harness.document.components?.schemas ?? {})
  expect(references.length).toBeGreaterThan(0)
  for (const [, schema] of references) expect(schemas).toContain(schema)
})

test('the documentation page loads nothing from other hosts', async () => {
  const page = await harness.call('GET', '/docs')
  expect(page.status).toBe(200)
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  expect(page.text).not.toMatch(/<script|src="http|href="http/)
  for (const route of harness.routes) expect(page.text).toContain(route.path)
})

test('a caller over their limit is refused, while other callers are served', async () => {
  const limited = await startApiHarness({ limits: { service: 3, public: 2, failedAuthentications: 4 } })
  try {
    const [one, operator] = await Promise.all([limited.key('service'), limited.key('operator')])
    const path = `/v1/accounts/${randomUUID()}`
    const statuses: number[] = []
    for (let index = 0; index < 4; index++) statuses.push((await limited.call('GET', path, { token: one })).status)
    expect(statuses).toEqual([404, 404, 404, 429])
    const refused = await limited.call('GET', path, { token: one })
    expect([refused.body.code, Number(refused.headers.get('retry-after')) > 0]).toEqual(['too_many_requests', true])
    expect((await limited.call('GET', path, { token: operator })).status).toBe(404)

    const from = (address: string) => limited.call('GET', '/v1/packages', { headers: { 'x-forwarded-for': address } })
    const byAddress = [await from('203.0.113.1'), await from('203.0.113.1'), await from('203.0.113.1')]
    expect(byAddress.map((answer) => answer.status)).toEqual([200, 200, 429])
    expect((await from('203.0.113.2')).status).toBe(200)
    // A household has a whole IPv6 network.
    const network = [await from('2001:db8::1'), await from('2001:db8::2'), await from('2001:db8::3')]
    expect(network.map((answer) => answer.status)).toEqual([200, 200, 429])

    const guess = () => limited.call('GET', path, { token: `ama_service_${'0'.repeat(16)}_${'A'.repeat(43)}` })
    const guesses = [await guess(), await guess(), await guess(), await guess(), await guess()]
    expect(guesses.map((answer) => answer.status)).toEqual([401, 401, 401, 401, 429])
    expect((await limited.call('GET', path, { token: 'nonsense' })).status).toBe(429)
    // Many callers can have one address, and all of them have it behind an unknown proxy.
    expect((await limited.call('GET', path, { token: operator })).status).toBe(404)
    const { token } = await limited.firebaseToken()
    expect((await limited.call('GET', path, { token })).body.code).toBe('no_account')
    const forged = await limited.firebaseToken({ forged: true })
    expect((await limited.call('GET', path, { token: forged.token })).status).toBe(429)
    const signIn = (key: string) =>
      fetch(`${limited.running.url}/console/sign-in`, {
        method: 'POST',
        redirect: 'manual',
        headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
        body: new URLSearchParams({ key }),
      })
    expect((await signIn('nonsense')).status).toBe(429)
    expect((await signIn(operator)).status).toBe(303)
    expect((await limited.call('GET', '/livez')).status).toBe(200)
  } finally {
    await limited.stop()
  }
})

test('only a valid IP address is counted and stored as one', async () => {
  const limited = await startApiHarness({ limits: { public: 2 } })
  try {
    const statusFrom = async (address: string) =>
      (await limited.call('GET', '/v1/packages', { headers: { 'x-forwarded-for': address } })).status
    // Each counts as the proxy's address: they share a limit.
    expect([await statusFrom('unknown'), await statusFrom("'; --"), await statusFrom('1.2.3')]).toEqual([200, 200, 429])
    expect([await statusFrom('::ffff:203.0.113.7'), await statusFrom('203.0.113.7')]).toEqual([200, 200])
    expect(await statusFrom('::FFFF:203.0.113.7')).toBe(429)

    const storedFrom = async (address: string): Promise<string> => {
      const headers = { 'x-forwarded-for': address }
      const answer = await limited.call('GET', '/metrics', { token: 'nonsense', headers })
      const [event] = await limited.api.sql<Pick<SecurityLog, 'ip'>[]>`
        select ip from security_log where request_id = ${answer.headers.get('x-request-id')}`
      const key = await limited.api.dataKeys.system(limited.api.sql)
      return limited.api.cipher.decrypt(key, 'security_log.ip', event?.ip ?? Buffer.of())
    }
    expect(await storedFrom('unknown')).toBe('127.0.0.1')
    expect(await storedFrom('::ffff:203.0.113.7')).toBe('203.0.113.7')
  } finally {
    await limited.stop()
  }
})

test('requests get 503 with Retry-After while the database is down, and work again afterwards', async () => {
  const outage = await startApiHarness()
  try {
    const token = await outage.key('service')
    const body = newPerson()
    await outage.postgres.crash()
    const during = await outage.call('POST', '/v1/accounts', { token, body })
    expect([during.status, during.body.code]).toEqual([503, 'unavailable'])
    expect(during.headers.get('retry-after')).toBe('5')
    expect((await outage.call('GET', '/livez')).status).toBe(200)
    expect((await outage.call('GET', '/readyz')).body).toMatchObject({ checks: { database: 'failed' } })
    await outage.postgres.start()
    expect((await outage.call('POST', '/v1/accounts', { token, body })).status).toBe(201)
  } finally {
    await outage.stop()
  }
})

test('a stuck connection pool refuses requests, fails /livez, and recovers', async () => {
  const limits = { ...timeLimits.api, waitMs: 100, stuckAfterMs: 300, idleInTransactionMs: 0 }
  const stuck = await startApiHarness({ database: { maxConnections: 2, limits } })
  try {
    const alive = async () => (await stuck.call('GET', '/livez')).status
    let release = (): void => {}
    const freed = new Promise<void>((resolve) => {
      release = resolve
    })
    const holding = [stuck.api.sql.begin(() => freed), stuck.api.sql.begin(() => freed)]
    expect(await alive()).toBe(200)
    const refused = await stuck.call('GET', '/v1/packages')
    expect([refused.status, refused.body.code]).toEqual([503, 'unavailable'])
    expect(refused.headers.get('retry-after')).toBe('5')
    await untilValue('it is not alive', alive, (status) => status === 503)
    expect((await stuck.call('GET', '/livez')).body).toEqual({ status: 'stuck' })
    release()
    await Promise.all(holding)
    expect(await alive()).toBe(200)
    expect((await stuck.call('GET', '/v1/packages')).status).toBe(200)
  } finally {
    await stuck.stop()
  }
})

test('a request whose statement waits too long for a lock gets 503 with Retry-After', async () => {
  const limits = { ...timeLimits.api, lockMs: 100 }
  const locked = await startApiHarness({ database: { maxConnections: 2, limits } })
  try {
    let release = (): void => {}
    const freed = new Promise<void>((resolve) => {
      release = resolve
    })
    const holding = locked.api.sql.begin(async (tx) => {
      await tx`lock table packages`
      await freed
    })
    const answer = await until('it is refused', async () => {
      const seen = await locked.call('GET', '/v1/packages')
      return seen.status !== 200 && seen
    })
    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([503, 'unavailable', '5'])
    release()
    await holding
  } finally {
    await locked.stop()
  }
})

test('a stopping API finishes open requests and accepts no new ones', async () => {
  const stopping = await startApiHarness()
  const token = await stopping.key('service')
  const body = JSON.stringify(newPerson())
  const timers = vi.spyOn(globalThis, 'setTimeout')
  onTestFinished(() => timers.mockRestore())
  let drainsFor: unknown[] = []
  const answered = new Promise<number | undefined>((resolve, reject) => {
    const sent = httpRequest(`${stopping.url}/v1/accounts`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', 'content-length': body.length },
    })
    sent.on('response', (response) => {
      response.resume()
      resolve(response.statusCode)
    })
    sent.on('error', reject)
    // Half of the body, so that the request is open while the API stops.
    sent.write(body.slice(0, 10), () => {
      timers.mockClear()
      void stopping.running.stop()
      drainsFor = timers.mock.calls.map(([, ms]) => ms)
      sent.end(body.slice(10))
    })
  })
  expect(await answered).toBe(201)
  expect(drainsFor).toContain(apiDrainMs)
  await expect(fetch(`${stopping.url}/livez`)).rejects.toThrow()
  await stopping.stop()
})
