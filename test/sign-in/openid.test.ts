/** Operators sign in at an OpenID provider: the role comes from a claim, and only the browser that has begun ends it. */
import { afterAll, expect, test } from 'vitest'
import type { Operators, SecurityLog } from '../../db/connection/schema.ts'
import { disableOperator, listOperators, saveOperator } from '../../db/operator/operators.ts'
import { hasBrowser, startBrowser } from '../browser/chromium.ts'
import { look } from '../browser/look.ts'
import { createSurfer, type Shown, type Surfer } from '../harness/browser.ts'
import { openHarness } from '../harness/harness.ts'
import { startOpenIdProvider } from './openid-provider.ts'

const provider = await startOpenIdProvider()
afterAll(() => provider.stop())
const harness = await openHarness({
  workers: 0,
  settings: {
    OPERATOR_OPENID_ISSUER_URL: provider.issuer,
    OPERATOR_OPENID_CLIENT_ID: provider.clientId,
    OPERATOR_OPENID_CLIENT_SECRET: provider.clientSecret,
    OPERATOR_OPENID_ROLES_CLAIM: 'groups',
    OPERATOR_OPENID_ROLES: 'esim-admins=admin,service-desk=support',
  },
})
const { sql } = harness.context
const callback = '/console/sign-in/openid/callback'
const persons = new Map<string, Record<string, unknown>>()
provider.serve(`${harness.urls.api}${callback}`, persons)

/** Signs in at the provider. @returns path and query of the address to which it sends the browser back */
async function answerOf(surfer: Surfer, subject: string): Promise<string> {
  const begun = await surfer.open('/console/sign-in/openid')
  expect(begun.status).toBe(303)
  const there = createSurfer(provider.issuer)
  let shown: Shown = await there.open(String(begun.location))
  for (let steps = 0; steps < 12; steps += 1) {
    const location = shown.location
    if (location?.startsWith(harness.urls.api)) return location.slice(harness.urls.api.length)
    if (location) shown = await there.open(location)
    else {
      const [, action = ''] = /<form [^>]*action="([^"]+)"/.exec(shown.html) ?? []
      const prompt = shown.html.includes('name="login"')
        ? { prompt: 'login', login: subject, password: 'any' }
        : { prompt: 'consent' }
      shown = await there.post(action, prompt)
    }
  }
  throw new Error('the provider does not send the browser back')
}

async function signedIn(subject: string): Promise<{ surfer: Surfer; shown: Shown }> {
  const surfer = createSurfer(harness.urls.api)
  const shown = await surfer.open(await answerOf(surfer, subject))
  return { surfer, shown }
}

const failures = async (detail: string): Promise<number> =>
  (await sql<Pick<SecurityLog, 'detail'>[]>`select detail from security_log where detail = ${detail}`).length

test('an operator signs in at the OpenID provider, has the role of a claim, and every act bears them', async () => {
  persons.set('sub-1', { name: 'Ada', email: 'ada@ama-esim.example', groups: ['everybody', 'service-desk'] })
  expect((await createSurfer(harness.urls.api).open('/console')).html).toContain('href="/console/sign-in/openid"')
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

test('an OpenID person with the address of another operator is somebody else', async () => {
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

test('who has no role at the OpenID provider is refused, and nobody is made an operator', async () => {
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
  await victim.open('/console/sign-in/openid')
  expect((await victim.open(answer)).status).toBe(401)
  // Other codes, states and refusals; the parameters of the provider's own are ignored.
  for (const change of [{ state: 'another' }, { code: 'another' }, { iss: 'https://elsewhere.example' }]) {
    const changed = new URL(answer, harness.urls.api)
    for (const [name, value] of Object.entries(change)) changed.searchParams.set(name, value)
    expect((await eve.open(changed.pathname + changed.search)).status, JSON.stringify(change)).toBe(401)
  }
  const state = new URL(answer, harness.urls.api).searchParams.get('state')
  const refused = new URLSearchParams({ error: 'access_denied', state: state ?? '', iss: provider.issuer })
  expect((await eve.open(`${callback}?${refused}`)).status).toBe(401)
  expect((await eve.open('/console/tasks')).status).toBe(401)
  expect(await failures('operator_openid_no_attempt')).toBe(1)
  expect(await failures('operator_openid_rejected')).toBe(5)

  expect((await eve.open(`${answer}&session_state=x`)).status).toBe(200)
  expect((await eve.open('/console/tasks')).status).toBe(200)
  expect((await eve.open(answer)).status).toBe(401)
})

test.skipIf(!hasBrowser)(
  'in a browser the way leads to the OpenID provider of another site and back into the console',
  async () => {
    persons.set('sub-5', { name: 'Katherine', groups: ['service-desk'] })
    const browser = await startBrowser()
    try {
      const page = await browser.newPage()
      // Of the provider's own page.
      await page.route(/fonts\.googleapis/, (route) => route.abort())
      await page.goto(`${harness.urls.api}/console`)
      await look(page, 'console-sign-in')
      await page.getByRole('link', { name: 'Sign in with your company account' }).click()
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
