/** Deliveries of events: each arrives at each endpoint within three days, and no endpoint holds up another one. */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import { afterAll, afterEach, expect, test } from 'vitest'
import {
  claimEndpoint,
  forgottenRetries,
  recordFirstAttempts,
  releaseEndpoint,
  retryEverywhereNow,
} from '../../db/events/deliveries.ts'
import { findEndpoint } from '../../db/events/endpoints.ts'
import { numberEvents } from '../../db/events/events.ts'
import { createEventReceivers, faultOfUrl } from '../../providers/event-receiver.ts'
import { isPublicAddress } from '../../providers/public-lookup.ts'
import { portOf } from '../../shared/process/listen.ts'
import { startRetries } from '../../temporal/event-retries.ts'
import { fastForward } from '../../temporal/time-skipping.ts'
import { eventRetriesWorkflowId } from '../../workflows/events/event-retries.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { until, untilValue } from '../harness/until.ts'
import { startReceiver } from './receiver.ts'

const harness = await shareStack({ books: false })
const { service, temporal } = harness
const { sql } = harness.context
const path = '/v1/webhook-endpoints'

const stops: (() => Promise<void>)[] = []
afterEach(async () => {
  await sql`delete from webhook_endpoints`
})
afterAll(async () => {
  await sql`update attention set resolved_at = now(), resolved_by = 'test' where resolved_at is null`
  for (const stop of stops) await stop()
})

interface Endpoint {
  id: string
  secret: string
  state: string
  disabledBecause: string | null
  waiting: number
  lastFailure: string | null
}

async function receiver() {
  const made = await startReceiver()
  stops.push(made.stop)
  return made
}

async function endpoint(url: string, types: string[] | null = null): Promise<Endpoint> {
  return expectStatus(await service.post(path, { url, types }), 201)
}

const read = async (id: string): Promise<Endpoint> => expectStatus(await service.get(`${path}/${id}`), 200)

