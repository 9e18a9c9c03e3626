/**
 * Two hundred simultaneous webhooks of all senders, different ones and copies. Each is answered by 2xx or by a refusal
 * after which its sender repeats it, other callers are served meanwhile, and a copy is not handled as a second event.
 * How long an answer may take is the API's own limit, which `test/api/deadlines.long.test.ts` proves: a shorter time would be
 * one of the machine. The slowest answer of a burst is held against it.
 */
import { createHmac, randomUUID } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { defaultAnswering } from '../../api/http/answering.ts'
import { connectDatabase, timeLimits } from '../../db/connection/database.ts'
import type { AnySimulatorControl } from '../../sim/control.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { openHarness } from '../harness/harness.ts'
import { untilWatched } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'
import { type ReceivedWebhook, startWebhookReceiver } from '../providers/webhook-receiver.ts'

const harness = await openHarness({ durable: true })
const { config, sql } = harness.context
const { apple, google, esimAccess } = harness.sims

const receiver = await startWebhookReceiver()
const onlooker = connectDatabase(config.DATABASE_URL, { maxConnections: 1, limits: timeLimits.maintenance })
afterAll(async () => {
  await Promise.all([receiver.stop(), onlooker.end({ timeout: 1 })])
})

interface Webhook {
  /** the key that copies share */
  event: string
  path: string
  headers: Record<string, string>
  body: string
}

/** the number of different webhooks of each of the five senders */
const differing = 20
/** the number of copies of each sender's first webhook */
const copies = 20

const atEsimAccess = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })
const atAiralo = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyAiralo })
for (const { id } of [atEsimAccess, atAiralo]) await untilWatched(harness.stack, id)
const signIns = {
  apple: await apple.do('sign-in', {}),
  google: await google.do('sign-in'),
}
const persons = {
  apple: await harness.signUp({
    account: { apple: { identityToken: signIns.apple.idToken, authorizationCode: signIns.apple.code } },
  }),
  google: await harness.signUp({ account: { google: { identityToken: signIns.google.idToken } } }),
}

const times = <Item>(count: number, make: (index: number) => Item): Item[] =>
  Array.from({ length: count }, (_, index) => make(index))

const stripeEvent = (): Webhook => {
  const event = `evt_${randomUUID()}`
  const at = Math.floor(Date.now() / 1000)
  const object = { id: 'pi_1', object: 'payment_intent', metadata: { order_id: atEsimAccess.id } }
  const body = JSON.stringify({
    id: event,
    object: 'event',
    type: 'payment_intent.succeeded',
    created: at,
    data: { object },
  })
  const signature = createHmac('sha256', config.STRIPE_WEBHOOK_SECRET).update(`${at}.${body}`).digest('hex')
  return { event, path: '/v1/webhooks/stripe', headers: { 'stripe-signature': `t=${at},v1=${signature}` }, body }
}

const esimRef = JSON.stringify(await esimAccess.state()).match(/"esimTranNo":"([^"]+)"/)?.[1]
const esimAccessEvent = (): Webhook => {
  const event = randomUUID()
  const content = { esimTranNo: esimRef, remainThreshold: 0.1 }
  const body = JSON.stringify({
    notifyType: 'DATA_USAGE',
    notifyId: event,
    eventGenerateTime: '2026-11-23T10:00:00Z',
    content,
  })
  return { event, path: `/v1/webhooks/esim-access/${config.ESIM_ACCESS_WEBHOOK_TOKEN}`, headers: {}, body }
}

const airaloEvent = (): Webhook => {
  const event = randomUUID()
  const body = JSON.stringify({ level: '90%', iccid: atAiralo.esims[0].iccid, package_name: event })
  const signature = createHmac('sha512', config.AIRALO_CLIENT_SECRET).update(body).digest('hex')
  return { event, path: '/v1/webhooks/airalo', headers: { 'airalo-signature': signature }, body }
}

/** What a party signed, taken from the wire. */
async function signedBy(
  simulator: AnySimulatorControl,
  path: string,
  notice: Record<string, unknown>,
): Promise<Webhook[]> {
  receiver.clear()
  await simulator.do('webhooks', { url: receiver.url })
  for (let index = 0; index < differing; index += 1) await simulator.do('notify', notice)
  return (await receiver.atLeast(differing)).slice(0, differing).map(({ headers, body }: ReceivedWebhook) => ({
    event: randomUUID(),
    path,
    headers: { 'content-type': String(headers['content-type']) },
    body: body.toString('utf8'),
  }))
}

async function makeBurst(): Promise<Webhook[]> {
  const senders = [
    times(differing, stripeEvent),
    times(differing, esimAccessEvent),
    times(differing, airaloEvent),
    await signedBy(apple, '/v1/webhooks/apple', { type: 'email-disabled', sub: signIns.apple.sub }),
    await signedBy(google, '/v1/webhooks/google', { type: 'sessions-revoked', sub: signIns.google.sub }),
  ]
  const copied = senders.flatMap(([first]) => times(copies, () => first as Webhook))
  return [...copied, ...senders.flat()]
}

