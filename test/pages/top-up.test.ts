/**
 * U2: paid means delivered or refunded. More data for an eSIM, ordered on the web and paid on Stripe's page: one
 * payment is one top-up, and none is none.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

// Orders of erased people are in Stripe's state, and no longer in our database.
const harness = await shareStack({ books: false })
const site = harness.urls.api
const stripeSim = harness.sims.stripe
const [card, declinedCard] = ['4242424242424242', '4000000000000002']

/** A person with an eSIM, signed in, and the path of its top-ups. */
async function withEsim() {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const surfer = await visit(harness.stack, person)
  const [{ id, iccid }] = order.esims
  return { person, surfer, iccid: String(iccid), path: `/account/esims/${id}/top-up` }
}

/** Orders a top-up. @returns the path of its page, its id, and the address at Stripe */
async function ordered(surfer: Surfer, path: string) {
  const { status, location } = await surfer.submit(path, path)
  expect([status, location]).toEqual([303, expect.stringMatching(/^\/account\/orders\/[0-9a-f-]{36}$/)])
  const orderPath = location ?? ''
  return { orderPath, id: orderPath.split('/').at(-1) ?? '', payAt: await payAddress(surfer, orderPath) }
}

const payAddress = async (surfer: Surfer, path: string): Promise<string> =>
  /href="(http[^"]+\/c\/pay\/[^"]+)"/.exec((await surfer.open(path)).html)?.[1] ?? ''

const pay = (address: string, number = card) =>
  fetch(address, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ number }) })

const paymentsOf = async (orderId: string) =>
  (await stripeSim.state()).paymentIntents.filter(({ metadata }) => metadata.order_id === orderId)

const orderOf = async (person: Person, id: string) => expectStatus(await person.caller.get(`/v1/orders/${id}`), 200)

test('U2: a top-up is ordered once for each form, paid once on the page of Stripe, and then on the eSIM', async () => {
  const { person, surfer, path } = await withEsim()
  expect((await surfer.open('/account')).html).toContain(`href="${path}"`)
  const { html } = await surfer.open(path)
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''
  const form = { csrf: hidden('csrf'), once: hidden('once'), packageCode: testPackages.topUp }
  const sent = [await surfer.post(path, form), await surfer.post(path, form)]
  expect(sent.map(({ status }) => status)).toEqual([303, 303])
  const [location, again] = sent.map((each) => each.location)
  expect(again).toBe(location)
  const id = location?.split('/').at(-1) ?? ''
  expect(await orderOf(person, id)).toMatchObject({
    status: 'awaiting_payment',
    payment: null,
  })

  // Left and opened again: the way to pay is still there, and Stripe has no payment yet.
  const payAt = await payAddress(surfer, location ?? '')
  expect(await payAddress(surfer, location ?? '')).toBe(payAt)
  expect(await paymentsOf(id)).toEqual([])

  const declined = await pay(payAt, declinedCard)
  expect(declined.status).toBe(402)
  const paid = await pay(payAt)
  expect([paid.status, paid.headers.get('location')]).toEqual([303, `${site}/account/paid?order=${id}`])
  expect((await createSurfer(site).open(`/account/paid?order=${id}`)).html).toContain(`href="/account/orders/${id}"`)
  // The box was not ticked: the right of withdrawal does not end with the first use.
  expect((await harness.untilOrder(id, 'delivered')).performanceConsent).toBeNull()
  await until('the eSIM has the data', async () => {
    const { items } = expectStatus(await person.caller.get(`/v1/accounts/${person.accountId}/esims`), 200)
    return items[0].totalBytes === 2 * 2 ** 30
  })

  const twice = await pay(payAt)
  expect([twice.status, (await twice.text()).includes('this was paid')]).toEqual([200, true])
  expect((await paymentsOf(id)).map(({ status }) => status)).toEqual(['succeeded'])
  const shown = await surfer.open(location ?? '')
  for (const text of ['The data is on your eSIM.', 'Invoice']) expect(shown.html, text).toContain(text)
  expect(shown.html).not.toContain('/c/pay/')
})

test('U2: a form whose payment page was made without us hearing of it is taken when it is sent again', {
  tags: 'long',
}, async () => {
  const { surfer, path } = await withEsim()
  const { html } = await surfer.open(path)
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''
  const form = { csrf: hidden('csrf'), once: hidden('once'), packageCode: testPackages.topUp }
  await stripeSim.fault({ match: { method: 'POST', path: '/v1/checkout/sessions$' }, cut: 'after', times: 1_000 })
  expect((await surfer.post(path, form)).status).toBe(503)
  await stripeSim.clearFaults()
  // The page ends an hour after each checkout, so that the second asks for another end.
  const before = Math.floor(Date.now() / 1000)
  await until('the next second', () => Math.floor(Date.now() / 1000) > before)
  const { status, location } = await surfer.post(path, form)
  expect(status).toBe(303)
  const id = location?.split('/').at(-1) ?? ''
  await pay(await payAddress(surfer, location ?? ''))
  await harness.untilOrder(id, 'delivered')
  expect((await paymentsOf(id)).map((each) => each.status)).toEqual(['succeeded'])
})

