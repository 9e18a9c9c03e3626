/**
 * G1, U2, U3 and U6: everybody can see their data, paid means delivered or refunded, messages about orders are sent
 * once, and accounting and tax duties are met. A person finds their orders, the documents and the acts that are still
 * possible on the web.
 */
import { randomUUID } from 'node:crypto'
import { inflateSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { invoiceContent } from '../../api/pages/account/invoice-content.ts'
import { invoicePdf } from '../../api/pages/account/invoice-pdf.ts'
import { renderMyEsims } from '../../api/pages/account/my-esims.tsx'
import { findDocument } from '../../db/order/books.ts'
import { languages } from '../../messages/languages.ts'
import { textsOf } from '../../messages/texts.ts'
import { createSurfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { untilWatched } from '../harness/purchases.ts'
import { until } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

const harness = await shareStack()
const site = harness.urls.api
const gigabyte = 2 ** 30

const pageOf = (order: { id: string }): string => `/account/orders/${order.id}`

test('U3: My eSIMs shows state, validity and usage with the time it was read, and leads to installation and order', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: 'test-germany-1gb' })
  const surfer = await visit(harness.stack, person)
  const before = (await surfer.open('/account')).html
  for (const text of ['Ready to be installed', 'Valid for 7\u00a0days', order.installUrl, pageOf(order)])
    expect(before, text).toContain(text)
  expect(before).not.toContain('Read at the network on')

  const [{ iccid }] = order.esims
  const simulator = harness.sims.esimAccess
  await untilWatched(harness.stack, order.id)
  await simulator.do('install', { iccid })
  await simulator.do('use', { iccid, bytes: 0.9375 * gigabyte })
  await until('the usage is shown', async () =>
    (await surfer.open('/account')).html.includes('960\u00a0MB of 1\u00a0GB used'),
  )
  const after = (await surfer.open('/account')).html
  for (const text of ['In use', 'Read at the network on', 'Valid until']) expect(after, text).toContain(text)
  const { html } = await surfer.open(pageOf(order))
  expect(html).not.toContain('Return the unused eSIM')
  expect(html).not.toContain('Withdraw from contract here')
})

test('G1: My eSIMs leads to older orders, and from there back', async () => {
  const person = await harness.signUp()
  const [old, young] = [await harness.buy(person, { pay: false }), await harness.buy(person, { pay: false })]
  const surfer = await visit(harness.stack, person)
  const { nextCursor } = expectStatus(await person.caller.get('/v1/orders?limit=1'), 200)
  const { html } = await surfer.open(`/account?cursor=${nextCursor}`)
  const shown = [old, young].map((order) => html.includes(pageOf(order)))
  expect([...shown, html.includes('The newest orders'), html.includes('You have no eSIM')]).toEqual([
    true,
    false,
    true,
    false,
  ])
  expect((await surfer.open('/account?cursor=invented')).status).toBe(400)
  const order = {
    id: randomUUID(),
    createdAt: new Date(),
    holds: { dataBytes: gigabyte, daily: false, days: 7 },
    destination: 'DE',
    isTopUp: false,
    quantity: 1,
    status: 'unpaid' as const,
    paidAt: null,
    deliveredAt: null,
    minor: 500,
    currency: 'EUR',
    installUrl: null,
    esims: [],
  }
  const first = {
    notice: undefined,
    deadAddress: undefined,
    older: '/account?cursor=x',
    isOlder: false,
    orders: [order],
  }
  const page = { texts: textsOf('en'), supportMail: 'help@ama-esim.example', address: '/account' }
  expect(renderMyEsims(first, page)).toContain('<a href="/account?cursor=x">Older orders</a>')

  // The eSIM that is used comes before those that were bought later.
  const life = { state: 'new' as const, suspended: false, totalBytes: gigabyte, usedBytes: 0, checkedAt: new Date() }
  const dates = { validityStarts: null, activatedAt: null, unusedUntil: null, expiresAt: null }
  const esim = { ...life, ...dates, id: 'new', takesTopUps: false }
  const bought = (destination: string, usedBytes: number) => ({
    ...order,
    destination,
    status: 'delivered' as const,
    esims: [{ ...esim, usedBytes }],
  })
  const both = renderMyEsims({ ...first, orders: [bought('JP', 0), bought('DE', 1)] }, page)
  expect([...both.matchAll(/<h2>(\w+)<\/h2><span/g)].map(([, place]) => place)).toEqual(['Germany', 'Japan'])
})

