/**
 * The persons of the console: they sign in by two factors, do what their role permits, and every act bears their name.
 */
import { randomUUID } from 'node:crypto'
import { generate } from 'otplib'
import { beforeAll, expect, test } from 'vitest'
import { createAuthenticator } from '../../api/http/auth.ts'
import { createLimiter, defaultLimits } from '../../api/http/limits.ts'
import type { AccessLog, OperatorActs, SecurityLog } from '../../db/connection/schema.ts'
import { type Credentials, disableOperator, listOperators, saveOperator } from '../../db/operator/operators.ts'
import { isPermitted, type OperatorRole, operatorRoles } from '../../policy/operators/operator-roles.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import type { OrderView } from '../harness/purchases.ts'

const harness = await shareStack()
const { context } = harness
const { sql } = context

interface Made extends Credentials {
  email: string
}

async function made(role: OperatorRole): Promise<Made> {
  const email = `${randomUUID()}@ama-esim.example`
  return { email, ...(await saveOperator(context, { name: `The ${role}`, email, role, at: new Date() })) }
}

/** The code of the authenticator; each works once, and that of the next half minute is accepted already. */
const codeOf = ({ uri }: Credentials, stepsAhead = 0): Promise<string> =>
  generate({
    secret: new URL(uri).searchParams.get('secret') ?? '',
    epoch: Math.floor(Date.now() / 1000) + 30 * stepsAhead,
  })

async function tried({
  email,
  password,
  code,
}: {
  email: string
  password: string
  code: string
}): Promise<{ surfer: Surfer; status: number }> {
  const surfer = createSurfer(harness.urls.api)
  const { status } = await surfer.submit('/console', '/console/sign-in/person', { email, password, code })
  return { surfer, status }
}

async function signedIn(operator: Made): Promise<Surfer> {
  const { surfer, status } = await tried({ ...operator, code: await codeOf(operator) })
  expect(status).toBe(303)
  return surfer
}

let person: Person
let order: OrderView
beforeAll(async () => {
  person = await harness.signUp()
  order = await harness.buy(person)
})

test('an operator signs in by password and code; a wrong one, a spent code and an unknown address are refused', async () => {
  const support = await made('support')
  const other = await made('finance')
  const code = await codeOf(support)
  expect((await tried({ ...support, password: other.password, code })).status).toBe(401)
  expect((await tried({ ...support, email: 'nobody@ama-esim.example', code })).status).toBe(401)
  expect((await tried({ ...support, code: await codeOf(other) })).status).toBe(401)
  const { surfer, status } = await tried({ ...support, email: support.email.toUpperCase(), code })
  expect(status).toBe(303)
  expect((await surfer.open('/console')).html).toContain('Signed in as “The support”')
  // Each code works once, also an older one.
  expect((await tried({ ...support, code })).status).toBe(401)
  expect((await tried({ ...support, code: await codeOf(support, -1) })).status).toBe(401)
  expect((await tried({ ...support, code: await codeOf(support, 1) })).status).toBe(303)

  const events = await sql<Pick<SecurityLog, 'kind' | 'detail'>[]>`
    select kind, detail from security_log where actor = ${`operator:${support.id}`} order by at`
  expect(events.map(({ kind, detail }) => `${kind} ${detail}`)).toEqual(
    expect.arrayContaining([
      'authentication_failed operator_password',
      'authentication_failed operator_code',
      'operator_action console sign-in',
    ]),
  )
  // Neither the address nor the secret of the authenticator is stored in the clear.
  const [row] = await sql`select to_jsonb(o)::text as text from operators o where id = ${support.id}`
  for (const secret of [support.email, support.password, new URL(support.uri).searchParams.get('secret') ?? '?'])
    expect(row?.text).not.toContain(secret)
})

