import { randomUUID } from 'node:crypto'
import { parseSetCookie } from 'cookie'
import { expect, test } from 'vitest'
import { createWebSignIn } from '../../api/sign-in/web-sign-in.ts'
import { altered } from '../harness/altered.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { until } from '../harness/until.ts'

// Orders of erased people are in Stripe's state, and no longer in our database.
const harness = await shareStack({ books: false })
const { sql } = harness.context
const site = harness.urls.api

async function linkFor(surfer: Surfer, email: string, next = 'account'): Promise<string> {
  const links = async () =>
    (await mailsTo(harness.stack, email)).filter(({ subject }) => subject === 'Your sign-in link')
  const before = (await links()).length
  const sent = await surfer.post('/account/sign-in', { email, next })
  expect([sent.status, sent.html.includes('If there is an account')]).toEqual([200, true])
  const mail = await until('the link', async () => (await links()).slice(before).at(-1))
  return new URL(/https?:\/\/\S+\/account\/sign-in\/[\w-]{43}/.exec(mail.text)?.[0] ?? '').pathname
}

async function signIn(person: Person, next?: string): Promise<Surfer> {
  const surfer = createSurfer(site)
  const link = await linkFor(surfer, person.email, next)
  const used = await surfer.submit(link, link)
  expect([used.status, used.location]).toEqual([303, `/${next ?? 'account'}`])
  return surfer
}

test('a person sees where they are signed in, and signs out elsewhere after a fresh sign-in, of their own sessions alone', async () => {
  const [person, otherPerson] = [await harness.signUp(), await harness.signUp()]
  const [here, phone, theirs] = [await signIn(person), await signIn(person), await signIn(otherPerson)]
  const isIn = async (surfer: Surfer) => (await surfer.open('/account/data')).html.includes('Where you are signed in')
  const sessionsIn = (html: string) =>
    [...html.matchAll(/name="session" value="([\w-]{43})"/g)].map(([, id = '']) => id)
  const { html } = await here.open('/account/data')
  expect([sessionsIn(html).length, html.includes('This browser')]).toEqual([1, true])
  expect(sessionsIn((await theirs.open('/account/data')).html)).toEqual([])

  const end = '/account/sessions/end'
  const csrf = /name="csrf" value="([^"]+)"/.exec((await theirs.open('/account/data')).html)?.[1] ?? ''
  for (const session of [...sessionsIn(html), 'x'.repeat(43)])
    expect((await theirs.post(end, { csrf, session })).status).toBe(303)
  expect((await theirs.post(end, { session: sessionsIn(html)[0] ?? '' })).status).toBe(403)
  expect((await theirs.post(end, { csrf, session: '\0' })).status).toBe(400)
  expect([await isIn(here), await isIn(phone)]).toEqual([true, true])

  const ended = await here.submit('/account/data', end)
  expect([ended.status, ended.location]).toEqual([303, '/account/data'])
  expect([await isIn(here), await isIn(phone)]).toEqual([true, false])
  await sql`update web_sessions set signed_in_at = signed_in_at - interval '11 minutes' where account_id = ${person.accountId}`
  const again = await signIn(person)
  expect((await here.submit('/account/data', end)).status).toBe(401)
  const form = /name="csrf" value="([^"]+)"/.exec((await again.open('/account/data')).html)?.[1] ?? ''
  expect((await again.post(end, { csrf: form })).status).toBe(303)
  expect([await isIn(again), await isIn(here), await isIn(theirs)]).toEqual([true, false, true])
})

test('a person who has lost their phone signs out everywhere, in the app as well, after a fresh sign-in', async () => {
  const [person, otherPerson] = [await harness.signUp(), await harness.signUp()]
  const [here, elsewhere] = [await signIn(person), await signIn(person)]
  const own = async (of: Person) => (await of.caller.get(`/v1/accounts/${of.accountId}`)).status
  const end = '/account/sessions/end-everywhere'
  await sql`update web_sessions set signed_in_at = signed_in_at - interval '11 minutes' where account_id = ${person.accountId}`
  expect((await elsewhere.submit('/account/data', end)).status).toBe(401)
  expect(await own(person)).toBe(200)
  const fresh = await signIn(person)
  const ended = await fresh.submit('/account/data', end)
  expect([ended.status, ended.location]).toEqual([303, '/account'])
  expect((await fresh.open('/account')).html).toContain('You are signed out everywhere, also in the app.')
  for (const surfer of [here, elsewhere]) expect((await surfer.open('/account')).html).toContain('Send me a link')
  expect([await own(person), await own(otherPerson)]).toEqual([401, 200])
  const [device] = await sql`select push_token_index from devices where account_id = ${person.accountId}`
  expect(device).toEqual({ push_token_index: null })
  const logged =
    await sql`select actor from security_log where account_id = ${person.accountId} and kind = 'signed_out'`
  expect(logged).toEqual([{ actor: 'person' }])
})