test('U2: the consent to delivery at once is recorded, and confirmed by mail, in the language in which it was shown', async () => {
  const { person, surfer, path } = await withEsim()
  surfer.cookies.set('lang', 'de')
  const { html } = await surfer.open(path)
  const consent = { performanceConsent: '2026-11-29-de' }
  const { location } = await surfer.submit(path, path, consent)
  const id = location?.split('/').at(-1) ?? ''
  await pay(await payAddress(surfer, location ?? ''))
  const { performanceConsent } = await harness.untilOrder(id, 'delivered')
  expect(performanceConsent).toEqual({
    version: consent.performanceConsent,
    text: expect.stringContaining('mein Widerrufsrecht erlischt'),
    at: expect.any(String),
  })
  expect(html).toContain(performanceConsent.text)
  await until('the mail confirms it', async () =>
    (await harness.sims.mailbox.do('find', { to: person.email })).some(({ text }) =>
      text?.includes('mein Widerrufsrecht erlischt'),
    ),
  )
  const other = await surfer.submit(path, path, { performanceConsent: 'of another shop' })
  expect(other.status).toBe(400)
})

test('U2: of a top-up that its provider refuses, page and mail say that the data was not added, and nothing of its eSIM', {
  tags: 'long',
}, async () => {
  const { person, surfer, path, iccid } = await withEsim()
  const { orderPath, id, payAt } = await ordered(surfer, path)
  await harness.sims.esimAccess.do('expire', { iccid })
  expect((await pay(payAt)).status).toBe(303)
  await harness.untilOrder(id, 'refunded')
  const { html } = await surfer.open(orderPath)
  expect(html).toContain('We have refunded your payment.')
  expect(html).not.toContain('cannot be installed')
  const mail = await until('the mail', async () =>
    (await mailsTo(harness.stack, person.email)).find(({ subject }) => subject.startsWith('Your refund')),
  )
  expect(mail.text.replaceAll(/\s+/g, ' ')).toContain('The data could not be added to your eSIM')
  expect(mail.text).not.toMatch(/no more eSIMs|installed/)
})

test('U2: a top-up that is cancelled, or not paid within the hour, cannot be paid at Stripe any more', {
  tags: 'long',
}, async () => {
  const { surfer, path } = await withEsim()
  const cancelled = await ordered(surfer, path)
  expect((await surfer.submit(cancelled.orderPath, `${cancelled.orderPath}/cancel`)).status).toBe(303)
  await harness.untilOrder(cancelled.id, 'cancelled')
  const late = await ordered(surfer, path)
  await harness.fastForward(late.id, '25 hours')
  await harness.untilOrder(late.id, 'unpaid')
  for (const { id, payAt, orderPath } of [cancelled, late]) {
    const answer = await pay(payAt)
    expect([answer.status, (await answer.text()).includes('has expired')]).toEqual([200, true])
    expect(await paymentsOf(id)).toEqual([])
    expect((await surfer.open(orderPath)).html).not.toContain('/c/pay/')
  }
})

test('U2: who has just paid at Stripe, or whose page there is over, is not asked to pay', async () => {
  const { surfer, path } = await withEsim()
  await stripeSim.do('webhooks', { hold: true })
  try {
    const [paid, over] = [await ordered(surfer, path), await ordered(surfer, path)]
    await pay(paid.payAt)
    await harness.context.stripe.endHostedPayment(over.payAt.split('/').at(-1) ?? '', randomUUID())
    for (const [{ orderPath }, said] of [
      [paid, 'you need not pay again'],
      [over, 'It was not paid in time'],
    ] as const) {
      const { html } = await surfer.open(orderPath)
      expect(html).toContain(said)
      expect(html).not.toMatch(/Pay for it|c\/pay/)
    }
    // Its words are that nothing is charged.
    expect((await surfer.open(paid.orderPath)).html).not.toContain(`${paid.orderPath}/cancel`)
  } finally {
    await stripeSim.do('release', {})
    await stripeSim.do('webhooks', { hold: false })
  }
})

test('U2: the account of a person who has the page of Stripe open is deleted, and the page with it', {
  tags: 'long',
}, async () => {
  const { person, surfer, path } = await withEsim()
  const { id, payAt } = await ordered(surfer, path)
  expectStatus(await person.caller.delete(`/v1/accounts/${person.accountId}`), 200)
  await until('the page has ended', async () => {
    const { sessions } = await stripeSim.state()
    return sessions.find(({ client_reference_id: of }) => of === id)?.status === 'expired'
  })
  expect((await pay(payAt)).status).toBe(200)
  expect(await paymentsOf(id)).toEqual([])
})

