/**
 * Each listed code, in the shape that its party documents, becomes the failure of its table; another one is transient.
 */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { OutsideParty } from '../../../policy/outside-parties.ts'
import { createAiralo } from '../../../providers/airalo/airalo.ts'
import { createApple } from '../../../providers/apple.ts'
import type { CallWatch } from '../../../providers/call-watch.ts'
import { appleCodes } from '../../../providers/codes/apple.ts'
import { airaloCodes, esimAccessCodes } from '../../../providers/codes/esim.ts'
import { fcmCodes, identityToolkitCodes } from '../../../providers/codes/firebase.ts'
import { googleRevocationCodes, serviceAccountCodes } from '../../../providers/codes/google.ts'
import type { CodeMeaning } from '../../../providers/codes/meaning.ts'
import { metaCodes } from '../../../providers/codes/measurement.ts'
import { stripeCodes, stripeDeclineCodes, stripeErrorTypes } from '../../../providers/codes/stripe.ts'
import { createEsimAccess } from '../../../providers/esim-access/esim-access.ts'
import { isProviderFailure, type ProviderFailure } from '../../../providers/failure.ts'
import { createPush } from '../../../providers/firebase/push.ts'
import { createFirebaseUsers } from '../../../providers/firebase/users.ts'
import { createGoogle } from '../../../providers/google.ts'
import { createMeasurement } from '../../../providers/measurement.ts'
import { createStripe } from '../../../providers/stripe/stripe.ts'
import { startAiralo } from '../../../sim/airalo.ts'
import { startApple } from '../../../sim/apple.ts'
import { controlOf } from '../../../sim/control.ts'
import { startEsimAccess } from '../../../sim/esim-access.ts'
import { startFirebase } from '../../../sim/firebase.ts'
import { startGoogle } from '../../../sim/google.ts'
import { startMeta } from '../../../sim/meta.ts'
import type { Refusing } from '../../../sim/simulator.ts'
import { startStripe } from '../../../sim/stripe.ts'
import { notice, purchase } from '../../harness/adapters.ts'

interface Party {
  /** a call that changes something */
  ask(): Promise<unknown>
  refuse(refusing: Refusing): Promise<void>
}

async function startParties() {
  const secrets = { secretKey: 'sk_test_x', webhookSecret: 'whsec_x' }
  const [stripeSim, appleSim, googleSim, firebaseSim, metaSim, esimAccessSim, airaloSim] = await Promise.all([
    startStripe(secrets),
    startApple(),
    startGoogle(),
    startFirebase(),
    startMeta({ datasetId: '1', accessToken: 'x' }),
    startEsimAccess({ accessCode: 'x', secretKey: 'x', webhookUrl: '' }),
    startAiralo({ clientId: 'x', clientSecret: 'x', webhookUrl: '' }),
  ])
  const firebase = {
    projectId: firebaseSim.projectId,
    serviceAccount: firebaseSim.serviceAccount,
    connectTo: { host: '127.0.0.1', port: firebaseSim.tlsPort, ca: firebaseSim.ca },
  }
  const stripe = createStripe({ ...secrets, publishableKey: 'pk_test_x', apiBase: stripeSim.url })
  const apple = createApple({
    baseUrl: appleSim.url,
    teamId: appleSim.teamId,
    keyId: appleSim.keyId,
    privateKeyPem: appleSim.privateKeyPem,
    clientIds: appleSim.clientIds,
  })
  const google = createGoogle({ clientIds: googleSim.clientIds, revokeUrl: googleSim.revokeUrl })
  const push = createPush(firebase)
  const users = createFirebaseUsers(firebase)
  const measurement = createMeasurement({
    meta: { baseUrl: metaSim.url, apiVersion: 'v1', datasetId: '1', accessToken: 'x' },
  })
  const esim = { timeoutMs: 5_000 }
  const esimAccess = createEsimAccess({
    ...esim,
    baseUrl: `${esimAccessSim.url}/api/v1/open`,
    accessCode: 'x',
    secretKey: 'x',
  })
  const airalo = createAiralo({ ...esim, baseUrl: `${airaloSim.url}/v2`, clientId: 'x', clientSecret: 'x' })
  const placed = { clientRef: 'r', packageCode: 'p', quantity: 1 }
  const simulators = { stripeSim, appleSim, googleSim, firebaseSim, metaSim, esimAccessSim, airaloSim }
  const refuseAt =
    (simulator: { url: string }, path?: string, as?: string): Party['refuse'] =>
    (refusing) =>
      controlOf(simulator).refuse({ ...(path && { match: { path } }), ...(as && { as }), ...refusing })

  const parties = {
    stripe: { ask: () => stripe.cancelPayment('pi_1', 'key'), refuse: refuseAt(stripeSim) },
    apple: {
      ask: () => apple.revoke({ refreshToken: 'x', clientId: appleSim.clientIds[0] ?? '' }),
      refuse: refuseAt(appleSim),
    },
    google: { ask: () => google.revoke('x'), refuse: refuseAt(googleSim) },
    // Twice: the dry run that confirms a refusal of the token gets it as well.
    fcm: {
      ask: () => push.send(notice),
      async refuse(refusing: Refusing) {
        await controlOf(firebaseSim).clearFaults()
        await refuseAt(firebaseSim, 'messages:send')({ times: 2, ...refusing })
      },
    },
    users: { ask: () => users.deleteUser('x'), refuse: refuseAt(firebaseSim, 'accounts:delete', 'users') },
    serviceAccount: {
      async ask() {
        const fresh = createFirebaseUsers(firebase)
        await fresh.deleteUser('x').finally(() => fresh.close())
      },
      refuse: refuseAt(firebaseSim, '/token', 'token'),
    },
    meta: { ask: () => measurement.sendToMeta(purchase, new Date()), refuse: refuseAt(metaSim) },
    esimAccess: { ask: () => esimAccess.placeOrder(placed), refuse: refuseAt(esimAccessSim) },
    airalo: { ask: () => airalo.placeOrder(placed), refuse: refuseAt(airaloSim, '/orders') },
  } satisfies Record<string, Party>
  return {
    parties,
    stripeWith: (watch: CallWatch) => ({
      simulator: stripeSim,
      stripe: createStripe({
        ...secrets,
        publishableKey: 'pk_test_x',
        apiBase: stripeSim.url,
        redactionApiVersion: '2026-06-24.preview',
        watch,
      }),
    }),
    clearFaults: () => Promise.all(Object.values(simulators).map(({ url }) => controlOf({ url }).clearFaults())),
    async close() {
      await Promise.all([push.close(), users.close()])
      await Promise.all(Object.values(simulators).map((simulator) => simulator.stop()))
    },
  }
}

