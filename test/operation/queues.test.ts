/** Each queue of the console: its true count, the most urgent first, page by page, and its filters. */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import { waitingStates } from '../../db/operator/order-queue.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'

// The orders that fill the queues are rows alone, without payments and runs.
const harness = await shareStack({ books: false })
const { sql } = harness.context
const many = 55

let surfer: Surfer
let person: Person
beforeAll(async () => {
  person = await harness.signUp()
  surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
})

/** Follows a queue to its end. @returns the ids of its rows in the order of the pages, and the titles of the pages */
async function walk(path: string, row: RegExp): Promise<{ ids: string[]; titles: string[] }> {
  const ids: string[] = []
  const titles: string[] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const { status, html } = await surfer.open(next)
    expect([next, status]).toEqual([next, 200])
    titles.push(/<h1>(.*?)<\/h1>/.exec(html)?.[1] ?? '')
    ids.push(...[...html.matchAll(row)].map(([, id]) => id ?? ''))
    next = /href="([^"]*cursor=[^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&')
  }
  return { ids, titles }
}

/** The address of the form that selects the orders of a queue for a bulk action. */
const bulkFormOn = (html: string): string | undefined =>
  /href="(\/console\/bulk-actions\?[^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&')
/** What that form has in its fields, which a browser sends. */
async function typedIn(form: string): Promise<Record<string, string>> {
  const { html } = await surfer.open(form)
  const chosen = [...html.matchAll(/<select[^>]* name="(\w+)".*?<option value="(\w*)" selected/gs)]
  const typed = [...html.matchAll(/<input[^>]* name="(paidFrom|paidUntil|limit)"[^>]*? value="([^"]*)"/g)]
  return Object.fromEntries([...chosen, ...typed].map(([, name = '', value = '']) => [name, value]))
}

const orderRow = /href="\/console\/orders\/([0-9a-f-]{36})"/g