test('what was bought is said in the reader’s language: the name of a package is English', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp({ account: { language: 'de' } })
  const order = await harness.buy(person, { packageCode: 'test-germany-1gb' })
  const surfer = await visit(harness.stack, person)
  for (const path of ['/account', pageOf(order), new URL(order.installUrl).pathname]) {
    const { html } = await surfer.open(path)
    expect(html, path).toContain('7\u00a0Tage')
    expect(html, path).not.toMatch(/7\sdays|Germany/)
  }
  const mailOf = async () => (await mailsTo(harness.stack, person.email)).findLast(({ html }) => html.includes('/i/'))
  const first = await until('the mail', mailOf)
  expect(first.text).toMatch(/Deutschland[\s\S]*1\sGB[\s\S]*7\sTage/)
  expect(first.text).not.toMatch(/7\sdays|Germany|pro Tag/)

  // A package with a volume for each day.
  await harness.context.sql`update packages set daily = true where code = ${order.packageCode}`
  expectStatus(await person.caller.post(`/v1/orders/${order.id}/resend`), 200)
  await until('the second mail', async () => (await mailOf())?.text.includes('1\u00a0GB pro Tag'))
  const path = `/v1/orders/${order.id}`
  expect([order.daily, expectStatus(await person.caller.get(path), 200).daily]).toEqual([false, true])
  expect(expectStatus(await person.caller.get('/v1/orders'), 200).items).toMatchObject([{ id: order.id, daily: true }])
  await harness.context.sql`update packages set daily = false where code = ${order.packageCode}`
})

test('U6: an invoice is a page and a PDF, for the person of its order alone', async () => {
  const [person, other] = [await harness.signUp(), await harness.signUp()]
  const order = await harness.buy(person)
  const [surfer, otherPerson] = [await visit(harness.stack, person), await visit(harness.stack, other)]
  const { number } = expectStatus(await person.caller.get(`/v1/orders/${order.id}`), 200).documents[0]
  const path = `${pageOf(order)}/documents/${number}`
  expect((await surfer.open(pageOf(order))).html).toContain(`href="${path}"`)

  const page = await surfer.open(path)
  expect(page.status).toBe(200)
  for (const text of [`Invoice ${number}`, person.lastName, 'VAT', 'Total', `${path}/pdf`])
    expect(page.html, text).toContain(text)
  const pdf = await surfer.open(`${path}/pdf`)
  expect([pdf.status, pdf.headers.get('content-type'), pdf.html.slice(0, 5)]).toEqual([200, 'application/pdf', '%PDF-'])
  expect(pdf.headers.get('content-disposition')).toContain(`${number}.pdf`)

  const theirs = await harness.buy(other)
  for (const wrong of [path, `${path}/pdf`, pageOf(order), `${pageOf(theirs)}/documents/${number}`]) {
    const answer = await otherPerson.open(wrong)
    expect([wrong, answer.status, answer.html.includes(person.lastName)]).toEqual([wrong, 404, false])
  }
  expect((await createSurfer(site).open(path)).status).toBe(401)
})

test('U6: the PDF of an invoice has its amounts and seller in every currency and script', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const { number } = expectStatus(await person.caller.get(`/v1/orders/${order.id}`), 200).documents[0]
  const document = await findDocument(harness.context.sql, order.id, number)
  if (!document) throw new Error('no invoice')
  for (const currency of ['EUR', 'INR', 'ILS', 'KRW', 'PHP', 'VND', 'THB']) {
    const shown = { ...document, currency, gross_minor: 123_400, seller: 'Genève Ελλάς, 12 Mëngjes Street' }
    const content = invoiceContent(shown, { name: 'Łukasz 山田', email: 'l@example.com' }, textsOf('en'))
    const text = printedIn(await invoicePdf(content, textsOf('en')))
    const [, total = ''] = content.totals.at(-1) ?? []
    for (const part of [total.replaceAll('\u00a0', ' '), 'Genève ?????, 12 Mëngjes Street', 'l@example.com'])
      expect(text, currency).toContain(part)
    expect(total).toContain(currency)
    expect(text).not.toContain('Lukasz')
  }
  // What is ours to write has the letters of the font: a question mark takes the place of one that it lacks.
  for (const language of languages) {
    const texts = textsOf(language)
    for (const kind of ['invoice', 'credit_note'] as const) {
      const content = invoiceContent({ ...document, kind }, { name: 'Ada', email: 'l@example.com' }, texts)
      expect(printedIn(await invoicePdf(content, texts)), language).not.toContain('?')
    }
  }
})