test('an operator sees their sessions, and ends the others after a fresh sign-in; nobody ends those of another operator', async () => {
  const [support, other] = [await made('support'), await made('support')]
  const [here, theirs] = [await signedIn(support), await signedIn(other)]
  const { surfer: left } = await tried({ ...support, code: await codeOf(support, 1) })
  const isIn = async (surfer: Surfer) => (await surfer.open('/console/sessions')).status === 200
  const sessionsIn = (html: string) =>
    [...html.matchAll(/name="session" value="([\w-]{43})"/g)].map(([, id = '']) => id)
  const { html } = await here.open('/console/sessions')
  const [leftId = '', ...more] = sessionsIn(html)
  expect([more, html.includes('This browser'), await isIn(left)]).toEqual([[], true, true])

  const end = '/console/sessions/end'
  const csrfOf = async (surfer: Surfer) =>
    /name="csrf" value="([^"]+)"/.exec((await surfer.open('/console/sessions')).html)?.[1] ?? ''
  expect((await theirs.post(end, { csrf: await csrfOf(theirs), session: leftId })).status).toBe(303)
  expect((await theirs.post(end, { csrf: await csrfOf(theirs) })).status).toBe(303)
  expect((await here.post(end, { session: leftId })).status).toBe(403)
  expect(await isIn(left)).toBe(true)

  // Somebody who finds a console left open cannot end the sessions of its operator.
  const passed = (minutes: number) => sql`
    update web_sessions set signed_in_at = signed_in_at - make_interval(mins => ${minutes}) where operator_id = ${support.id}`
  await passed(11)
  expect((await here.open('/console/sessions')).html).toContain('sign out and in again')
  expect((await here.post(end, { csrf: await csrfOf(here), session: leftId })).status).toBe(401)
  expect(await isIn(left)).toBe(true)
  await passed(-11)
  expect((await here.submit('/console/sessions', end)).location).toBe('/console/sessions')
  expect([await isIn(here), await isIn(left), await isIn(theirs)]).toEqual([true, false, true])
})

test('codes are not guessed: after ten refused ones the right one is refused, too, and operators are told', async () => {
  const operator = await made('support')
  const wrong = await codeOf(await made('support'))
  // In pairs: so many passwords are checked at once, and who waits for a turn is refused after ten seconds.
  for (let each = 0; each < 5; each++) {
    const pair = await Promise.all([1, 2].map(() => tried({ ...operator, code: wrong })))
    expect(pair.map(({ status }) => status)).toEqual([401, 401])
  }
  expect((await tried({ ...operator, code: await codeOf(operator) })).status).toBe(429)
  expect(
    await sql`
    select 1 from attention where kind = 'operator_sign_in_guessed' and subject_id = ${operator.id}`,
  ).toHaveLength(1)
  await sql`update operators set last_failed_code_at = now() - interval '16 minutes' where id = ${operator.id}`
  await signedIn(operator)
  const [row] = await sql`select failed_codes from operators where id = ${operator.id}`
  expect(row?.failed_codes).toBe(0)
})

test('a flood of sign-ins is refused unchecked, delays no app, and locks no operator out', async () => {
  const operator = await made('support')
  const surfer = createSurfer(harness.urls.api)
  const form = { email: operator.email, password: 'wrong', code: '000000' }
  let ended = false
  const flood = Promise.all(Array.from({ length: 100 }, () => surfer.post('/console/sign-in/person', form)))
  const answers = flood.finally(() => {
    ended = true
  })
  expectStatus(await person.caller.get(`/v1/accounts/${person.accountId}`), 200)
  expect(ended).toBe(false)
  const refused = (await answers).filter(({ status }) => status === 429)
  expect(refused.every(({ headers }) => Number(headers.get('retry-after')) > 0)).toBe(true)
  const checked = await sql`
    select 1 from security_log where actor = ${`operator:${operator.id}`} and detail = 'operator_password'`
  expect(checked.length).toBeGreaterThan(0)
  expect(checked.length).toBe(100 - refused.length)
  expect(checked.length).toBeLessThan(50)
  await signedIn(operator)
})

