/**
 * U1 and C6: data serves to manage the account, and sign-in identifiers are encrypted. Pairs of passing faults of the
 * parties by which people and operators sign in refuse nobody for good, and make nobody twice.
 */
import { afterAll, afterEach, expect, test } from 'vitest'
import { createContext } from '../../context.ts'
import { createOperatorSignIn } from '../../providers/operator-sign-in.ts'
import type { Fault } from '../../sim/simulator.ts'
import { createSurfer } from '../harness/browser.ts'
import { openHarness } from '../harness/harness.ts'
import { createCaller } from '../harness/http.ts'
import { until, untilValue } from '../harness/until.ts'
import { eachOf, pairs, passing, plantPairs, shifted } from '../orders/faults/plant-pairs.ts'
import { failureOf } from '../providers/failing.ts'
import { startOpenIdProvider, trusting } from './openid-provider.ts'
import { createSignIn } from './sign-in-at-provider.ts'

const provider = await startOpenIdProvider()
afterAll(() => provider.stop())
const harness = await openHarness({
  workers: 0,
  settings: trusting(provider, 'service-desk=support'),
})
const { apple, google } = harness.sims
const { sql } = harness.context
const persons = new Map<string, Record<string, unknown>>()
const callback = '/console/sign-in/openid/callback'
const { answerOf } = createSignIn(harness.urls.api, provider)
provider.serve(`${harness.urls.api}${callback}`, persons)

const all = pairs(passing)
const keyPaths = { apple: '/auth/keys$', google: new URL(harness.config.GOOGLE_CERTS_URL).pathname } as const
const firebaseKeys = new URL(harness.config.FIREBASE_CERTS_URL).pathname

afterEach(async () => {
  await Promise.all([apple.clearFaults(), google.clearFaults()])
  expect(harness.logLines.filter((line) => /"status":500\b/.test(line))).toEqual([])
})

/** The faults of a pair after which the call has failed. */
/** How many calls fail: what was answered, however slowly, is kept and not asked for again. */
function failuresIn(pair: readonly Fault[]): number {
  const answered = pair.findIndex(({ delayMs }) => delayMs !== undefined)
  return answered < 0 ? pair.length : answered
}

// First, while the API has no keys yet.
test('notices of Apple and Google that come while their keys cannot be read are taken when they are repeated', async () => {
  const [pair = []] = all
  for (const fault of pair) {
    await apple.fault({ ...fault, match: { path: keyPaths.apple } })
    await google.fault({ ...fault, match: { path: keyPaths.google } })
  }
  const { sub } = await apple.do('sign-in')
  const [ofApple, ofGoogle] = [
    await apple.do('notify', { type: 'consent-revoked', sub }),
    await google.do('notify', { type: 'sessions-revoked', sub: 'nobody-of-ours' }),
  ]
  const statuses = async (sim: 'apple' | 'google', jti: string) =>
    (await harness.sims[sim].state()).deliveries.filter(({ id }) => id === jti).map(({ status }) => status)
  const failed = Array.from({ length: failuresIn(pair) }, () => 503)
  for (const [sim, { jti }, taken] of [
    ['apple', ofApple, 200],
    ['google', ofGoogle, 202],
  ] as const) {
    await until(`${sim} has delivered it`, async () => (await statuses(sim, jti)).includes(taken))
    expect(await statuses(sim, jti)).toEqual([...failed, taken])
  }
})

test('tokens of Apple, Google and Firebase are verified after pairs of faults at the keys, and never refused for them', async () => {
  for (const pair of all) {
    const context = createContext(harness.config)
    const [atApple, atGoogle, atFirebase] = [
      await apple.do('sign-in'),
      await google.do('sign-in'),
      await google.do('firebase-sign-in', {}),
    ]
    for (const fault of pair) {
      await apple.fault({ ...fault, match: { path: keyPaths.apple } })
      for (const path of [keyPaths.google, firebaseKeys]) await google.fault({ ...fault, match: { path } })
    }
    const reads = {
      apple: () => context.apple.verifyIdToken(atApple.idToken),
      google: () => context.google.verifyIdToken(atGoogle.idToken),
      firebase: () => context.firebaseIdToken.verifyFirebaseIdToken(atFirebase.idToken),
    }
    for (const [party, read] of Object.entries(reads)) {
      for (let failed = 0; failed < failuresIn(pair); failed += 1)
        expect(await failureOf(read()), `${party} ${JSON.stringify(pair)}`).toBe('unavailable keys_unavailable')
      expect(await read(), party).toBeDefined()
    }
    await context.close()
    await Promise.all([apple.clearFaults(), google.clearFaults()])
  }
})