/** The text that a PDF shows, in the order in which it is drawn. */
function printedIn(pdf: Buffer): string {
  const streams = [...pdf.toString('latin1').matchAll(/stream\n(.+?)\nendstream/gs)].flatMap(([, stream = '']) => {
    try {
      return [inflateSync(Buffer.from(stream, 'latin1')).toString('latin1')]
    } catch {
      return []
    }
  })
  const runs = [...streams.join('\n').matchAll(/\[([^\]]*)\] TJ/g)]
  return runs
    .map(([, run = '']) => [...run.matchAll(/<([0-9a-f]+)>/g)].map(([, hex = '']) => hex).join(''))
    .map((hex) => new TextDecoder('windows-1252').decode(Buffer.from(hex, 'hex')))
    .join('\n')
}

test('U3: the mail of an order is sent again once for each form, and the page says so once', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const surfer = await visit(harness.stack, person)
  const mails = async () =>
    (await mailsTo(harness.stack, person.email)).filter(({ subject }) => subject.startsWith('Your eSIM for')).length
  const before = await until('the first mail', async () => (await mails()) || undefined)
  const { html } = await surfer.open(pageOf(order))
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''
  const form = { csrf: hidden('csrf'), once: hidden('once') }
  for (let times = 0; times < 2; times += 1) {
    const sent = await surfer.post(`${pageOf(order)}/resend`, form)
    expect([sent.status, sent.location]).toEqual([303, pageOf(order)])
  }
  const said = textsOf('en').t('account.notice.resent')
  expect(
    [(await surfer.open(pageOf(order))).html, (await surfer.open(pageOf(order))).html].map((it) => it.includes(said)),
  ).toEqual([true, false])
  await until('the second mail', async () => (await mails()) === before + 1)
})

test('U3: a form that may have been done comes back with its one-time value, one that was refused with another', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const surfer = await visit(harness.stack, person)
  const hidden = (html: string, name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''
  const { html } = await surfer.open(pageOf(order))
  const form = { csrf: hidden(html, 'csrf'), once: hidden(html, 'once') }
  const unknown = await harness.context.sql.begin(async (tx) => {
    await tx`lock table idempotency_keys in share row exclusive mode`
    return await surfer.post(`${pageOf(order)}/resend`, form)
  })
  expect([unknown.status, hidden(unknown.html, 'once')]).toEqual([503, form.once])
  expect(unknown.html).toContain('not known yet')
  const refused = await surfer.post(`${pageOf(order)}/resend`, { ...form, more: 'x' })
  expect(refused.status).toBe(400)
  expect(hidden(refused.html, 'once')).toMatch(/^[\w-]{36}$/)
  expect(hidden(refused.html, 'once')).not.toBe(form.once)
})

test('U2: an unused eSIM is returned after the time to withdraw is over', { tags: 'long' }, async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  await harness.context.sql`update orders set paid_at = paid_at - interval '20 days' where id = ${order.id}`
  const surfer = await visit(harness.stack, person)
  // What it does is said before its button can be touched.
  const { html } = await surfer.open(pageOf(order))
  expect(html).toMatch(/<details><summary>Return the unused eSIM<[\s\S]*cannot be undone[\s\S]*>Return it now</)
  const { status, location } = await surfer.submit(pageOf(order), `${pageOf(order)}/return`)
  expect([status, location]).toEqual([303, pageOf(order)])
  await harness.untilOrder(order.id, 'refunded')
})