test('a disabled operator is out at once, and new credentials end the old ones', async () => {
  const operator = await made('admin')
  const surfer = await signedIn(operator)
  const again = await saveOperator(context, { ...operator, name: 'The same', role: 'support', at: new Date() })
  expect(again.id).toBe(operator.id)
  expect((await surfer.open('/console/tasks')).status).toBe(401)
  expect((await tried({ ...operator, code: await codeOf(operator, 1) })).status).toBe(401)
  const now = await signedIn({ ...again, email: operator.email })
  expect((await now.open('/console/tasks')).status).toBe(200)
  expect(await disableOperator(context, operator.id, new Date())).toBe(true)
  expect((await now.open('/console/tasks')).status).toBe(401)
  expect((await tried({ ...again, email: operator.email, code: await codeOf(again, 1) })).status).toBe(401)
  expect((await listOperators(context)).find(({ id }) => id === operator.id)).toMatchObject({
    email: operator.email,
    role: 'support',
    disabledAt: expect.any(Date),
  })
})

test('a session that an operator key opened ends with the setting that permits keys', async () => {
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const cookie = [...surfer.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  const limiter = createLimiter(defaultLimits, context.metrics)
  for (const [setting, kind] of [
    [true, 'console'],
    [false, 'public'],
  ] as const) {
    const config = { ...context.config, CONSOLE_KEY_SIGN_IN: setting }
    const authenticate = createAuthenticator({ ...context, config }, limiter)
    const request = { headers: { cookie }, ip: '127.0.0.1', socket: {} }
    const caller = await authenticate(request, randomUUID(), ['console'])
    expect([setting, caller.kind]).toEqual([setting, kind])
  }
  limiter.stop()
})

test('each role reaches the forms and acts of its permissions, and is refused on every other', async () => {
  const pages = {
    look: `/console/accounts/${person.accountId}`,
    tasks: `/console/accounts/${person.accountId}/note`,
    orders: `/console/orders/${order.id}/resend`,
    money: `/console/orders/${order.id}/refund-part`,
    privacy: `/console/privacy-requests/${randomUUID()}`,
  } as const
  for (const role of operatorRoles) {
    const operator = await made(role)
    const surfer = await signedIn(operator)
    for (const permission of ['look', 'tasks', 'orders', 'money', 'privacy'] as const) {
      const { status, html } = await surfer.open(pages[permission])
      const allowed = permission === 'privacy' ? 404 : 200
      expect([role, permission, status]).toEqual([role, permission, isPermitted(role, permission) ? allowed : 403])
      if (status === 403) expect(html).toContain('Your role does not permit this')
    }
    const { html } = await surfer.open(`/console/orders/${order.id}`)
    for (const permission of ['orders', 'money'] as const) {
      expect([role, html.includes(`href="${pages[permission]}"`)]).toEqual([role, isPermitted(role, permission)])
    }
    if (isPermitted(role, 'orders')) continue
    const refused = await sql<Pick<SecurityLog, 'detail'>[]>`
      select detail from security_log where actor = ${`operator:${operator.id}`} and detail like '%role_insufficient'`
    expect(refused.map(({ detail }) => detail)).toContain('GET /console/orders/{id}/resend: role_insufficient')
    const csrf = /name="csrf" value="([^"]+)"/.exec((await surfer.open('/console')).html)?.[1] ?? ''
    const act = { csrf, once: randomUUID(), reason: 'an attempt' }
    expect((await surfer.post(pages.orders, act)).status).toBe(403)
  }
  expect(await sql`select 1 from operator_acts where order_id = ${order.id}`).toHaveLength(0)
})

test('every act and every read of an operator bears the person', async () => {
  const operator = await made('support')
  const surfer = await signedIn(operator)
  const page = `/console/orders/${order.id}/note`
  await surfer.submit(page, page, { reason: 'the line was bad' })
  expect((await surfer.open(`/console/orders/${order.id}`)).html).toContain('<td>The support</td>')
  const actor = `operator:${operator.id}`
  const [act] = await sql<OperatorActs[]>`select * from operator_acts where operator = ${actor}`
  expect(act).toMatchObject({ act: 'note', reason: 'the line was bad', state: 'done' })
  const reads = await sql<Pick<AccessLog, 'route' | 'session'>[]>`
    select route, session from access_log where actor_id = ${operator.id}`
  expect(reads.map(({ route }) => route)).toContain('GET /console/orders/{id}')
  expect(reads.every(({ session }) => session !== null)).toBe(true)
  const logged =
    await sql`select 1 from security_log where actor = ${actor} and detail = 'POST /console/orders/{id}/note'`
  expect(logged).toHaveLength(1)
})