const send = async ({ path, headers, body }: Webhook): Promise<number> =>
  (await harness.anonymous.call('POST', path, { headers, body })).status

/** Reads the packages as other callers do, and fails when an answer took longer than the API allows itself. */
async function readPackages(times = 20): Promise<void> {
  let slowestMs = 0
  for (let ask = 0; ask < times; ask += 1) {
    const asked = performance.now()
    expect((await harness.service.get('/v1/packages')).status).toBe(200)
    slowestMs = Math.max(slowestMs, performance.now() - asked)
  }
  expect(slowestMs).toBeLessThan(defaultAnswering.usual)
}

const isTaken = (status: number): boolean => status === 200 || status === 202

/** Repeats refused webhooks until they are accepted, as senders do. */
async function sendAgain(webhooks: Webhook[]): Promise<void> {
  for (const webhook of webhooks)
    await until(`${webhook.path} takes it`, async () => isTaken(await send(webhook)), { timeoutMs: 60_000 })
}

async function signals(): Promise<number> {
  const handles = [atEsimAccess, atAiralo].map(({ id }) => harness.temporal.workflow.getHandle(orderWorkflowId(id)))
  // The server keeps signals that come during a workflow task out of the history until that task is completed.
  for (const handle of handles) {
    await until('its workflow task is done', async () => !(await handle.describe()).raw.pendingWorkflowTask)
  }
  const histories = await Promise.all(handles.map((handle) => handle.fetchHistory()))
  return histories
    .flatMap(({ events }) => events ?? [])
    .filter((event) => event.workflowExecutionSignaledEventAttributes).length
}

const recorded = async (): Promise<number> =>
  Number((await sql`select count(*) as count from webhook_events`)[0]?.count)
const loggedFor = async (accountId: string): Promise<number> =>
  (await sql`select from security_log where account_id = ${accountId} and kind = 'sign_in_provider_event'`).length

const differingOrders = 3 * differing
const differingAll = 5 * differing

async function state() {
  return {
    signals: await signals(),
    recorded: await recorded(),
    apple: await loggedFor(persons.apple.accountId),
    google: await loggedFor(persons.google.accountId),
  }
}

test('a burst of webhooks is accepted, and each event is handled and recorded once', {
  timeout: 120_000,
}, async () => {
  const [before, burst] = [await state(), await makeBurst()]
  expect(burst).toHaveLength(200)
  const [statuses] = await Promise.all([Promise.all(burst.map(send)), readPackages()])
  expect(statuses.filter((status) => !isTaken(status))).toEqual([])
  await sendAgain(burst.slice(-5))
  expect(await state()).toEqual({
    signals: before.signals + differingOrders,
    recorded: before.recorded + differingAll,
    apple: before.apple + differing,
    google: before.google + differing,
  })
})

test('a burst of webhooks while the table of events is locked is handled once', { timeout: 120_000 }, async () => {
  const [before, burst] = [await state(), await makeBurst()]
  let release = (): void => {}
  const freed = new Promise<void>((resolve) => {
    release = resolve
  })
  const locking = onlooker.begin(async (tx) => {
    await tx`lock table webhook_events`
    await freed
  })
  const waiting = () => sql`select 1 from pg_locks where relation = 'webhook_events'::regclass and not granted`
  const answers = Promise.all(burst.map(send))
  await untilValue('webhooks wait for the lock', waiting, ({ length }) => length > 0)
  await readPackages()
  expect((await harness.anonymous.get('/livez')).status).toBe(200)
  release()
  await locking
  await takenInTheEnd(burst, await answers)
  expect((await state()).recorded).toBe(before.recorded + differingAll)
  // When the record failed, the sender's repeat repeats the work.
  const { signals } = await state()
  expect(signals).toBeGreaterThanOrEqual(before.signals + differingOrders)
  expect(signals).toBeLessThanOrEqual(before.signals + 2 * differingOrders)
})

test('a burst of webhooks while Temporal is down is recorded once, and is signalled at most twice', {
  timeout: 180_000,
}, async () => {
  const [before, burst] = [await state(), await makeBurst()]
  await harness.temporalServer.crash()
  const answers = Promise.all(burst.map(send))
  await readPackages()
  const statuses = await answers
  expect(statuses).toContain(503)
  await harness.temporalServer.start()
  await takenInTheEnd(burst, statuses)
  const after = await state()
  expect(after.recorded).toBe(before.recorded + differingAll)
  // A signal whose answer came after the request's limit may have been taken; its repetition is one more hint.
  expect(after.signals).toBeGreaterThanOrEqual(before.signals + differingOrders)
  expect(after.signals).toBeLessThanOrEqual(before.signals + 2 * differingOrders)
  expect([after.apple, after.google]).toEqual([before.apple + differing, before.google + differing])
})

async function takenInTheEnd(burst: Webhook[], statuses: number[]): Promise<void> {
  expect(statuses.filter((status) => !isTaken(status) && status !== 503)).toEqual([])
  await sendAgain(burst.filter((_webhook, index) => !isTaken(statuses[index] ?? 0)))
  expect((await harness.anonymous.get('/livez')).status).toBe(200)
}
