/**
 * Operators sign in at an OpenID provider: the role comes from a claim, and only the browser that has begun ends it.
 */
import { afterAll, expect, test } from 'vitest'
import { defaultLimits } from '../../api/http/limits.ts'
import { beginAttempt, findAttempt } from '../../api/sign-in/sign-in-attempt.ts'
import type { Operators, SecurityLog } from '../../db/connection/schema.ts'
import { disableOperator, listOperators, saveOperator } from '../../db/operator/operators.ts'
import { startBrowser } from '../browser/chromium.ts'
import { look } from '../browser/look.ts'
import { createSurfer } from '../harness/browser.ts'
import { openHarness } from '../harness/harness.ts'
import { lacks } from '../harness/optional/optional.ts'
import { startOpenIdProvider, trusting } from './openid-provider.ts'
import { beginPath, createSignIn } from './sign-in-at-provider.ts'

const provider = await startOpenIdProvider()
afterAll(() => provider.stop())
const harness = await openHarness({
  workers: 0,
  limits: { failedAuthentications: defaultLimits.failedAuthentications },
  settings: trusting(provider),
})
const { sql } = harness.context
const callback = '/console/sign-in/openid/callback'
const persons = new Map<string, Record<string, unknown>>()
provider.serve(`${harness.urls.api}${callback}`, persons)

const begin = beginPath
const { begun, answerOf, signedIn } = createSignIn(harness.urls.api, provider)

const failures = async (detail: string): Promise<number> =>
  (await sql<Pick<SecurityLog, 'detail'>[]>`select detail from security_log where detail = ${detail}`).length

test('an operator signs in at the OpenID provider, has the role of a claim, and every act bears them', async () => {
  persons.set('sub-1', { name: 'Ada', email: 'ada@ama-esim.example', groups: ['everybody', 'service-desk'] })
  expect((await createSurfer(harness.urls.api).open('/console')).html).toContain('action="/console/sign-in/openid"')
  const { surfer, shown } = await signedIn('sub-1')
  expect(shown.status).toBe(200)
  expect(shown.html).toContain('http-equiv="refresh" content="0; url=/console"')
  expect((await surfer.open('/console')).html).toContain('Signed in as “Ada”')
  expect((await surfer.open('/console/privacy-requests/3f0c3c0e-7d1c-4ef0-9b0c-1f1f5f4e2b7a')).status).toBe(403)

  const [operator] = (await listOperators(harness.context)).filter(({ name }) => name === 'Ada')
  expect(operator).toMatchObject({ role: 'support', email: 'ada@ama-esim.example', signsInBy: 'openid' })
  const events = await sql<Pick<SecurityLog, 'kind' | 'detail'>[]>`
    select kind, detail from security_log where actor = ${`operator:${operator?.id}`} or detail like ${`${operator?.id} %`}`
  expect(events.map(({ kind, detail }) => `${kind} ${detail}`)).toEqual(
    expect.arrayContaining([`operator_saved ${operator?.id} support`, 'operator_action console sign-in']),
  )

  // The same person again, promoted: the open session has the new role, too.
  persons.set('sub-1', { name: 'Ada B.', groups: ['service-desk', 'esim-admins'] })
  await signedIn('sub-1')
  expect((await surfer.open('/console')).html).toContain('Signed in as “Ada B.”')
  expect((await surfer.open('/console/privacy-requests/3f0c3c0e-7d1c-4ef0-9b0c-1f1f5f4e2b7a')).status).toBe(404)

  // Disabled here: out at once, and not let in again.
  expect(await disableOperator(harness.context, String(operator?.id), new Date())).toBe(true)
  expect((await surfer.open('/console/tasks')).status).toBe(401)
  expect((await signedIn('sub-1')).shown.status).toBe(401)
})

test('an OpenID person with the address of another operator is another operator', async () => {
  const email = 'grace@ama-esim.example'
  const saved = await saveOperator(harness.context, { name: 'Grace', email, role: 'admin', at: new Date() })
  persons.set('sub-grace', { name: 'Not Grace', email, groups: ['service-desk'] })
  expect((await signedIn('sub-grace')).shown.status).toBe(200)
  const rows = await sql<Operators[]>`select * from operators where name in ('Grace', 'Not Grace') order by name`
  expect(rows.map(({ id, role }) => [id === saved.id, role])).toEqual([
    [true, 'admin'],
    [false, 'support'],
  ])
  // A row has one way to sign in.
  await expect(sql`update operators set openid_index = ${Buffer.from('x')} where id = ${saved.id}`).rejects.toThrow(
    'operators_sign_in',
  )
})