/** Rows as those of another order, without runs. @returns their ids, those that wait longest first */
async function waiting(state: string, like: string): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    insert into orders
    select (jsonb_populate_record(null::orders, to_jsonb(o) || jsonb_build_object(
      'id', gen_random_uuid(), 'status', ${state}::text, 'ended_at', null, 'payment_intent_id', null,
      'request_hash', null, 'install_token', null, 'install_token_index', null, 'fact_id', null, 'card_country',
      case when n % 5 = 0 then 'FR' else 'DE' end, 'paid_at', now() - n * interval '1 hour'))).*
    from orders o, generate_series(1, ${many}::int) n where o.id = ${like}
    returning id, paid_at`
  const sorted = await sql<{ id: string }[]>`
    select id from orders where id = any(${rows.map(({ id }) => id)}::uuid[]) order by paid_at, id`
  return sorted.map(({ id }) => id)
}

test('the queue of each state has its true count, and pages with the orders that wait longest first', async () => {
  const like = await harness.buy(person, { pay: false })
  for (const state of waitingStates) {
    const ours = await waiting(state, like.id)
    const [total] = await sql<{ count: number }[]>`
      select count(*)::int as count from orders where status = ${state} and ended_at is null`
    const { ids, titles } = await walk(`/console/orders?status=${state}`, orderRow)
    const name = state.replaceAll('_', ' ')
    expect(titles).toEqual([
      `Orders: ${name} (${total?.count}, 50 shown)`,
      `Orders: ${name} (${total?.count}, ${ids.length - 50} shown)`,
    ])
    expect(new Set(ids).size).toBe(total?.count)
    expect(ids.filter((id) => ours.includes(id))).toEqual(ours)

    const french = await walk(`/console/orders?status=${state}&country=fr`, orderRow)
    expect(french.titles).toEqual([`Orders: ${name} (11)`])
    expect(french.ids).toEqual(ours.filter((id) => french.ids.includes(id)))
    const old = await walk(`/console/orders?status=${state}&hours=24`, orderRow)
    expect([old.titles, old.ids]).toEqual([[`Orders: ${name} (32)`], ours.slice(0, 32)])
    const bulk = bulkFormOn((await surfer.open(`/console/orders?status=${state}&hours=24`)).html)
    expect([state, bulk === undefined]).toEqual([state, state === 'awaiting_payment'])
    if (state === 'provisioning') {
      const why = { reason: 'the network was away for a day' }
      const { location } = await surfer.submit(bulk ?? '', '/console/bulk-actions', {
        ...(await typedIn(bulk ?? '')),
        ...why,
      })
      expect((await surfer.open(location ?? '')).html).toContain('Bulk action: retry, 32 orders, prepared')
      expect(bulkFormOn((await surfer.open(`/console/orders?status=${state}&country=fr`)).html)).toBeUndefined()
    }
    const none = await walk(`/console/orders?status=${state}&currency=JPY&provider=airalo`, orderRow)
    expect([none.titles, none.ids]).toEqual([[`Orders: ${name} (0)`], []])
    await sql`
      insert into provider_orders (id, order_id, provider, provider_package_code, client_ref, state, placed_after, last_asked_at)
      values (gen_random_uuid(), ${ours[3] ?? ''}, 'airalo', 'a', ${randomUUID()}, 'released', now(), now())`
    const asked = await walk(`/console/orders?status=${state}&provider=airalo&currency=eur`, orderRow)
    expect(asked.ids).toEqual([ours[3]])
    // The first page of the console counts as the queue does.
    const home = (await surfer.open('/console')).html
    expect(home).toContain(`>${name}</a>: ${total?.count}, the oldest for 2 days`)
    if (state === 'in_review') expect(home).toContain(`Orders to review (${total?.count}, 50 shown`)
    await sql`update orders set status = 'ended', ended_at = now() where id = any(${ours}::uuid[])`
  }
  expect((await surfer.open('/console/orders?country=Germany')).status).toBe(400)
})

test('the privacy requests have a list with their true count and pages, the first due first', async () => {
  const asked = await person.caller.post('/v1/privacy-requests', { kind: 'access', message: 'What do you hold?' })
  const { id } = expectStatus(asked, 201)
  const rows = await sql<{ id: string }[]>`
    insert into privacy_requests
    select (jsonb_populate_record(null::privacy_requests, to_jsonb(r) || jsonb_build_object(
      'id', gen_random_uuid(), 'kind', case when n <= 3 then 'correction' else 'access' end,
      'answer_by', date_trunc('milliseconds', now()) + (n - 2) * interval '1 hour'))).*
    from privacy_requests r, generate_series(1, ${many}::int) n where r.id = ${id}
    returning id`
  const ours = (
    await sql<{ id: string }[]>`select id from privacy_requests where id = any(${rows.map((row) => row.id)}::uuid[])
      order by answer_by, id`
  ).map((row) => row.id)
  const row = /href="\/console\/privacy-requests\/([0-9a-f-]{36})"/g
  const [total] = await sql<{ count: number }[]>`
    select count(*)::int as count from privacy_requests where state = 'open'`
  const { ids, titles } = await walk('/console/privacy-requests', row)
  expect(titles[0]).toBe(`Privacy requests: open (${total?.count}, 50 shown)`)
  expect(new Set(ids).size).toBe(total?.count)
  expect(ids.filter((each) => ours.includes(each))).toEqual(ours)
  expect((await walk('/console/privacy-requests?state=late', row)).ids.filter((each) => ours.includes(each))).toEqual(
    ours.slice(0, 2),
  )
  expect((await walk('/console/privacy-requests?kind=correction', row)).ids).toEqual(ours.slice(0, 3))
  expect((await walk('/console/privacy-requests?state=answered&kind=erasure', row)).ids).toEqual([])
  const home = (await surfer.open('/console')).html
  expect(home).toContain(`Privacy requests (${total?.count}, 50 shown`)
  expect(home).toContain('href="/console/privacy-requests"')
  await sql`update privacy_requests set state = 'answered', answered_at = now() where id = any(${ours}::uuid[])`
})

test('the tasks have their true count and pages, the most urgent first and of these the oldest', async () => {
  await sql`update attention set resolved_at = now(), resolved_by = 'test' where resolved_at is null`
  const expected: string[] = []
  for (const kind of ['refund_failed', 'dispute_open', 'dispute_lost']) {
    for (let minutes = 20; minutes > 0; minutes--) {
      const subjectId = randomUUID()
      await raiseOperatorTask(sql, { kind, subjectId, at: new Date(Date.now() - minutes * 60_000) })
      expected.push(subjectId)
    }
  }
  const row = /<code>([0-9a-f-]{36})<\/code>/g
  const { ids, titles } = await walk('/console/tasks', row)
  expect([ids, titles]).toEqual([expected, ['Tasks (60, 50 shown)', 'Tasks (60, 10 shown)']])
  const lost = await walk('/console/tasks?kind=dispute_lost', row)
  expect([lost.ids, lost.titles]).toEqual([expected.slice(40), ['Tasks (20)']])
  expect((await walk('/console/tasks?urgency=now', row)).ids).toEqual(expected.slice(0, 20))
  expect((await walk('/console/tasks?owner=me', row)).ids).toEqual([])
  await sql`update attention set resolved_at = now(), resolved_by = 'test' where resolved_at is null`
})