test('U2: what is returned of an order of several eSIMs is said before and after, and which of them is topped up', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { quantity: 2 })
  const surfer = await visit(harness.stack, person)
  const words = async (path: string) => wordsOf((await surfer.open(path)).html)
  expect(await words('/account')).toContain('Germany, 2 × 1 GB, 7 days')
  expect(await words(pageOf(order))).toMatch(/while all 2 eSIMs are unused/)
  const withdrawal = await surfer.submit(pageOf(order), `${pageOf(order)}/withdrawal`)
  expect(wordsOf(withdrawal.html)).toContain('All 2 unused eSIMs are returned')

  const topUp = `/account/esims/${order.esims[1].id}/top-up`
  expect(await words(topUp)).toContain('Top-up: Germany, eSIM 2 of 2')
  const { location } = await surfer.submit(topUp, topUp)
  expect(await words(location ?? '')).toContain('Top-up: Germany, eSIM 2 of 2')

  await harness.context.sql`update orders set paid_at = paid_at - interval '20 days' where id = ${order.id}`
  const page = await words(pageOf(order))
  for (const said of ['Return all 2 unused eSIMs', 'none of them can be installed any more', 'Your 2 eSIMs are ready'])
    expect(page).toContain(said)
  expect((await surfer.submit(pageOf(order), `${pageOf(order)}/return`)).status).toBe(303)
  await harness.untilOrder(order.id, 'refunded')
  expect(await words(pageOf(order))).toContain('None of the 2 eSIMs can be installed.')
  expect(await words(new URL(order.installUrl).pathname)).toContain('Its eSIMs can no longer be installed.')
  const refund = await until('the mail', async () =>
    (await mailsTo(harness.stack, person.email)).find(({ subject }) => subject.startsWith('Your refund')),
  )
  expect(refund.text.replaceAll(/\s+/g, ' ')).toContain('The 2 eSIMs can no longer be installed.')
})

/** As a person reads a page: without its tags. */
const wordsOf = (html: string): string => html.replaceAll(/<[^>]*>/g, ' ').replaceAll(/\s+/g, ' ')

test('U2: an order that was not delivered is cancelled by a click, and by a second one as well', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: false })
  const surfer = await visit(harness.stack, person)
  const { html } = await surfer.open(pageOf(order))
  expect(html).toContain('Not paid yet')
  const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? ''
  for (let times = 0; times < 2; times += 1)
    expect((await surfer.post(`${pageOf(order)}/cancel`, { csrf })).location).toBe(pageOf(order))
  const after = (await surfer.open(pageOf(order))).html
  expect([after.includes('The order is cancelled.'), after.includes('Cancel the order')]).toEqual([true, false])
})

test('U2: a contract is withdrawn from in two steps, and a fault of the second keeps the name that was typed', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const surfer = await visit(harness.stack, person)
  const opened = await surfer.submit(pageOf(order), `${pageOf(order)}/withdrawal`)
  expect(opened.status).toBe(200)
  for (const text of ['Confirm withdrawal', person.email, order.id, 'without withdrawing'])
    expect(opened.html, text).toContain(text)
  expect(expectStatus(await person.caller.get(`/v1/orders/${order.id}`), 200).status).toBe('delivered')

  const csrf = /name="csrf" value="([^"]+)"/.exec(opened.html)?.[1] ?? ''
  const tooLong = 'Anna '.repeat(50).trim()
  const refused = await surfer.post(`${pageOf(order)}/withdrawal/confirm`, { csrf, name: tooLong })
  expect([refused.status, refused.html.includes(tooLong), refused.html.includes('id="field-name-fault"')]).toEqual([
    400,
    true,
    true,
  ])
  const stated = await surfer.post(`${pageOf(order)}/withdrawal/confirm`, { csrf, name: 'Anna Neu' })
  expect([stated.status, stated.location]).toEqual([303, pageOf(order)])
  const { html } = await surfer.open(pageOf(order))
  expect(html).toContain('Your withdrawal was received.')
  await harness.untilOrder(order.id, 'refunded')
  const { refund } = { refund: (await surfer.open(pageOf(order))).html }
  for (const text of ['Refunded', 'Credit note', 'Withdrawn']) expect(refund, text).toContain(text)
  await until('the acknowledgement', async () =>
    (await mailsTo(harness.stack, person.email)).some(({ text }) => text.includes('Anna Neu')),
  )
})

test('U2: a withdrawal is acknowledged with the words in which it was stated, whatever the language of the account', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const surfer = await visit(harness.stack, person)
  surfer.cookies.set('lang', 'de')
  const opened = await surfer.submit(pageOf(order), `${pageOf(order)}/withdrawal`)
  const words = `Hiermit widerrufe ich den Vertrag der Bestellung ${order.id}.`
  expect(opened.html).toContain(words)
  const csrf = /name="csrf" value="([^"]+)"/.exec(opened.html)?.[1] ?? ''
  const stated = await surfer.post(`${pageOf(order)}/withdrawal/confirm`, { csrf, name: 'Anna Neu' })
  expect(stated.status).toBe(303)
  await until('the acknowledgement', async () =>
    (await mailsTo(harness.stack, person.email)).some(({ text }) => text.includes(words)),
  )
  // A repeat in another language does not change what was stated.
  const repeated = await person.caller.post(`/v1/orders/${order.id}/withdrawal`, { name: 'Another' })
  expect(expectStatus(repeated, 200)).toMatchObject({ statement: words, name: 'Anna Neu' })
})