test('a sign-in ends the session that its browser had before', async () => {
  const person = await harness.signUp()
  const surfer = await signIn(person)
  const earlier = createSurfer(site)
  for (const [name, value] of surfer.cookies) earlier.cookies.set(name, value)
  const link = await linkFor(surfer, person.email)
  await surfer.submit(link, link)
  expect((await surfer.open('/account/data')).html).toContain(person.email)
  expect((await earlier.open('/account/data')).html).not.toContain(person.email)
})

const account = async (person: Person) =>
  expectStatus(await harness.service.get(`/v1/accounts/${person.accountId}`), 200)

test('G1 G2 G4: a person signs in by a mailed link, sees their data, corrects it, and switches offers on and off', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const surfer = await signIn(person)
  const { html: bought } = await surfer.open('/account')
  for (const text of ['Germany, 1\u00a0GB', new URL(order.installUrl).pathname]) expect(bought).toContain(text)
  const { html, headers } = await surfer.open('/account/data')
  for (const text of [person.firstName, person.lastName, person.email]) expect(html).toContain(text)
  expect(headers.get('cache-control')).toBe('no-store')
  expect(headers.get('content-security-policy')).toMatch(
    /^default-src 'none'; style-src 'sha256-[^;]+; img-src 'self'; base-uri/,
  )
  expect(html).not.toContain('<script')

  const profile = { firstName: 'Anna', lastName: 'Neu', phone: '' }
  expect((await surfer.submit('/account/data', '/account/profile', profile)).location).toBe('/account/data')
  expect(await account(person)).toMatchObject({ firstName: 'Anna', lastName: 'Neu', phone: null })
  const wrong = await surfer.submit('/account/data', '/account/profile', { ...profile, phone: '0170' })
  expect([wrong.status, wrong.html.includes('phone')]).toEqual([400, true])
  const more = await surfer.submit('/account/data', '/account/profile', { ...profile, shoeSize: '43' })
  expect([more.status, more.html.includes('unknown field')]).toEqual([400, true])

  await surfer.submit('/account/data', '/account/promotions', { granted: 'on' })
  expect((await account(person)).consents.promotions).toMatchObject({ granted: true, source: 'web' })
  await surfer.submit('/account/data', '/account/promotions')
  expect((await account(person)).consents.promotions.granted).toBe(false)
  expect((await surfer.open('/account/data')).html).toMatch(/UTC: <!-- -->no|: no \(/)
})

test('a sign-in link works once, a mail scanner does not use it, and unknown addresses get the same answer', async () => {
  const person = await harness.signUp()
  const surfer = createSurfer(site)
  const link = await linkFor(surfer, person.email)
  for (let looks = 0; looks < 3; looks += 1) expect((await surfer.open(link)).html).toContain('Sign in to AMA eSIM')
  expect(surfer.cookies.size).toBe(0)
  const used = await surfer.submit(link, link)
  const [cookie] = used.headers.getSetCookie()
  expect(parseSetCookie(cookie ?? '')).toEqual({
    name: 'ama-account',
    value: expect.stringMatching(/^[\w-]{43}$/),
    path: '/',
    maxAge: 1800,
    httpOnly: true,
    sameSite: 'strict',
  })
  expect((await surfer.post(link, {})).status).toBe(404)
  expect((await createSurfer(site).open(link)).status).toBe(404)

  const otherPerson = await createSurfer(site).post('/account/sign-in', { email: `${randomUUID()}@nobody.example` })
  const known = await createSurfer(site).post('/account/sign-in', { email: person.email })
  expect([otherPerson.status, otherPerson.html]).toEqual([known.status, known.html])
})

test('the number of sign-in links to one e-mail address is limited', async () => {
  const person = await harness.signUp()
  // The page answers before a mail is sent: what it asks for is done here to its end.
  const { mailLink } = createWebSignIn(harness.context)
  for (let times = 0; times < 8; times += 1) await mailLink(person.email, 'account')
  expect(
    (await mailsTo(harness.stack, person.email)).filter(({ subject }) => subject.includes('sign-in')),
  ).toHaveLength(3)
})

