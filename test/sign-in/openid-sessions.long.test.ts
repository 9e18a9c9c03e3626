/**
 * A session of an operator lasts while the OpenID provider confirms them: it is asked again, and can end sessions
 * itself.
 */
import { randomUUID } from 'node:crypto'
import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { Operators, SecurityLog, WebSessions } from '../../db/connection/schema.ts'
import { periods } from '../../policy/periods.ts'
import { altered } from '../harness/altered.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { openHarness } from '../harness/harness.ts'
import { startOpenIdProvider, trusting } from './openid-provider.ts'
import { createSignIn } from './sign-in-at-provider.ts'

const provider = await startOpenIdProvider()
afterAll(() => provider.stop())
const harness = await openHarness({
  workers: 0,
  settings: trusting(provider),
})
const { sql } = harness.context
const { signedIn } = createSignIn(harness.urls.api, provider)
const logoutPath = '/v1/webhooks/openid'
const persons = new Map<string, Record<string, unknown>>()

const serve = (more: { refreshTokens?: boolean; logoutUrl?: string }): void =>
  provider.serve(`${harness.urls.api}/console/sign-in/openid/callback`, persons, more)
beforeEach(() => {
  provider.fail(undefined)
  serve({ refreshTokens: true, logoutUrl: `${harness.urls.api}${logoutPath}` })
})

/** A person of this name, who is signed in. */
async function somebody(groups = ['service-desk']): Promise<{ subject: string; surfer: Surfer; there: Surfer }> {
  const subject = randomUUID()
  persons.set(subject, { name: subject, groups })
  const there = createSurfer(provider.issuer)
  const { surfer, shown } = await signedIn(subject, there)
  expect(shown.status).toBe(200)
  return { subject, surfer, there }
}

const statusOf = async ({ surfer }: { surfer: Surfer }, path = '/console/tasks') => (await surfer.open(path)).status
/** Has the last answer of the provider be older. */
const age = (ms: number) =>
  sql`update web_sessions set openid_confirmed_at = openid_confirmed_at - ${ms} * interval '1 millisecond',
    openid_asked_at = openid_asked_at - ${ms} * interval '1 millisecond'`
const { confirmEveryMs, confirmWithinMs } = periods.operatorConfirmation
const sessionsOf = (name: string) => sql<WebSessions[]>`
  select s.* from web_sessions s join operators o on o.id = s.operator_id where o.name = ${name}`
const refusals = async (name: string) =>
  (
    await sql<Pick<SecurityLog, 'detail'>[]>`
      select detail from security_log l join operators o on l.actor = 'operator:' || o.id
      where o.name = ${name} and l.kind = 'authentication_failed'`
  ).map(({ detail }) => detail)

test('an operator who was removed at the OpenID provider is out within minutes, and others work on', async () => {
  const [removed, other] = [await somebody(), await somebody()]
  persons.delete(removed.subject)
  // The last answer is new enough.
  expect(await statusOf(removed)).toBe(200)
  await age(confirmEveryMs)
  expect(await statusOf(removed)).toBe(401)
  expect(await statusOf(other)).toBe(200)
  expect(await sessionsOf(removed.subject)).toEqual([])
  expect(await refusals(removed.subject)).toEqual(['operator_openid_ended'])
})

test('an operator who has lost every role at the OpenID provider is out, in all browsers; one with another role has that one', async () => {
  const lost = await somebody(['esim-admins'])
  const { surfer: otherBrowser } = await signedIn(lost.subject)
  const changed = await somebody(['esim-admins'])
  const privacy = '/console/privacy-requests/3f0c3c0e-7d1c-4ef0-9b0c-1f1f5f4e2b7a'
  expect(await statusOf(changed, privacy)).toBe(404)
  persons.set(lost.subject, { name: lost.subject, groups: ['everybody'] })
  persons.set(changed.subject, { name: changed.subject, groups: ['service-desk'] })
  await age(confirmEveryMs)
  expect(await statusOf(lost)).toBe(401)
  expect(await statusOf({ surfer: otherBrowser })).toBe(401)
  expect(await statusOf(changed, privacy)).toBe(403)
  expect(await refusals(lost.subject)).toEqual(['operator_openid_no_role'])
  const saved = await sql<Pick<SecurityLog, 'detail'>[]>`
    select detail from security_log l join operators o on l.detail = o.id || ' support'
    where o.name = ${changed.subject} and l.kind = 'operator_saved'`
  expect(saved).toHaveLength(1)
})