test('a person who has no role at the OpenID provider is refused, and nobody is made an operator', async () => {
  persons.set('sub-2', { name: 'Mallory', groups: ['everybody'] })
  const { surfer, shown } = await signedIn('sub-2')
  expect(shown.status).toBe(403)
  expect((await surfer.open('/console/tasks')).status).toBe(401)
  expect(await failures('operator_openid_no_role')).toBe(1)
  expect((await listOperators(harness.context)).map(({ name }) => name)).not.toContain('Mallory')
})

test('an answer of the OpenID provider works in the browser that has asked for it, once', async () => {
  persons.set('sub-3', { name: 'Eve', groups: ['esim-admins'] })
  const eve = createSurfer(harness.urls.api)
  const answer = await answerOf(eve, 'sub-3')
  // Without an attempt, and in the browser of somebody who has begun another one: nobody is signed in as Eve.
  const victim = createSurfer(harness.urls.api)
  expect((await victim.open(answer)).status).toBe(401)
  await begun(victim)
  expect((await victim.open(answer)).status).toBe(401)
  const changed = (from: string, change: Record<string, string>): string => {
    const { pathname, searchParams } = new URL(from, harness.urls.api)
    return `${pathname}?${new URLSearchParams({ ...Object.fromEntries(searchParams), ...change })}`
  }
  // An answer to nothing that was asked leaves what was: another site can send a browser here.
  expect((await eve.open(changed(answer, { state: 'another' }))).status).toBe(401)
  expect((await eve.open(callback)).status).toBe(401)
  expect(await failures('operator_openid_no_attempt')).toBe(0)
  // The parameters of the provider's own are ignored.
  expect((await eve.open(`${answer}&session_state=x`)).status).toBe(200)
  expect((await eve.open('/console/tasks')).status).toBe(200)
  expect((await eve.open(answer)).status).toBe(401)

  // A wrong code, a refusal and an answer of elsewhere end what they answer: the right code comes too late then.
  const mallory = createSurfer(harness.urls.api)
  const wrongs = [{ code: 'another' }, { error: 'access_denied' }, { iss: 'https://elsewhere.example' }]
  for (const wrong of wrongs) {
    const right = await answerOf(mallory, 'sub-3')
    expect((await mallory.open(changed(right, wrong))).status, JSON.stringify(wrong)).toBe(401)
    expect((await mallory.open(right)).status, JSON.stringify(wrong)).toBe(401)
  }
  expect((await mallory.open('/console/tasks')).status).toBe(401)
  expect(await failures('operator_openid_rejected')).toBe(wrongs.length)
})

test('no other site begins a sign-in at the OpenID provider, and no link does', async () => {
  const surfer = createSurfer(harness.urls.api)
  for (const site of ['cross-site', 'same-site', 'none'])
    expect((await surfer.post(begin, {}, { 'sec-fetch-site': site })).status, site).toBe(403)
  const { status, headers } = await surfer.open(begin)
  expect([status, headers.get('allow'), surfer.cookies.size]).toEqual([405, 'POST', 0])
})

test('other sites that send a browser to the callback again and again keep nobody of its address from signing in', async () => {
  const surfer = createSurfer(harness.urls.api)
  for (let times = 0; times <= defaultLimits.failedAuthentications; times += 1)
    expect((await surfer.open(callback)).status).toBe(401)
  persons.set('sub-6', { name: 'Ida', groups: ['service-desk'] })
  expect((await signedIn('sub-6')).shown.status).toBe(200)
  const password = await surfer.post('/console/sign-in/person', { email: 'a@b.example', password: 'x', code: '1' })
  expect(password.status).toBe(401)
})

test('an operator can begin in two tabs and end both; the session before a sign-in ends with it', async () => {
  persons.set('sub-7', { name: 'Two tabs', groups: ['service-desk'] })
  const surfer = createSurfer(harness.urls.api)
  const [first, second] = [await answerOf(surfer, 'sub-7'), await answerOf(surfer, 'sub-7')]
  expect((await surfer.open(first)).status).toBe(200)
  expect((await surfer.open(second)).status).toBe(200)
  const earlier = createSurfer(harness.urls.api)
  for (const [name, value] of surfer.cookies) earlier.cookies.set(name, value)
  expect((await earlier.open('/console/tasks')).status).toBe(200)
  expect((await surfer.open(await answerOf(surfer, 'sub-7'))).status).toBe(200)
  expect((await earlier.open('/console/tasks')).status).toBe(401)
  expect((await surfer.open('/console/tasks')).status).toBe(200)
})