test('U2: a page of Stripe is ended as what it was: open, paid or over', async () => {
  const { stripe } = harness.context
  const page = async () => {
    const orderId = randomUUID()
    return stripe.createHostedPayment({
      orderId,
      amountMinor: 500,
      currency: 'EUR',
      name: 'More data',
      customerId: undefined,
      mark: 'test',
      locale: 'auto',
      expiresAt: new Date(Date.now() + 3_600_000),
      successUrl: site,
      cancelUrl: site,
      idempotencyKey: orderId,
    })
  }
  const [open, paid] = [await page(), await page()]
  await pay(paid.url ?? '')
  const ended = [open, open, paid, paid].map(
    ({ sessionId }) =>
      () =>
        stripe.endHostedPayment(sessionId, randomUUID()),
  )
  const outcomes: string[] = []
  for (const end of ended) outcomes.push(await end())
  expect(outcomes).toEqual(['cancelled', 'already_cancelled', 'already_paid', 'already_paid'])

  const stays = await page()
  const body = { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such session' } }
  await stripeSim.fault({ match: { path: `${stays.sessionId}/expire$` }, status: 404, body })
  await expect(stripe.endHostedPayment(stays.sessionId, randomUUID())).rejects.toMatchObject({ kind: 'unavailable' })
})

test('U2: nobody pays for an erased person on a page of Stripe on which a card was declined before', async () => {
  const { person, surfer, path } = await withEsim()
  const { id, payAt } = await ordered(surfer, path)
  expect((await pay(payAt, declinedCard)).status).toBe(402)
  const [payment] = await paymentsOf(id)
  // What the run of the order writes when it reads such a page.
  await harness.context.sql`update orders set payment_intent_id = ${payment?.id ?? ''} where id = ${id}`
  await deleteAccount(harness.stack, person)
  await until('the page is ended', async () => {
    const { sessions } = await stripeSim.state()
    return sessions.find(({ client_reference_id }) => client_reference_id === id)?.status === 'expired'
  })
  await pay(payAt)
  expect((await paymentsOf(id)).map(({ status }) => status)).toEqual(['canceled'])
})

test('P2: a person sees the cards that Stripe keeps for them, and removes their own alone', async () => {
  const [person, other] = [await harness.signUp(), await harness.signUp()]
  const cards: string[] = []
  for (const buyer of [person, other]) {
    const order = await harness.buy(buyer, { order: { savedCards: true } })
    const { card: id } = await stripeSim.do('save-card', { orderId: order.id })
    cards.push(id)
  }
  const [own = '', others = ''] = cards
  const surfer = await visit(harness.stack, person)
  const { html } = await surfer.open('/account/data')
  expect([html.includes('Visa •••• 4242, valid until 12/2034'), html.includes(others)]).toEqual([true, false])
  const csrf = /name="csrf" value="([^"]+)"/.exec(html)?.[1] ?? ''
  const statuses: number[] = []
  for (const id of [others, own, own])
    statuses.push((await surfer.post(`/account/cards/${id}/remove`, { csrf })).status)
  expect(statuses).toEqual([404, 303, 303])
  expect((await surfer.open('/account/data')).html).not.toContain('•••• 4242')
  const kept = (await stripeSim.state()).cards.filter(({ id, customer }) => cards.includes(id) && customer !== null)
  expect(kept.map(({ id }) => id)).toEqual([others])
})

test('U2: a top-up is ordered at the price that its button has shown, or not at all', async () => {
  const { person, surfer, path } = await withEsim()
  const { html } = await surfer.open(path)
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]+)"`).exec(html)?.[1] ?? ''
  const [tag = ''] = /<button[^>]* name="packageCode"[^>]*>/.exec(html) ?? []
  const [button = '', code = ''] = ['formaction', 'value'].map(
    (name) => new RegExp(` ${name}="([^"]+)"`, 'i').exec(tag)?.[1],
  )
  const form = { csrf: hidden('csrf'), once: hidden('once'), packageCode: code }
  const price = (byMinor: number) =>
    harness.context.sql`update packages set price_minor = price_minor + ${byMinor} where code = ${code}`
  await price(100)
  try {
    const late = await surfer.post(button, form)
    expect([late.status, late.html.includes('It has changed meanwhile. Nothing was ordered')]).toEqual([409, true])
    expect(late.html).not.toContain(`"${button}"`)
    expect(expectStatus(await person.caller.get('/v1/orders'), 200).items).toHaveLength(1)
  } finally {
    await price(-100)
  }
  expect((await surfer.post(button, form)).status).toBe(303)
  expect((await surfer.post(`${path}?shown=free`, form)).status).toBe(400)
})

test('nobody tops up the eSIM of another person on the web', async () => {
  const { path } = await withEsim()
  const otherPerson = await visit(harness.stack, await harness.signUp())
  const csrf = /name="csrf" value="([^"]+)"/.exec((await otherPerson.open('/account/data')).html)?.[1] ?? ''
  const form = { csrf, once: randomUUID(), packageCode: testPackages.topUp }
  expect([(await otherPerson.open(path)).status, (await otherPerson.post(path, form)).status]).toEqual([404, 404])
  expect((await createSurfer(site).open(path)).status).toBe(401)
})
