/**
 * U2 and G3: paid means delivered or refunded, and everybody can delete their account at once. Pairs of faults of
 * names, certificates and connections at every call of the worker: outcomes and books are right.
 */
import { afterAll, expect, test } from 'vitest'
import { createContext } from '../../../context.ts'
import { startWorker } from '../../../worker/run-worker.ts'
import { paymentSweepType } from '../../../workflows/order/payment-sweep.contract.ts'
import {
  type ReconciliationReport,
  reconciliationType,
} from '../../../workflows/reconciliation/reconciliation.contract.ts'
import { mailsTo, pushesTo } from '../../harness/checks/messages.ts'
import { checkTotals, deleteAccount } from '../../harness/deletions.ts'
import { openHarness } from '../../harness/harness.ts'
import { type NetworkFault, openNetwork } from '../../harness/outside-network.ts'
import { seededInt } from '../../harness/seed.ts'
import { runLater } from '../../harness/temporal/run-later.ts'
import { eachProvider, testPackages } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'
import { coveredCalls } from './covered-calls.ts'
import { passing } from './plant-pairs.ts'

const unsent: NetworkFault[] = ['unknown name', 'no name server', 'refused', 'cut handshake', 'expired certificate']
const slow: NetworkFault[] = ['slow name server', { delayMs: 800 }]
const refusals = passing.filter(({ status = 0 }) => status === 429 || status === 503)
const others = passing.filter(({ delayMs }) => delayMs === undefined)

/**
 * Draws faults for one connection after the other: pairs, of which one at least is of the network, in an order by the
 * seed. Between two pairs pass as many connections as a step can need which makes several calls, and begins anew with
 * each failure.
 */
function inPairs(arriving: readonly NetworkFault[]): () => NetworkFault | undefined {
  const all = unsent.flatMap((first) =>
    [...unsent, ...slow, ...arriving].flatMap((second): NetworkFault[][] => [
      [first, second],
      [second, first],
    ]),
  )
  let waiting: (NetworkFault | undefined)[] = []
  return () => {
    if (waiting.length === 0) {
      const passing = Array.from({ length: seededInt(1, 7) }, () => undefined)
      waiting = [...(all[seededInt(0, all.length)] ?? []), ...passing]
    }
    return waiting.shift()
  }
}

const harness = await openHarness({ workers: 0, books: false })
const { sims, service, config } = harness
const { sql, cipher, dataKeys } = harness.context
const network = await openNetwork(['fcm.googleapis.com', 'identitytoolkit.googleapis.com', 'oauth2.googleapis.com'])
const [stripe, esimAccess, airalo, apple, google, firebase, meta, analytics] = await Promise.all([
  network.open('stripe', sims.stripe.url),
  network.open('esim-access', sims.esimAccess.url),
  network.open('airalo', sims.airalo.url),
  network.open('apple', sims.apple.url),
  network.open('google', sims.google.url),
  network.open('firebase', sims.firebase.url),
  network.open('meta', sims.meta.url),
  network.open('analytics', sims.googleAnalytics.url),
])
const fronts = { stripe, esimAccess, airalo, apple, google, firebase, meta, analytics }
for (const front of [stripe, esimAccess, airalo, apple, google]) front.failBy(inPairs(others))
// A message that may have arrived is not repeated (docs/decisions/0005-mail-at-least-once.md).
for (const front of [meta, analytics]) front.failBy(inPairs(refusals))
firebase.failBy(inPairs([{ status: 503, body: '<html>' }]))

const context = createContext({
  ...config,
  STRIPE_API_URL: stripe.url,
  ESIM_ACCESS_URL: config.ESIM_ACCESS_URL.replace(sims.esimAccess.url, esimAccess.url),
  AIRALO_URL: config.AIRALO_URL.replace(sims.airalo.url, airalo.url),
  APPLE_URL: apple.url,
  GOOGLE_REVOKE_URL: config.GOOGLE_REVOKE_URL.replace(sims.google.url, google.url),
  FIREBASE_CONNECT_TO: firebase.host,
  FIREBASE_CONNECT_CA: network.trusted,
  META_URL: meta.url,
  GA_URL: analytics.url,
})
const worker = await startWorker(
  { ...context, temporal: harness.temporal },
  { environment: harness.stack.settings, drainMs: 1_000 },
)
afterAll(async () => {
  await worker.stop()
  await context.close()
  await network.close()
})

const statusOf = async (id: string): Promise<string> => (await service.get(`/v1/orders/${id}`)).body.status

/** Lets an order's time pass, the promised hour at most. */
async function untilWithinTheHour(id: string, wanted: string): Promise<void> {
  for (let minutes = 0; minutes < 55 && (await statusOf(id)) !== wanted; minutes += 5) {
    // Airalo's settling time is real time.
    await sql`update provider_orders set last_asked_at = last_asked_at - interval '2 minutes'
      where order_id = ${id} and provider = 'airalo' and state = 'placing'`
    await harness.fastForward(id, '5 minutes')
  }
  await harness.untilOrder(id, wanted)
}

type Person = Awaited<ReturnType<typeof harness.signUp>>

/** Asks again until the API does not answer that an outside party is down. */
async function answered(path: string, body?: object): Promise<{ id: string }> {
  const headers = { 'idempotency-key': crypto.randomUUID() }
  const answer = await untilValue(
    `an answer of ${path}`,
    () => service.post(path, body, headers),
    ({ status }) => status !== 503,
  )
  expect([200, 201], answer.text).toContain(answer.status)
  return answer.body
}

async function bought(person: Person, packageCode: string): Promise<string> {
  const order = { savedCards: true, measurement: { adUserData: true, adPersonalization: false } }
  const { id } = await answered('/v1/orders', { accountId: person.accountId, packageCode, quantity: 1, ...order })
  await sims.stripe.do('pay', { orderId: id })
  await untilWithinTheHour(id, 'delivered')
  return id
}