test('another site cannot use a web session, and the API refuses a web session', async () => {
  const person = await harness.signUp()
  const surfer = await signIn(person)
  const fields = { firstName: 'Eve', lastName: 'Evil', phone: '' }
  const refused = [
    await surfer.post('/account/profile', fields),
    await surfer.post('/account/profile', { ...fields, csrf: 'x'.repeat(43) }),
    await surfer.post('/account/promotions', { granted: 'on' }, { 'sec-fetch-site': 'cross-site' }),
    await surfer.post('/delete-account', { understood: 'on' }),
  ]
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 403, 403])
  const login = await createSurfer(site).post(
    '/account/sign-in',
    { email: person.email },
    { 'sec-fetch-site': 'cross-site' },
  )
  expect(login.status).toBe(403)
  expect((await account(person)).firstName).toBe(person.firstName)

  const cookie = [...surfer.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  for (const path of [`/v1/accounts/${person.accountId}`, '/v1/orders', '/console/promises']) {
    const answer = await fetch(site + path, { headers: { cookie } })
    expect([path, answer.status]).toEqual([path, 401])
  }
  const deleted = await fetch(`${site}/v1/accounts/${person.accountId}`, { method: 'DELETE', headers: { cookie } })
  expect(deleted.status).toBe(401)
})

test('a web session ends by sign-out, by time and with the account', async () => {
  const person = await harness.signUp()
  const first = await signIn(person)
  const stolen = createSurfer(site)
  for (const [name, value] of first.cookies) stolen.cookies.set(name, value)
  await first.submit('/account/data', '/account/sign-out')
  expect((await first.open('/account')).html).toContain('You are signed out.')
  expect((await stolen.open('/account')).html).toContain('Send me a link')

  const second = await signIn(person)
  await sql`update web_sessions set expires_at = ${new Date()} where account_id = ${person.accountId}`
  expect((await second.open('/account')).html).toContain('Send me a link')

  const third = await signIn(person)
  expectStatus(await harness.service.delete(`/v1/accounts/${person.accountId}`), 200)
  expect((await third.open('/account')).html).toContain('Send me a link')
})

test('G5: the web export needs one click after a recent sign-in, and a new sign-in later', async () => {
  const person = await harness.signUp()
  const surfer = await signIn(person)
  const file = await surfer.open('/account/export')
  expect([file.status, JSON.parse(file.html).account.email]).toEqual([200, person.email])
  expect(file.headers.get('content-disposition')).toContain('ama-esim-export.json')
  await sql`update web_sessions set signed_in_at = ${new Date(Date.now() - 11 * 60_000)} where account_id = ${person.accountId}`
  const late = await surfer.open('/account/export')
  expect([late.status, late.html.includes('href="/account/sign-in?next=account/data"')]).toEqual([401, true])
  const anonymous = await createSurfer(site).open('/account/export')
  expect([anonymous.status, anonymous.headers.get('content-type')]).toEqual([401, 'text/html; charset=utf-8'])
})

test('G2: a person can request a new e-mail address on the web', async () => {
  const person = await harness.signUp()
  const surfer = await signIn(person)
  const email = `${randomUUID()}@new.example`
  expect((await surfer.submit('/account/data', '/account/email', { email })).location).toBe('/account/data')
  expect((await surfer.open('/account/data')).html).toContain(email)
  await until('both are asked', async () => (await mailsTo(harness.stack, email)).length === 1)
})