test('a name or address at the OpenID provider that nobody can store or read is cleaned, and signs its person in', async () => {
  const hostile = {
    'sub-8': { name: `Nul\0 \u202egro\ud800 ${'\u{1f30d}'.repeat(200)}`, email: 'nul\0@ama-esim.example' },
    'sub-9': { name: '\0\u2066', email: `${'x'.repeat(5_000)}@ama-esim.example` },
    'sub-10': { name: { first: 'Ada' }, email: ['ada@ama-esim.example'] },
  }
  for (const [subject, claims] of Object.entries(hostile)) {
    persons.set(subject, { ...claims, groups: ['service-desk'] })
    expect((await signedIn(subject)).shown.status, subject).toBe(200)
  }
  const operators = await listOperators(harness.context)
  const named = (start: string) => operators.find(({ name }) => name.startsWith(start))
  expect(named('Nul')).toMatchObject({
    name: `Nul gro ${'\u{1f30d}'.repeat(92)}`,
    email: 'nul@ama-esim.example',
  })
  expect(named('xxx')?.name).toBe('x'.repeat(100))
  expect(named('sub-10')).toMatchObject({ email: null })
})

test('a sign-in that has begun can be ended for ten minutes, by the browser that has begun it, and leaves its other ones', () => {
  const { context } = harness
  const at = new Date('2026-03-01T12:00:00Z')
  const later = (minutes: number) => new Date(at.getTime() + minutes * 60_000)
  const headerOf = (cookie: string) => cookie.split(';')[0] ?? ''
  const first = beginAttempt(context, undefined, at)
  const second = beginAttempt(context, headerOf(first.cookie), later(5))
  const header = headerOf(second.cookie)
  const stateOf = (state: string, minutes: number, of = header) => findAttempt(context, of, state, later(minutes))
  expect(stateOf(first.attempt.state, 10)?.attempt).toEqual(first.attempt)
  expect(stateOf(first.attempt.state, 10.1)).toBeUndefined()
  const spent = headerOf(stateOf(second.attempt.state, 9)?.spent ?? '')
  expect(stateOf(second.attempt.state, 9, spent)).toBeUndefined()
  expect(stateOf(first.attempt.state, 9, spent)?.attempt).toEqual(first.attempt)
  // A browser that makes it younger has another state.
  const younger = header.replaceAll(/(?<=[=.][\w-]{43})[0-9a-z]+/g, later(60).getTime().toString(36))
  expect(younger).not.toBe(header)
  expect(stateOf(first.attempt.state, 60, younger)).toBeUndefined()
  // Of many that were begun the newest count.
  let many = ''
  const states = Array.from({ length: 5 }, () => {
    const { attempt, cookie } = beginAttempt(context, many, at)
    many = headerOf(cookie)
    return attempt.state
  })
  expect(states.map((state) => stateOf(state, 1, many) !== undefined)).toEqual([false, false, true, true, true])
  for (const value of ['', '.', '..', 'x'.repeat(4_000), `${'a'.repeat(43)}zzzzzzzzz`])
    expect(stateOf('x', 1, `${header.split('=')[0]}=${value}`)).toBeUndefined()
})

test.skipIf(lacks('Chromium'))(
  'in a browser the way leads to the OpenID provider of another site and back into the console (skipped without Chromium)',
  async () => {
    persons.set('sub-5', { name: 'Katherine', groups: ['service-desk'] })
    const browser = await startBrowser()
    try {
      const page = await browser.newPage()
      // Of the provider's own page.
      await page.route(/fonts\.googleapis/, (route) => route.abort())
      await page.goto(`${harness.urls.api}/console`)
      await look(page, 'console-sign-in')
      await page.getByRole('button', { name: 'Sign in with your company account' }).click()
      await page.getByPlaceholder('Enter any login').fill('sub-5')
      await page.getByPlaceholder('and password').fill('any')
      await page.getByRole('button', { name: 'Sign-in' }).click()
      await page.getByRole('button', { name: 'Continue' }).click()
      await page.getByText('Signed in as “Katherine”').waitFor()
      expect(new URL(page.url()).pathname).toBe('/console')
    } finally {
      await browser.close()
    }
  },
)

test('while the OpenID provider is down, a sign-in there says so and can be repeated', async () => {
  persons.set('sub-4', { name: 'Joan', groups: ['esim-admins'] })
  const surfer = createSurfer(harness.urls.api)
  const answer = await answerOf(surfer, 'sub-4')
  provider.fail(503)
  const refused = await surfer.open(answer)
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '10'])
  provider.fail(undefined)
  expect((await surfer.open(answer)).status).toBe(200)
})