test('a refused form comes back with what was typed, the fault at its field, and nothing saved', async () => {
  const person = await harness.signUp()
  const surfer = await visit(harness.stack, person)
  const typed = { firstName: 'Anna <b>', lastName: 'Neu', phone: '0170' }
  const { status, html, headers } = await surfer.submit('/account/data', '/account/profile', typed)
  expect([status, headers.get('content-security-policy')]).toEqual([400, expect.stringContaining("form-action 'self'")])
  for (const text of [
    'value="Anna &lt;b&gt;"',
    'value="0170"',
    'id="field-phone-fault"',
    'aria-describedby="field-phone-hint field-phone-fault"',
    'href="#field-phone"',
    '<title>Error: My data',
  ]) {
    expect(html, text).toContain(text)
  }
  expect(html).not.toContain('id="field-lastName-fault"')
  expect(expectStatus(await harness.service.get(`/v1/accounts/${person.accountId}`), 200).lastName).toBe(
    person.lastName,
  )

  const anonymous = await createSurfer(site).post('/account/sign-in', { email: 'anna@', next: 'account/data' })
  expect([
    anonymous.status,
    anonymous.html.includes('value="anna@"'),
    anonymous.html.includes('value="account/data"'),
  ]).toEqual([400, true, true])
  const long = 'x'.repeat(20_001)
  const asked = await surfer.submit('/account/data', '/account/privacy-request', { kind: 'other', message: long })
  expect([asked.status, asked.html.includes(long), asked.html.includes('value="other" selected')]).toEqual([
    400,
    true,
    true,
  ])
})

test('a page confirms an act once, and no address can make a page show the confirmation', async () => {
  const person = await harness.signUp()
  const surfer = await visit(harness.stack, person)
  const profile = { firstName: 'Anna', lastName: 'Neu', phone: '' }
  const saved = await surfer.submit('/account/data', '/account/profile', profile)
  expect(saved.location).toBe('/account/data')
  expect(saved.headers.getSetCookie()).toEqual([
    expect.stringMatching(/^ama-notice=profile; .*HttpOnly; SameSite=Strict/),
  ])
  const said = 'Your name and phone number are saved.'
  const shown = [await surfer.open('/account/data'), await surfer.open('/account/data')]
  expect(shown.map(({ html }) => html.includes(said))).toEqual([true, false])
  expect((await surfer.open('/account?notice=profile')).status).toBe(400)
  surfer.cookies.set('ama-notice', '__proto__')
  expect((await surfer.open('/account')).status).toBe(200)
})

test('every page and every problem page has a way on', async () => {
  const person = await harness.signUp()
  const surfer = await visit(harness.stack, person)
  const ways = [
    await surfer.open(`/account/orders/${randomUUID()}`),
    await createSurfer(site).open(`/i/${'A'.repeat(43)}`),
    await createSurfer(site).open('/account/data?x=1'),
    await createSurfer(site).open(`/account/orders/${randomUUID()}`),
  ]
  expect(ways.map(({ status, html }) => [status, /class="way" href="([^"]+)"/.exec(html)?.[1]])).toEqual([
    [404, '/account'],
    [404, '/account'],
    [400, '/'],
    [401, '/'],
  ])
})

test('U3: a held order is announced by mail and on its page, with why and until when', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' })
  const mail = await until('the mail', async () =>
    (await mailsTo(harness.stack, person.email)).find(({ subject }) =>
      subject.startsWith('We are checking your order'),
    ),
  )
  const until24h = /If we have not decided by (.+? UTC), you get your money back/
  const surfer = await visit(harness.stack, person)
  // Who looks for what they have paid for must not think that it has to be bought again.
  const mine = (await surfer.open('/account')).html
  expect(mine).toMatch(/Being checked.*If we have not decided by/s)
  expect(mine).not.toContain('You have no eSIM')
  const { html } = await surfer.open(pageOf(order))
  expect(until24h.exec(html)?.[1]).toBe(until24h.exec(mail.text.replaceAll(/\s+/g, ' '))?.[1])
  for (const text of [mail.text.replaceAll(/\s+/g, ' '), html]) expect(text).toContain('something unusual')
  expect((await harness.operator.post(`/v1/orders/${order.id}/approve`)).status).toBe(200)
  await harness.untilOrder(order.id, 'delivered')
})