let started: Awaited<ReturnType<typeof startParties>>

beforeAll(async () => {
  started = await startParties()
})
beforeEach(() => started.clearFaults())
afterAll(() => started.close())

type Name = keyof Awaited<ReturnType<typeof startParties>>['parties']

async function refused(name: Name, refusing: Refusing): Promise<ProviderFailure | string> {
  const party: Party = started.parties[name]
  await party.refuse(refusing)
  const error = await party.ask().then(
    (answer) => `answered ${JSON.stringify(answer)}`,
    (thrown: unknown) => thrown,
  )
  if (typeof error === 'string' || isProviderFailure(error)) return error
  throw error
}

/** Codes that end as an answer of the adapter, not as a failure. */
const answers: Record<string, string> = {
  'google invalid_token': 'answered "unknown"',
  'users USER_NOT_FOUND': 'answered "unknown"',
  'fcm UNREGISTERED': 'answered {"outcome":"token_dead","reason":"unregistered"}',
  'fcm SENDER_ID_MISMATCH': 'answered {"outcome":"token_dead","reason":"other_sender"}',
  'fcm INVALID_ARGUMENT': 'answered {"outcome":"token_dead","reason":"invalid"}',
}

const asWrite = ({ kind, code, acts }: CodeMeaning) => ({ kind, code, needsOperator: acts !== 'nobody' })
/** Without an access token, and at Meta, nothing was applied. */
const asRead = (meaning: CodeMeaning) => ({
  ...asWrite(meaning),
  kind: meaning.kind === 'unknown_outcome' ? 'unavailable' : meaning.kind,
})
const numbers = ([code]: [string, CodeMeaning]): boolean => /^\d+$/.test(code)
const listed: [name: Name, codes: [string, CodeMeaning][], read: typeof asWrite, status?: number][] = [
  ['stripe', Object.entries(stripeCodes).filter(([code]) => code !== 'payment_intent_unexpected_state'), asWrite],
  ['stripe', Object.entries(stripeDeclineCodes), asWrite, 402],
  ['apple', Object.entries(appleCodes), asWrite],
  ['google', Object.entries(googleRevocationCodes), asWrite],
  ['fcm', Object.entries(fcmCodes), asWrite],
  ['users', Object.entries(identityToolkitCodes), asWrite],
  ['serviceAccount', Object.entries(serviceAccountCodes), asRead],
  ['meta', Object.entries(metaCodes).filter(numbers), asRead],
  ['esimAccess', Object.entries(esimAccessCodes), asWrite],
  ['airalo', Object.entries(airaloCodes).filter(numbers), asWrite],
]