test('people sign up with Apple once, after pairs of faults at the exchange of the code, or with a new code', async () => {
  await plantPairs(apple, [{ path: '/auth/token$', of: 'code=([^&]+)' }], all)
  await eachOf(all, async () => {
    const { uid, idToken } = await google.do('firebase-sign-in', {})
    await harness.sims.firebase.do('user', { uid })
    const email = `${uid.toLowerCase()}@people.example`
    const body = { email, firstName: 'Ada', lastName: 'Lovelace', firebaseUid: uid }
    let signIn = await apple.do('sign-in')
    const { sub } = signIn
    let key = crypto.randomUUID()
    const signUp = () =>
      harness.service.post(
        '/v1/accounts',
        { ...body, apple: { identityToken: signIn.idToken, authorizationCode: signIn.code } },
        { 'idempotency-key': key },
      )
    const answer = await untilValue(
      'the person has an account',
      async () => {
        const each = await signUp()
        expect([201, 409, 422, 503], each.text).toContain(each.status)
        if (each.status === 409 || each.status === 422) {
          // Apple has taken the code, and nobody has its answer: the app signs the person in again.
          expect(['request_in_progress', 'sign_in_refused'].some((code) => each.text.includes(code))).toBe(true)
          signIn = await apple.do('sign-in', { sub })
          key = crypto.randomUUID()
        }
        return each
      },
      ({ status }) => status === 201,
      { everyMs: 100 },
    )
    const rows = await sql`
      select 1 from identities where account_id = ${answer.body.id} and provider = 'apple' and refresh_token is not null`
    expect(rows).toHaveLength(1)
    expect((await createCaller(harness.urls.api, idToken).get(`/v1/accounts/${answer.body.id}`)).status).toBe(200)
  })
})

const metadata = '/.well-known/openid-configuration'

test('the address of the OpenID provider is there after pairs of faults at its metadata', async () => {
  for (const pair of all) {
    const signIn = createOperatorSignIn({
      issuerUrl: provider.issuer,
      clientId: provider.clientId,
      clientSecret: provider.clientSecret,
      scope: 'openid',
      redirectUrl: `${harness.urls.api}${callback}`,
    })
    const attempt = { state: 's', nonce: 'n', verifier: 'v'.repeat(43) }
    const undo = provider.failNext(metadata, pair)
    for (let failed = 0; failed < failuresIn(pair); failed += 1)
      expect(await failureOf(signIn.addressFor(attempt)), JSON.stringify(pair)).toMatch(
        /^(?:unavailable|misconfigured) /,
      )
    expect(await signIn.addressFor(attempt)).toContain(provider.issuer)
    undo()
  }
})

test('an operator signs in after pairs of faults at the token and at the person, or begins again', async () => {
  const [first = []] = all
  const button = createSurfer(harness.urls.api)
  provider.failNext(metadata, first)
  await untilValue(
    'the console leads on',
    async () => {
      const { status, headers } = await button.post('/console/sign-in/openid', {})
      expect([200, 503]).toContain(status)
      if (status === 503) expect(headers.get('retry-after')).toBe('10')
      return status
    },
    (status) => status === 200,
  )
  for (const number of all.keys()) {
    const subject = `sub-${number}`
    persons.set(subject, { name: `Operator ${number}`, groups: ['service-desk'] })
    const surfer = createSurfer(harness.urls.api)
    let answer = await answerOf(surfer, subject)
    for (const [at, path] of ['/token', '/me', '/jwks'].entries()) provider.failNext(path, shifted(all, number, at))
    const seen: number[] = []
    while (!seen.includes(200) && seen.length < 15) {
      const { status, headers } = await surfer.open(answer)
      seen.push(status)
      expect([200, 401, 503]).toContain(status)
      if (status === 503) expect(headers.get('retry-after')).toBe('10')
      // The code is spent, or the answer was nobody's: the operator begins again.
      if (status === 401) answer = await answerOf(surfer, subject)
    }
    expect(seen.at(-1), JSON.stringify(seen)).toBe(200)
    expect((await surfer.open('/console')).html).toContain(`Signed in as “Operator ${number}”`)
  }
})
