/** The timelines of an order and of an account have everything that happened, with true counts and page by page. */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { timelineOf } from '../../api/views/timeline/order-timeline.ts'
import { readOrderRows } from '../../db/operator/order-rows.ts'
import { findOrder } from '../../db/order/orders.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.context
const { operator } = harness
const { stripe } = harness.sims

let surfer: Surfer
beforeAll(async () => {
  surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
})

interface TimelineEntry {
  at: string
  source: string
  words: string
  isFault: boolean
}

const timeline = async (orderId: string): Promise<TimelineEntry[]> =>
  expectStatus(await operator.get(`/v1/operator/orders/${orderId}/timeline`), 200).items

const untilShown = (orderId: string, part: RegExp) =>
  until(`the timeline has ${part}`, async () => (await timeline(orderId)).some(({ words }) => part.test(words)))

test('an order’s timeline has each declined payment, the review with its reason, and what the app backend was told', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: false })
  await stripe.do('fail-payment', { orderId: order.id, declineCode: 'insufficient_funds' })
  await stripe.do('fail-payment', { orderId: order.id, declineCode: 'lost_card' })
  await untilShown(order.id, /^declined a payment: lost card$/)
  await stripe.do('pay', { orderId: order.id, riskLevel: 'elevated' })
  await harness.untilOrder(order.id, 'in_review')
  const { reason } = (await findOrder(sql, order.id)) ?? {}
  expectStatus(await operator.post(`/v1/orders/${order.id}/reject`), 200)
  await harness.untilOrder(order.id, ['refunding', 'refunded'])
  const items = await timeline(order.id)
  const entries = items.map(({ source, words, isFault }) => [source, words, isFault])
  expect(entries).toContainEqual(['payment', 'declined a payment: insufficient funds', true])
  expect(entries).toContainEqual(['order', `held for a review: ${reason?.replaceAll('_', ' ')}`, false])
  for (const type of ['order.created', 'order.paid', 'order.in_review', 'order.refunding'])
    expect(entries).toContainEqual(['event', `notified the app backend: ${type}`, false])
  expect(items.map(({ at }) => at)).toEqual(items.map(({ at }) => at).toSorted())
  const { html } = await surfer.open(`/console/orders/${order.id}`)
  for (const words of [
    'declined a payment: lost card',
    'held for a review',
    'notified the app backend: order.in_review',
  ])
    expect(html).toContain(words)
})

test('an order’s timeline has the top-ups of its eSIM and the bank’s warnings of fraud', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const asked = await person.caller.post(`/v1/orders/${order.id}/top-up`, { packageCode: testPackages.topUp })
  const topUp = expectStatus(asked, 201)
  await stripe.do('pay', { orderId: topUp.id })
  await harness.untilOrder(topUp.id, 'delivered')
  await stripe.do('warn-fraud', { orderId: order.id, fraudType: 'made_with_stolen_card' })
  await untilShown(order.id, /^warned of fraud: made with stolen card$/)
  const entries = (await timeline(order.id)).map(({ words }) => words)
  expect(entries.filter((words) => words.includes(topUp.id))).toEqual([
    expect.stringMatching(/^ordered a top-up for €/),
    expect.stringMatching(/^topped the eSIM up: /),
  ])
})

test('an event that an endpoint has not taken is told as such', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { pay: false })
  const row = await findOrder(sql, order.id)
  if (!row) throw new Error('no order')
  const rows = await readOrderRows(sql, order.id)
  const [event] = rows.events
  if (!event) throw new Error('no event')
  const wordsOf = (wanted: number, taken: number) =>
    timelineOf(row, { ...rows, events: [{ ...event, wanted, taken }] }, new Date()).findLast(
      ({ source }) => source === 'event',
    )
  expect(wordsOf(2, 2)).toMatchObject({ words: expect.stringContaining('all 2 endpoints have it'), isFault: false })
  expect(wordsOf(2, 1)).toMatchObject({ words: expect.stringContaining('not taken yet by 1 of 2'), isFault: true })
})

test('an account’s page has a timeline of it and its orders, the newest first, and lists with true counts and pages', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person)
  const asked = await person.caller.post('/v1/privacy-requests', { kind: 'access', message: 'What do you hold?' })
  const request = expectStatus(asked, 201)
  const page = `/console/accounts/${person.accountId}`
  await surfer.submit(`${page}/note`, `${page}/note`, { reason: 'a kind voice' })
  expectStatus(
    await person.caller.put(`/v1/accounts/${person.accountId}/consents/promotions`, {
      granted: true,
      source: 'app_settings',
    }),
    200,
  )
  await until('the request is acknowledged', async () =>
    (await surfer.open(page)).html.includes(`acknowledged ${request.reference}`),
  )
  const { html } = await surfer.open(page)
  const [, section = ''] = html.split('id="timeline"')
  const [shown = ''] = section.split('</section>')
  for (const words of [
    'signed up',
    'paid ',
    'delivered',
    'sent the mail',
    'issued invoice',
    'agreed to promotions',
    `asked about access: ${request.reference}`,
    'note: a kind voice',
    'notified the app backend: consent.changed',
  ])
    expect(shown).toContain(words)
  expect(shown).toContain(`href="/console/orders/${order.id}"`)
  const times = [...shown.matchAll(/dateTime="([^"]+)"/gi)].map(([, at]) => at)
  expect(times.length).toBeGreaterThan(8)
  expect(times).toEqual(times.toSorted().reverse())

  // More than a page of each, and more than the 200 that were the limit.
  await sql`
    insert into sends (subject_id, kind, account_id, state, attempts, first_at, claimed_at)
    select gen_random_uuid(), 'mail:a_test', ${person.accountId}, 'sent', 1, now() - n * interval '1 minute', now()
    from generate_series(1, 230) n`
  const [sends] = await sql<
    { count: number }[]
  >`select count(*)::int as count from sends where account_id = ${person.accountId}`
  const first = await surfer.open(page)
  expect(first.html).toContain(`Messages (${sends?.count})`)
  const seen = new Set<string>()
  const last = Math.ceil((sends?.count ?? 0) / 50)
  let rows = 0
  for (let number = 1; number <= last; number++) {
    const { html: each } = await surfer.open(`${page}?messages=${number}`)
    const [, list = ''] = each.split('id="messages"')
    const [messages = ''] = list.split('<section id=')
    rows += (messages.match(/<tr>|<tr /g) ?? []).length - 1
    expect(messages.includes(`messages=${number + 1}#messages`)).toBe(number < last)
    seen.add(messages)
  }
  expect([rows, seen.size]).toEqual([sends?.count, last])
  expect((await surfer.open(`${page}?messages=0`)).status).toBe(400)
  expect((await surfer.open(`/console/accounts/${randomUUID()}`)).status).toBe(404)
})