async function untilSent(orderId: string): Promise<void> {
  const kinds = ['mail:confirmation', 'push:confirmation', 'measurement:purchase']
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await sql<{ kind: string; state: string }[]>`select kind, state from sends where subject_id = ${orderId}`).map(
        ({ kind, state }) => [kind, state],
      ),
    )
  const areSent = (found: Record<string, string>) => kinds.every((kind) => found[kind] === 'sent')
  for (let minutes = 0; minutes < 360 && !areSent(await states()); minutes += 20)
    await harness.fastForward(orderId, '20 minutes')
  await untilValue(`the messages of ${orderId} are sent`, states, areSent)
}

test.each(eachProvider)(
  '%s: an order is delivered, told and measured once, topped up once, and another one is refunded',
  { timeout: 300_000 },
  async (_simulator, packageCode) => {
    const person = await harness.signUp()
    const id = await bought(person, packageCode)
    await untilSent(id)
    const mails = await mailsTo(harness.stack, person.email)
    expect(mails.filter(({ attachments }) => attachments.length > 0)).toHaveLength(1)
    expect(await pushesTo(harness.stack, person.pushToken)).toHaveLength(1)

    const topUp = await answered(`/v1/orders/${id}/top-up`, { packageCode: testPackages.topUp })
    await sims.stripe.do('pay', { orderId: topUp.id })
    await untilWithinTheHour(topUp.id, 'delivered')

    const unused = await bought(person, packageCode)
    await answered(`/v1/orders/${unused}/refund`)
    await untilWithinTheHour(unused, 'refunded')
    await harness.checkBooks()
    const payments = (await sims.stripe.state()).paymentIntents.filter(({ metadata }) =>
      [id, topUp.id, unused].includes(metadata.order_id ?? ''),
    )
    expect(payments.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded'])
  },
)

test('the eSIM of a disputed order is suspended, and evidence is staged for it', { timeout: 300_000 }, async () => {
  const id = await bought(await harness.signUp(), testPackages.onlyEsimAccess)
  const { dispute } = await sims.stripe.do('open-dispute', { orderId: id })
  const evidence = async () =>
    (await sims.stripe.state()).disputes.find((each) => each.id === dispute)?.evidence_details.has_evidence
  for (let minutes = 0; minutes < 120 && !(await evidence()); minutes += 10) await harness.fastForward(id, '10 minutes')
  expect(await evidence()).toBe(true)
  await until('the eSIM is suspended', async () => {
    const [esim] = await sql<{ suspended: boolean }[]>`select suspended from esims where order_id = ${id}`
    return esim?.suspended
  })
})

test('a person with every sign-in is erased at every party, and redacted at Stripe', { timeout: 300_000 }, async () => {
  const signIn = await sims.apple.do('sign-in')
  const { idToken, refreshToken = '' } = await sims.google.do('sign-in', { offline: true })
  const person = await harness.signUp({
    account: {
      apple: { identityToken: signIn.idToken, authorizationCode: signIn.code },
      google: { identityToken: idToken },
    },
  })
  const key = await dataKeys.get(sql, person.accountId)
  const sealed = cipher.encrypt(key, 'identities.refresh_token', refreshToken)
  await sql`update identities set refresh_token = ${sealed} where account_id = ${person.accountId} and provider = 'google'`
  await untilSent(await bought(person, testPackages.onlyEsimAccess))
  await answered('/v1/orders', { accountId: person.accountId, packageCode: testPackages.onlyEsimAccess, quantity: 1 })

  const deletion = await deleteAccount(harness.stack, person)
  await deletion.fastForward('2 days', { timeoutMs: 180_000 })
  const steps = ['apple', 'google', 'firebase', 'stripe', 'mail', 'database'] as const
  const states = await deletion.states()
  expect(Object.fromEntries(steps.map((step) => [step, states[step]]))).toEqual(
    Object.fromEntries(steps.map((step) => [step, 'done'])),
  )
  await sims.stripe.do('clock', { advanceSeconds: 91 * 86_400 })
  await deletion.fastForward('93 days', { timeoutMs: 180_000 })
  await deletion.until('stripe_redaction', 'done')
  expect((await sims.firebase.state()).deletedUsers).toContain(person.firebaseUid)
  const { grants } = await sims.apple.state()
  expect(grants.filter(({ sub, revokedAt }) => sub === signIn.sub && revokedAt === null)).toEqual([])
  await checkTotals(harness.stack)
})

test('the nightly comparison and the payment sweep read everything', { timeout: 300_000 }, async () => {
  await sims.stripe.do('clock', { advanceSeconds: 8 * 86_400 })
  await sims.stripe.do('pay-out')
  await runLater(harness.stack, paymentSweepType, 0, [], { timeoutMs: 240_000 })
  const report = await runLater<ReconciliationReport>(harness.stack, reconciliationType, 1, [], { timeoutMs: 240_000 })
  expect(report.failed).toEqual([])
})

test('each call of the table has reached its party while the network failed', () => {
  const arrived = new Set(Object.values(fronts).flatMap((front) => front.arrived.map(callOf)))
  const wanted = Object.values(coveredCalls).flatMap(({ network: call }) => call ?? [])
  expect(wanted.filter((call) => !arrived.has(call))).toEqual([])
})

/** Method and path without the ids of objects. */
const callOf = (request: string): string =>
  request.replace(/\?.*/, '').replaceAll(/\/(?:[a-z]+_(?=[a-z]*[A-Z0-9])[A-Za-z0-9]{8,}|\d{4,})(?=\/|$)/g, '/*')