/** Records an event that nothing else in the stack records. @returns its id */
async function happen(version: string = randomUUID()): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    insert into events (type, data) values ('policy.moved', ${sql.json({ version })}) returning id`
  return row?.id ?? ''
}

const types = ['policy.moved']

const forward = async (id: string, duration: '1 minute' | '1 hour' | '73 hours' | '2 hours'): Promise<void> => {
  await fastForward(temporal, eventRetriesWorkflowId(id), duration)
}

test('an endpoint gets the life of an order, signed, and another one only the types that it asked for', async () => {
  const [all, some] = [await receiver(), await receiver()]
  const { id, secret } = await endpoint(all.url)
  all.secrets.push(secret)
  const other = await endpoint(some.url, ['order.delivered'])
  const order = await harness.buy(await harness.signUp())
  const got = await untilValue(
    'the delivery is reported',
    () => all.received.filter(({ data }) => data.orderId === order.id),
    (events) => events.length >= 4,
  )
  expect(new Set(got.map(({ type }) => type))).toEqual(
    new Set(['order.created', 'order.paid', 'esim.created', 'order.delivered']),
  )
  expect(got.every(({ signedBy }) => signedBy.length === 1)).toBe(true)
  await until('so it is to the other one', () => some.received.length > 0)
  expect(new Set(some.received.map(({ type }) => type))).toEqual(new Set(['order.delivered']))
  const ping = expectStatus(await service.post(`${path}/${id}/ping`), 202)
  await until('the ping has arrived', () => all.received.some((event) => event.id === ping.id))
  const later = await happen()
  await until('a later event has arrived', () => all.received.some((event) => event.id === later))
  expect(some.received.some((event) => event.id === ping.id)).toBe(false)
  const pingOfOther = expectStatus(await service.post(`${path}/${other.id}/ping`), 202)
  await until('its own has arrived', () => some.received.some((event) => event.id === pingOfOther.id))
})

test('an event whose delivery is cut, then answered with 500, arrives at the third attempt, once', async () => {
  const target = await receiver()
  const { id } = await endpoint(target.url, types)
  target.answer((_event, attempt) => (['cut', 500] as const)[attempt - 1] ?? 200)
  const event = await happen()
  await until('the first attempt has failed', async () => (await read(id)).waiting === 1)
  await forward(id, '1 minute')
  await until('it has arrived', () => target.received.some((each) => each.id === event))
  await until('nothing waits', async () => (await read(id)).waiting === 0)
  expect(target.attempts.get(event)).toBe(3)
  expect(target.received).toHaveLength(1)
})

test('an endpoint that is down for an hour gets every event afterwards, and holds up no other one', async () => {
  const [down, up] = [await receiver(), await receiver()]
  const { id } = await endpoint(down.url, types)
  await endpoint(up.url, types)
  down.answer(() => 503)
  const lost = [await happen(), await happen(), await happen(), await happen()]
  await until('it counts as down', async () => {
    const [row] = await sql<{ failures: number }[]>`select failures from webhook_endpoints where id = ${id}`
    return (row?.failures ?? 0) >= 3
  })
  for (let more = 0; more < 30; more++) lost.push(await happen())
  await until('the other one has them all', () => lost.every((each) => up.received.some((event) => event.id === each)))
  await forward(id, '1 hour')
  const tries = [...down.attempts.values()].reduce((sum, each) => sum + each, 0)
  expect(tries).toBeLessThan(30)
  down.answer(() => 200)
  await forward(id, '2 hours')
  await until('they have arrived', () => lost.every((each) => down.received.some((event) => event.id === each)))
  await until('nothing waits', async () => (await read(id)).waiting === 0)
})

test('a receiver that asks for a pause, and one that is silent, get no more of fifty events than one batch', async () => {
  const [busy, silent] = [await receiver(), await receiver()]
  busy.answer(() => [429, { 'retry-after': '1800' }])
  silent.answer(() => 'hang')
  const ids = [(await endpoint(busy.url, types)).id, (await endpoint(silent.url, types)).id]
  await sql`insert into events (type, data)
    select 'policy.moved', jsonb_build_object('version', n::text) from generate_series(1, 50) n`
  const rows = await untilValue(
    'nothing more is sent to either',
    () => sql<{ failures: number; pause: number }[]>`
      select failures, extract(epoch from retry_at - failed_at)::int as pause from webhook_endpoints
      where id = any(${ids}) and claimed_until is null and failures > 0 order by pause`,
    (found) => found.length === 2,
  )
  // Ten failures of one batch are one reason to wait, not ten.
  expect(rows).toEqual([
    { failures: 3, pause: 5 },
    { failures: 3, pause: 1800 },
  ])
  expect([busy.attempts.size, silent.attempts.size]).toEqual([10, 10])
})

test('a pause that is asked for at a later attempt is kept too', async () => {
  const target = await receiver()
  const { id } = await endpoint(target.url, types)
  target.answer((_event, attempt) => (attempt === 1 ? 500 : [429, { 'retry-after': '1800' }]))
  await happen()
  await until('the first attempt has failed', async () => (await read(id)).waiting === 1)
  await forward(id, '1 minute')
  await until('it pauses', async () => (await read(id)).lastFailure === 'http_429')
  const [row] = await sql<{ pause: number; failures: number }[]>`
    select extract(epoch from retry_at - failed_at)::int as pause, failures from webhook_endpoints where id = ${id}`
  expect(row).toEqual({ pause: 1800, failures: 3 })
})

test('an endpoint that is down and has nothing waiting is found, and gets the next event', async () => {
  const target = await receiver()
  const { id } = await endpoint(target.url, types)
  await sql`update webhook_endpoints set failures = 3, retry_at = now() - interval '5 minutes' where id = ${id}`
  const event = await happen()
  expect(await forgottenRetries(sql, new Date())).toContain(id)
  await startRetries(harness, id)
  await until('it has arrived', () => target.received.some((each) => each.id === event))
})

test('after a restore, an endpoint whose next attempt is hours away and has no run any more is found at once', async () => {
  const [down, refusing, up] = [await receiver(), await receiver(), await receiver()]
  const [one, other, third] = [
    await endpoint(down.url, types),
    await endpoint(refusing.url, types),
    await endpoint(up.url),
  ]
  const inHours = new Date(Date.now() + 5 * 3_600_000)
  await sql`update webhook_endpoints set failures = 3, retry_at = ${inHours} where id = ${one.id}`
  await sql`insert into event_retries (endpoint_id, event_id, position, attempts, first_at, next_at)
    select ${other.id}, id, coalesce(position, 1), 4, now(), ${inHours} from events limit 1`
  await sql.begin((tx) => retryEverywhereNow(tx, new Date()))
  const found = await forgottenRetries(sql, new Date(Date.now() + 1))
  expect(found).toEqual(expect.arrayContaining([one.id, other.id]))
  expect(found).not.toContain(third.id)
  expect(await sql`select retry_at from webhook_endpoints where id = ${third.id}`).toEqual([{ retry_at: null }])
  const event = await happen()
  await startRetries(harness, one.id)
  await until('it has arrived', () => down.received.some((each) => each.id === event))
})

test('three events that the receiver refuses do not keep one of another type, nor a ping, from arriving', async () => {
  for (const status of [400, 500]) {
    const target = await receiver()
    const { id } = await endpoint(target.url, [...types, 'policy.withdrawn'])
    target.answer(({ type }) => (type === 'policy.moved' ? status : 200))
    for (let number = 0; number < 3; number++) await happen()
    await until('they are refused', async () => (await read(id)).waiting === 3)
    await sql`insert into events (type, data) values ('policy.withdrawn', ${sql.json({ version: 'p1' })})`
    // A refusal is an answer of an endpoint that is up. One that fails is asked with the next event.
    if (status === 500) await forward(id, '1 minute')
    await until('the other one has arrived', () => target.received.some(({ type }) => type === 'policy.withdrawn'))
    const ping = expectStatus(await service.post(`${path}/${id}/ping`), 202)
    if (status === 500) await forward(id, '1 hour')
    await until('the ping has arrived', () => target.received.some((event) => event.id === ping.id))
    expect((await read(id)).state).toBe('enabled')
  }
})

test('an event that the receiver refuses does not hold up later ones, and is given up after three days', async () => {
  const target = await receiver()
  const { id } = await endpoint(target.url, types)
  const refused = await happen()
  target.answer((event) => (event.id === refused ? 400 : 200))
  await until('it is refused', async () => (await read(id)).waiting === 1)
  for (let more = 0; more < 5; more++) {
    const later = await happen()
    await until('the later one has arrived', () => target.received.some((event) => event.id === later))
  }
  await forward(id, '73 hours')
  await until('it is given up', async () => (await read(id)).waiting === 0)
  expect((await read(id)).state).toBe('enabled')
  expect(await sql`select 1 from attention where kind = 'event_not_taken' and subject_id = ${id}`).toHaveLength(1)
})

test('an endpoint that takes nothing for three days is disabled, and goes on where it stopped once enabled', async () => {
  const target = await receiver()
  const { id } = await endpoint(target.url, types)
  target.answer(() => 'cut')
  const lost = [await happen(), await happen(), await happen(), await happen(), await happen()]
  await until('it fails', async () => (await read(id)).waiting > 0)
  await forward(id, '73 hours')
  await until('it is disabled', async () => (await read(id)).state === 'disabled')
  expect((await read(id)).disabledBecause).toBe('failing')
  const open = () => sql`
    select 1 from attention where kind = 'webhook_endpoint_disabled' and subject_id = ${id} and resolved_at is null`
  expect(await open()).toHaveLength(1)
  expectStatus(await service.post(`${path}/${id}/ping`), 409)
  expectStatus(await service.post(`${path}/${id}/replay`, { since: new Date().toISOString() }), 409)
  const meanwhile = await happen()
  target.answer(() => 200)
  expectStatus(await service.patch(`${path}/${id}`, { state: 'enabled' }), 200)
  await until('all have arrived', () =>
    [...lost, meanwhile].every((each) => target.received.some((event) => event.id === each)),
  )
  expect(await open()).toHaveLength(0)
})

test('an endpoint that answers 410 is disabled at once, and one that answers 429 is asked again when it says', async () => {
  const [gone, busy] = [await receiver(), await receiver()]
  const first = await endpoint(gone.url, types)
  gone.answer(() => 410)
  await happen()
  await until('it is disabled', async () => (await read(first.id)).disabledBecause === 'gone')
  const second = await endpoint(busy.url, types)
  busy.answer((_event, attempt) => (attempt === 1 ? [429, { 'retry-after': '1800' }] : 200))
  const event = await happen()
  await until('it pauses', async () => (await read(second.id)).lastFailure === 'http_429')
  const [row] = await sql<{ pause: number }[]>`
    select extract(epoch from retry_at - failed_at)::int as pause from webhook_endpoints where id = ${second.id}`
  expect(row?.pause).toBe(1800)
  await forward(second.id, '1 hour')
  await until('it has arrived', () => busy.received.some((each) => each.id === event))
})

test('deliveries are signed by both secrets for a day after a rotation of an endpoint’s secret', async () => {
  const target = await receiver()
  const { id, secret } = await endpoint(target.url, types)
  const key = { 'idempotency-key': randomUUID() }
  const rotated: Endpoint = expectStatus(await service.post(`${path}/${id}/rotate-secret`, undefined, key), 200)
  expect(expectStatus(await service.post(`${path}/${id}/rotate-secret`, undefined, key), 200).secret).toBe(
    rotated.secret,
  )
  expectStatus(await service.post(`${path}/${id}/rotate-secret`), 409)
  expect(rotated.secret).not.toBe(secret)
  expect(await read(id)).not.toHaveProperty('secret')
  target.secrets.push(secret, rotated.secret)
  await happen()
  await until('it has arrived', () => target.received.length > 0)
  expect(target.received[0]?.signedBy).toEqual([secret, rotated.secret])
  await sql`update webhook_endpoints set previous_until = now() where id = ${id}`
  // A batch that was begun before may still have both.
  await until('one is signed by the new secret alone', async () => {
    await happen()
    return target.received.at(-1)?.signedBy.length === 1
  })
  expect(target.received.at(-1)?.signedBy).toEqual([rotated.secret])
})

test('a rotation that was refused, or ended before it was done, is done by the next request under its key', async () => {
  const target = await receiver()
  const { id, secret } = await endpoint(target.url, types)
  const rotate = (key: string) => service.post(`${path}/${id}/rotate-secret`, undefined, { 'idempotency-key': key })
  const [first, second] = [randomUUID(), randomUUID()]
  const rotated: Endpoint = expectStatus(await rotate(first), 200)
  expectStatus(await rotate(second), 409)
  expectStatus(await rotate(second), 409)
  await sql`update webhook_endpoints set previous_until = now() where id = ${id}`
  const next: Endpoint = expectStatus(await rotate(second), 200)
  expect(new Set([secret, rotated.secret, next.secret]).size).toBe(3)
  expect(expectStatus(await rotate(second), 200).secret).toBe(next.secret)
  // The state after a process that ended between the claim and the rotation.
  await sql`update webhook_endpoints set rotation_id = null, previous_until = now() where id = ${id}`
  expect(expectStatus(await rotate(second), 200).secret).not.toBe(next.secret)
})

test('a request that made an endpoint does not bring it back once it is deleted', async () => {
  const target = await receiver()
  const key = { 'idempotency-key': randomUUID() }
  const make = () => service.post(path, { url: target.url, types }, key)
  const { id } = expectStatus(await make(), 201)
  expect(expectStatus(await make(), 201).id).toBe(id)
  expectStatus(await service.delete(`${path}/${id}`), 204)
  expect(expectStatus(await make(), 409).code).toBe('request_in_progress')
  await sql`update idempotency_keys set created_at = created_at - interval '2 minutes' where resource_id = ${id}`
  expect(expectStatus(await make(), 409).code).toBe('webhook_endpoint_conflict')
  expectStatus(await service.get(`${path}/${id}`), 404)
})

test('a replay sends the events since a time again, under the same ids', async () => {
  const target = await receiver()
  const { id } = await endpoint(target.url, types)
  await happen()
  await until('the first has arrived', () => target.received.length === 1)
  const since = new Date().toISOString()
  const again = await happen()
  await until('the second has arrived', () => target.received.length === 2)
  await until('they are recorded', async () => {
    const [row] = await sql`select 1 from webhook_endpoints e where id = ${id}
      and not exists (select from events where events.position > e.position or events.position is null)`
    return row
  })
  expect(expectStatus(await service.post(`${path}/${id}/replay`, { since }), 202)).toEqual({ events: 1 })
  await until('it has come again', () => target.received.length === 3)
  expect(target.received[2]?.id).toBe(again)
})

test('of forty endpoints that are asked for at once twenty are made', async () => {
  const target = await receiver()
  const answers = await Promise.all(
    Array.from({ length: 40 }, () => service.post(path, { url: target.url, types: ['policy.withdrawn'] })),
  )
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(20)
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(20)
  const first = answers.find(({ status }) => status === 201)?.body
  expectStatus(await service.delete(`${path}/${first.id}`), 204)
  expectStatus(await service.delete(`${path}/${first.id}`), 404)
})

test('one worker at a time sends to an endpoint, and another one takes over from one that is killed', async () => {
  const target = await receiver()
  const { id } = await endpoint(target.url, ['policy.withdrawn'])
  await until('nothing is sent', async () => {
    await releaseEndpoint(sql, id)
    const at = new Date()
    return claimEndpoint(sql, id, { at, until: new Date(at.getTime() + 30_000) })
  })
  const later = (ms: number) => new Date(Date.now() + ms)
  expect(await claimEndpoint(sql, id, { at: new Date(), until: later(30_000) })).toBeUndefined()
  expect(await claimEndpoint(sql, id, { at: later(31_000), until: later(61_000) })).toBeDefined()
})

test('an erased account takes its waiting events along', async () => {
  const target = await receiver()
  const { id } = await endpoint(target.url, ['consent.changed', 'account.deleted'])
  target.answer(({ type }) => (type === 'consent.changed' ? 500 : 200))
  const anna = await harness.signUp()
  const consent = { granted: true, source: 'app_settings' }
  expectStatus(await service.put(`/v1/accounts/${anna.accountId}/consents/promotions`, consent), 200)
  await until('it is refused', async () => (await read(id)).waiting === 1)
  expectStatus(await service.delete(`/v1/accounts/${anna.accountId}`), 200)
  await until('the deletion is told', () => target.received.some(({ data }) => data.accountId === anna.accountId))
  expect((await read(id)).waiting).toBe(0)
})

test('a failure is recorded without an event that an erasure deletes meanwhile', async () => {
  const target = await receiver()
  const { id } = await endpoint(target.url, ['policy.withdrawn'])
  const event = await happen()
  await numberEvents(sql)
  const [row] = await sql<{ position: bigint }[]>`select position from events where id = ${event}`
  const found = await findEndpoint(sql, id)
  if (!found) throw new Error('there is no endpoint')
  const at = new Date()
  let commit = (): void => undefined
  let erasure: Promise<unknown> = Promise.resolve()
  await new Promise<void>((deleted) => {
    erasure = sql.begin(async (tx) => {
      await tx`delete from events where id = ${event}`
      deleted()
      await new Promise<void>((resolve) => (commit = resolve))
    })
  })
  const [recorded] = await Promise.allSettled([
    recordFirstAttempts(sql, found, {
      delivered: [],
      failed: [Number(row?.position)],
      refused: 0,
      upTo: Number(row?.position),
      at,
      retryAt: at,
      claimedUntil: at,
    }),
    until('it waits for the erasure', async () => {
      const [waiting] = await sql`select 1 from pg_locks where not granted`
      return waiting
    }).finally(commit),
  ])
  await erasure
  expect(recorded).toMatchObject({ status: 'fulfilled', value: { id } })
  expect((await read(id)).waiting).toBe(0)
})

test('addresses that events cannot be sent to are refused', async () => {
  const own = [
    'ftp://127.0.0.1/',
    'http://shop.example/',
    'http://a:b@127.0.0.1/',
    'http://127.0.0.1/#x',
    'x',
    'https://a\0.example/',
  ]
  for (const url of own) expectStatus(await service.post(path, { url }), 400)
  expectStatus(await service.post(path, { url: 'https://shop.example/', types: ['order.deliverd'] }), 400)
  const inProduction = { internal: false }
  for (const host of [
    '127.0.0.1',
    '10.1.2.3',
    '169.254.169.254',
    '0x7f.1',
    '2130706433',
    '[::1]',
    '[fd00::1]',
    '[::ffff:10.0.0.1]',
    '[64:ff9b::a00:1]',
    '0.0.0.0',
    '100.64.0.1',
    '[2002:a00:1::]',
    '[::127.0.0.1]',
    '[::a9fe:a9fe]',
    '[fec0::1]',
    '[4000::1]',
  ]) {
    expect(faultOfUrl(`https://${host}/`, inProduction), host).toBe('must be an address of the internet')
  }
  expect(faultOfUrl('http://shop.example/', inProduction)).toBe('must be https')
  expect(faultOfUrl('https://shop.example/', inProduction)).toBeUndefined()
  expect(['1.1.1.1', '2606:4700::1111', '192.168.0.1', 'no address'].map(isPublicAddress)).toEqual([
    true,
    true,
    false,
    false,
  ])
})