test.each(listed)('%s: each listed code becomes what its table says', async (name, codes, read, status) => {
  expect(codes.length).toBeGreaterThan(2)
  for (const [code, meaning] of codes) {
    const failure = await refused(name, { code, ...(status !== undefined && { status }) })
    const answer = answers[`${name} ${code}`]
    if (answer) expect(failure, code).toBe(answer)
    else expect(failure, code).toMatchObject(read(meaning))
  }
})

/**
 * The calls that are tried with the codes of each outside party; of others where their codes are tried, or that they
 * have none.
 */
const triedBy: Readonly<Record<OutsideParty, readonly Name[] | string>> = {
  stripe: ['stripe'],
  'esim-access': ['esimAccess'],
  airalo: ['airalo'],
  smtp: 'test/providers/codes/smtp.test.ts',
  apple: ['apple'],
  google: ['google'],
  firebase: ['users', 'serviceAccount'],
  fcm: ['fcm'],
  meta: ['meta'],
  google_analytics: 'answers each event with 2xx',
}

test('each outside party is tried with its listed codes, and with one that no table has', () => {
  const wanted = Object.values(triedBy).flatMap((names) => (typeof names === 'string' ? [] : names))
  for (const tried of [listed, unknown])
    expect(new Set(tried.map(([name]): string => name))).toEqual(new Set<string>(wanted))
})

test('Stripe’s types decide about an error without a code', async () => {
  for (const [type, { kind, acts }] of Object.entries(stripeErrorTypes)) {
    const failure = await refused('stripe', { code: '', as: type })
    expect(failure, type).toMatchObject({ kind, needsOperator: acts !== 'nobody' })
  }
})

const transient = ['unavailable', 'unknown_outcome', 'misconfigured']
const unknown: [name: Name, code: string, statuses: number[], shown: string][] = [
  ['stripe', 'brand_new_code', [400, 402, 404, 409, 429, 401, 403, 424], 'brand_new_code'],
  ['apple', 'brand_new_code', [400, 402, 404, 409], 'brand_new_code'],
  ['google', 'brand_new_code', [400, 402, 404, 409], 'brand_new_code'],
  ['fcm', 'BRAND_NEW_CODE', [400, 402, 404, 409], 'brand_new_code'],
  ['users', 'BRAND_NEW_CODE', [400, 402, 404, 409], 'brand_new_code'],
  ['serviceAccount', 'brand_new_code', [400, 402, 404, 409], 'token_brand_new_code'],
  ['meta', '987654', [400, 402, 404, 409], 'graph_987654'],
  ['esimAccess', '987654', [200], 'provider_code_987654'],
  ['airalo', '987654', [400, 402, 404, 409, 422], 'provider_code_987654'],
]

test.each(unknown)('%s: a code in no table is transient and visible', async (name, code, statuses, shown) => {
  for (const status of statuses) {
    const failure = await refused(name, { code, status })
    expect(failure, String(status)).toMatchObject({ code: shown, needsOperator: true })
    expect(transient).toContain(typeof failure === 'string' ? failure : failure.kind)
  }
})

test('a code that is no word is not repeated', async () => {
  expect(await refused('stripe', { code: 'John Doe, john@example.com' })).toMatchObject({ code: 'http_400' })
  expect(await refused('users', { code: 'John Doe, john@example.com' })).toMatchObject({ code: 'http_400' })
})

test('a status that nobody knows counts as pending, and is visible', async () => {
  const unlisted: string[] = []
  const watch = {
    answered: () => undefined,
    failed: () => undefined,
    unlisted: (party: string, code: string) => void unlisted.push(`${party} ${code}`),
  }
  const { stripe, simulator } = started.stripeWith(watch)
  const object = {
    id: 'x',
    amount: 1,
    amount_received: 0,
    currency: 'eur',
    metadata: {},
    created: 1,
    status: 'brand_new',
  }
  const list = { object: 'list', has_more: false, url: '/v1/x' }
  const dispute = { ...object, reason: 'general', payment_intent: 'pi', charge: 'ch', evidence_details: {} }
  for (const body of [
    { ...object, object: 'payment_intent', latest_charge: null },
    { ...list, data: [{ ...object, object: 'refund' }] },
    { ...list, data: [{ ...dispute, object: 'dispute' }] },
    { ...object, object: 'privacy.redaction_job' },
  ])
    await controlOf(simulator).fault({ status: 200, body })
  expect(await stripe.getPayment('pi')).toMatchObject({ status: 'processing' })
  expect(await stripe.listRefunds('pi')).toMatchObject([{ status: 'pending' }])
  expect(await stripe.listDisputes('pi')).toMatchObject([{ status: 'brand_new', isOver: false, awaitsEvidence: false }])
  expect(await stripe.getRedaction('x')).toMatchObject({ status: 'redacting' })
  expect(unlisted).toEqual(['payment', 'refund', 'dispute', 'redaction'].map((what) => `stripe ${what}_brand_new`))
})