test('the provider is asked once for each session, however many requests come at the same time', async () => {
  const person = await somebody()
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await age(confirmWithinMs)
    const statuses = await Promise.all(Array.from({ length: 8 }, () => statusOf(person)))
    expect(statuses).toEqual(Array.from({ length: 8 }, () => 200))
  }
  const [session] = await sessionsOf(person.subject)
  // The token is encrypted as every secret of ours: the same token has another text each time.
  expect(session?.openid_refresh_token?.toString('latin1')).not.toMatch(/^[\w-]{20,}$/)
  expect(await refusals(person.subject)).toEqual([])
})

test('while the OpenID provider does not answer, operators work on for a quarter of an hour, and then wait for it', async () => {
  const person = await somebody()
  provider.fail(503)
  await age(confirmEveryMs)
  expect(await statusOf(person)).toBe(200)
  await age(confirmWithinMs - confirmEveryMs)
  const { status, headers } = await person.surfer.open('/console/tasks')
  expect([status, headers.get('retry-after')]).toEqual([503, '10'])
  provider.fail(undefined)
  // A request of a moment ago may still wait for the answer.
  await age(30_000)
  expect(await statusOf(person)).toBe(200)
})

test('a session about which the OpenID provider cannot be asked ends after half an hour', async () => {
  serve({})
  const { subject } = await somebody()
  const [session] = await sessionsOf(subject)
  const lifeMs = Number(session?.expires_at) - Number(session?.signed_in_at)
  expect([lifeMs, session?.openid_refresh_token]).toEqual([periods.webSession.unconfirmedOperatorMs, null])
  await expect(
    sql`update web_sessions set openid_confirmed_at = null, openid_asked_at = now()
      where token_hash = ${session?.token_hash ?? null}`,
  ).rejects.toThrow('web_sessions_openid')
})

test('an answer about another person confirms no operator', async () => {
  const [person, other] = [await somebody(['esim-admins']), await somebody(['esim-admins'])]
  const [[mine], [theirs]] = [await sessionsOf(person.subject), await sessionsOf(other.subject)]
  await sql`update web_sessions set openid_refresh_token = ${theirs?.openid_refresh_token ?? null}
    where token_hash = ${mine?.token_hash ?? null}`
  await age(confirmEveryMs)
  expect(await statusOf(person)).toBe(401)
  expect(await refusals(person.subject)).toEqual(['operator_openid_another_person'])
})

test('an operator who signs out at the OpenID provider is signed out here at once, in the browsers of that session', async () => {
  const { subject, surfer, there } = await somebody()
  const sameThere = await signedIn(subject, there)
  const elsewhere = await signedIn(subject)
  const { html } = await there.open('/session/end')
  const [, xsrf = ''] = /name="xsrf" value="([^"]+)"/.exec(html) ?? []
  await there.post('/session/end/confirm', { xsrf, logout: 'yes' })
  expect(await statusOf({ surfer })).toBe(401)
  expect(await statusOf(sameThere)).toBe(401)
  expect(await statusOf(elsewhere)).toBe(200)
  const events = await sql`
    select from security_log l join operators o on l.actor = 'operator:' || o.id
    where o.name = ${subject} and l.detail = 'console sign-out at the OpenID provider'`
  expect(events).toHaveLength(1)
})