test('an answer is waited for a limited time, no redirect is followed, and a name that leads inside is refused', async () => {
  let paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    if (request.url === '/slow') return
    if (request.url === '/endless') {
      response.writeHead(200)
      response.write('x'.repeat(2_000_000))
      return
    }
    response.writeHead(307, { location: '/elsewhere' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const port = portOf(server)
  const delivery = (url: string) => ({
    id: 'e',
    url,
    body: '{}',
    secrets: [`whsec_${btoa('x'.repeat(32))}`],
    at: new Date(),
  })
  const hasty = createEventReceivers({ internal: true, timeoutMs: 300 })
  // What answers is given the time of production: a busy machine may take longer than the other one's limit.
  const patient = createEventReceivers({ internal: true })
  const outside = createEventReceivers({ internal: false })
  const at = (rest: string) => delivery(`http://127.0.0.1:${port}${rest}`)
  expect(await hasty.deliver(at('/slow'))).toEqual({ delivered: false, code: 'timed_out', gone: false, refused: false })
  const moved = { delivered: false, code: 'http_307', gone: false, refused: false }
  expect(await patient.deliver(at('/moved'))).toEqual(moved)
  expect(await patient.deliver(at('/endless'))).toEqual({ delivered: true })
  expect(paths.filter((path) => path !== '/slow')).toEqual(['/moved', '/endless'])
  // Another endpoint of the same host does not wait for one that hangs.
  const hanging = Array.from({ length: 20 }, () => patient.deliver(at('/slow')))
  expect(await patient.deliver(at('/moved'))).toEqual(moved)
  await Promise.all([hasty.close(), patient.close()])
  for (const outcome of await Promise.all(hanging)) expect(outcome).toMatchObject({ delivered: false })
  paths = []
  expect(await outside.deliver(delivery(`https://localhost:${port}/`))).toMatchObject({ code: 'private_address' })
  expect(paths).toEqual([])
  await outside.close()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