test('G6: a privacy request on the web is stored once when it is sent twice, and shown with its due date', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const surfer = await signIn(person)
  const message = `May I <b>know</b>? ${randomUUID()}`
  const { html } = await surfer.open('/account/data')
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''
  const sent = { once: hidden('once'), csrf: hidden('csrf'), kind: 'restriction', message }
  for (let times = 0; times < 2; times += 1) {
    expect((await surfer.post('/account/privacy-request', sent)).location).toBe('/account/data')
  }
  const { items } = expectStatus(await person.caller.get('/v1/privacy-requests'), 200)
  expect(items).toMatchObject([{ kind: 'restriction', accountId: person.accountId, state: 'open' }])
  expect(items[0].id).not.toBe(sent.once)
  const shown = await surfer.open('/account/data')
  expect(shown.html).toContain(items[0].reference)
  expect(shown.html).toContain('Do not use my data for now')
  await until('the acknowledgement', async () =>
    (await mailsTo(harness.stack, person.email)).some(({ text }) => text.includes(items[0].reference)),
  )
  // The hidden field of another person's page makes an own request: no form names the request itself.
  const other = await harness.signUp()
  const others = await signIn(other)
  const { csrf: _, ...taken } = sent
  expect((await others.submit('/account/data', '/account/privacy-request', taken)).location).toBe('/account/data')
  const named = await others.submit('/account/data', '/account/privacy-request', { ...taken, id: items[0].id })
  expect(named.status).toBe(400)
  const { items: theirs } = expectStatus(await other.caller.get('/v1/privacy-requests'), 200)
  expect(theirs).toMatchObject([{ accountId: other.accountId }])
  expect(theirs[0].id).not.toBe(items[0].id)
  // The longest text, of letters that take nine bytes each in a form.
  const longest = await others.submit('/account/data', '/account/privacy-request', {
    kind: 'other',
    message: '語'.repeat(20_000),
  })
  expect([longest.status, longest.location]).toEqual([303, '/account/data'])
  const empty = await surfer.submit('/account/data', '/account/privacy-request', { kind: 'other', message: ' ' })
  expect([empty.status, empty.html.includes('message')]).toEqual([400, true])
  expect(expectStatus(await person.caller.get('/v1/privacy-requests'), 200).items).toHaveLength(1)
  // A form that was changed before it is sent again makes another request.
  await surfer.post('/account/privacy-request', { ...sent, message: 'And why?' })
  expect(expectStatus(await person.caller.get('/v1/privacy-requests'), 200).items).toHaveLength(2)
})

test('G3: a person deletes their account on the web, and the receipt is readable by its id', async () => {
  const person = await harness.signUp()
  const [{ html: anonymous }, surfer] = [
    await createSurfer(site).open('/delete-account'),
    await signIn(person, 'delete-account'),
  ]
  expect([anonymous.includes('Sign in to delete'), anonymous.includes('understood')]).toEqual([true, false])
  const unticked = await surfer.submit('/delete-account', '/delete-account')
  expect([unticked.status, unticked.html.match(/Tick the box/g)?.length]).toEqual([400, 2])
  const [box] = /<input[^>]*name="understood"[^>]*>/.exec(unticked.html) ?? []
  expect(box).toContain('aria-invalid="true" aria-describedby="field-understood-fault"')
  const deleted = await surfer.submit('/delete-account', '/delete-account', { understood: 'on' })
  expect([deleted.status, deleted.location]).toEqual([303, expect.stringMatching(/^\/receipts\/[0-9a-f-]{36}$/)])
  expect(surfer.cookies.size).toBe(0)
  expect((await harness.service.get(`/v1/accounts/${person.accountId}`)).status).toBe(404)
  const receipt = await createSurfer(site).open(deleted.location ?? '')
  expect(receipt.html).toContain('Receipt of a deletion')
  for (const text of [person.email, person.firstName, person.accountId]) expect(receipt.html).not.toContain(text)
  for (const wrong of [randomUUID(), 'x'])
    expect((await createSurfer(site).open(`/receipts/${wrong}`)).status).toBe(404)
})

test('U3: the install page opens only by its link', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const { pathname } = new URL(order.installUrl)
  const shown = await createSurfer(site).open(pathname)
  expect([shown.status, shown.html.includes(order.esims[0].matchingId)]).toEqual([200, true])
  expect(shown.headers.get('x-robots-tag')).toBe('noindex')
  expect(shown.headers.get('referrer-policy')).toBe('no-referrer')
  const [token = ''] = pathname.split('/').slice(-1)
  expect((await createSurfer(site).open(pathname.replace(token, altered(token)))).status).toBe(404)
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/refund`), 200)
  const refunded = await createSurfer(site).open(pathname)
  expect([refunded.html.includes('was refunded'), refunded.html.includes(order.esims[0].matchingId)]).toEqual([
    true,
    false,
  ])
  expectStatus(await harness.service.delete(`/v1/accounts/${person.accountId}`), 200)
  expect((await createSurfer(site).open(pathname)).status).toBe(404)
})

test('log lines and metrics contain no link, cookie or token of a page', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const surfer = createSurfer(site)
  const link = await linkFor(surfer, person.email)
  await surfer.submit(link, link)
  await surfer.open('/account')
  const [cookie = ''] = surfer.cookies.values()
  expect(await harness.findCanaries({ link: link.split('/').at(-1) ?? '', cookie, email: person.email })).toEqual([])
})