const logout = 'http://schemas.openid.net/event/backchannel-logout'
const seconds = (offset = 0) => Math.floor(Date.now() / 1000) + offset
const claimsFor = (sub: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: provider.issuer,
  aud: provider.clientId,
  sub,
  iat: seconds(),
  exp: seconds(120),
  jti: randomUUID(),
  events: { [logout]: {} },
  ...more,
})
const signed = (claims: Record<string, unknown>, key = provider.signingKey, header = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one', typ: 'logout+jwt', ...header }).sign(key)
const send = async (
  token: string | undefined,
  body = new URLSearchParams(token === undefined ? {} : { logout_token: token }),
) => (await fetch(new URL(logoutPath, harness.urls.api), { method: 'POST', body })).status

test('a forged logout token is refused, whatever is wrong with it, and ends nothing', async () => {
  const person = await somebody()
  const { subject: sub } = person
  const right = claimsFor(sub)
  const without = (name: string) => Object.fromEntries(Object.entries(right).filter(([each]) => each !== name))
  const { privateKey: foreign } = await generateKeyPair('RS256')
  const { privateKey: curve } = await generateKeyPair('ES256')
  const hmac = new TextEncoder().encode(provider.clientSecret)
  const [head = '', body = '', signature = ''] = (await signed(right)).split('.')
  const forgeries: Record<string, string | undefined | Promise<string>> = {
    'none at all': undefined,
    'an empty one': '',
    'no token': 'not.a.token',
    unsigned: new UnsecuredJWT(right).encode(),
    'signed with another key': signed(right, foreign),
    'signed with a key that nobody publishes': signed(right, foreign, { kid: 'two' }),
    'signed with the client secret': new SignJWT(right).setProtectedHeader({ alg: 'HS256' }).sign(hmac),
    'signed with a curve': new SignJWT(right).setProtectedHeader({ alg: 'ES256', kid: 'one' }).sign(curve),
    'with an altered signature': `${head}.${body}.${altered(signature)}`,
    'with another body': `${head}.${Buffer.from(JSON.stringify(claimsFor(sub))).toString('base64url')}.${signature}`,
    'of another issuer': signed({ ...right, iss: 'https://elsewhere.example' }),
    'for another client': signed({ ...right, aud: 'another' }),
    'without an audience': signed(without('aud')),
    'that has expired': signed({ ...right, iat: seconds(-300), exp: seconds(-60) }),
    'without an expiry': signed(without('exp')),
    'without its time': signed(without('iat')),
    'without an id': signed(without('jti')),
    'with an id that is no text': signed({ ...right, jti: 1 }),
    'without events': signed(without('events')),
    'with another event': signed({ ...right, events: { 'http://schemas.openid.net/event/other': {} } }),
    'with an event that is no object': signed({ ...right, events: { [logout]: true } }),
    'with a list of events': signed({ ...right, events: [logout] }),
    'with a nonce, as an ID token': signed({ ...right, nonce: 'x' }),
    'of nobody': signed(without('sub')),
    'of an empty session alone': signed({ ...without('sub'), sid: '' }),
    'of a session that is no text': signed({ ...right, sid: { a: 1 } }),
    'of a subject that is no text': signed({ ...right, sub: [sub] }),
  }
  for (const [what, token] of Object.entries(forgeries)) expect([what, await send(await token)]).toEqual([what, 400])
  const twice = new URLSearchParams([
    ['logout_token', await signed(right)],
    ['logout_token', await signed(right)],
  ])
  expect(await send(undefined, twice)).toBe(400)
  expect(
    (await fetch(new URL(`${logoutPath}?logout_token=${await signed(right)}`, harness.urls.api), { method: 'POST' }))
      .status,
  ).toBe(400)
  expect(await statusOf(person)).toBe(200)
  // The right one: nothing else was wrong with them.
  expect(await send(await signed(right))).toBe(200)
  expect(await statusOf(person)).toBe(401)
})

test('a logout token ends the sessions of its person or session, and none that has begun since', async () => {
  const person = await somebody()
  const [ours] = await sql<Operators[]>`select * from operators where name = ${person.subject}`
  const token = await signed(claimsFor(person.subject))
  expect(await send(await signed(claimsFor(randomUUID())))).toBe(200)
  expect(await send(await signed(claimsFor(person.subject, { sid: 'another' })))).toBe(200)
  expect(await statusOf(person)).toBe(200)
  expect(await send(token)).toBe(200)
  expect(await statusOf(person)).toBe(401)
  // A replay, and another token from before the next sign-in.
  const { surfer } = await signedIn(person.subject)
  expect(await send(token)).toBe(200)
  expect(await send(await signed(claimsFor(person.subject, { iat: seconds(-60) })))).toBe(200)
  expect(await statusOf({ surfer })).toBe(200)
  // An operator who signs in with a password here is not one of the provider's.
  expect(ours?.openid_index).not.toBeNull()
})
