/** The stream of events: each change is in it, in its own transaction, and no reader misses one. */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import type { Transaction } from '../../db/connection/database.ts'
import { deleteEvents } from '../../db/events/events.ts'
import { type EventType, eventTypes } from '../../policy/events/event-types.ts'
import { orderStates } from '../../workflows/order/order-states.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { untilValue } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { service, operator } = harness
const { sql } = harness.context

interface EventView {
  id: string
  type: EventType
  timestamp: string
  data: Record<string, string>
}
interface Page {
  items: EventView[]
  nextCursor: string | null
  cursor: string
}

const read = async (query = ''): Promise<Page> => expectStatus(await service.get(`/v1/events?limit=200${query}`), 200)

/** Where the stream ends now. */
async function here(): Promise<string> {
  let page = await read()
  while (page.nextCursor !== null) page = await read(`&cursor=${page.nextCursor}`)
  return page.cursor
}

const ofAccount = async (from: string, accountId: string): Promise<EventView[]> =>
  (await read(`&cursor=${from}`)).items.filter(({ data }) => data.accountId === accountId)

const typesOf = (events: EventView[]): EventType[] => events.map(({ type }) => type)

test('the stream has the life of an order, its refund, a consent and the deletion, with ids only', async () => {
  const start = await here()
  const anna = await harness.signUp()
  const order = await harness.buy(anna)
  expect(typesOf(await ofAccount(start, anna.accountId))).toEqual([
    'order.created',
    'order.paid',
    'esim.created',
    'order.delivered',
  ])
  expectStatus(
    await service.put(`/v1/accounts/${anna.accountId}/consents/promotions`, { granted: true, source: 'app_settings' }),
    200,
  )
  expectStatus(await anna.caller.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  const events = await ofAccount(start, anna.accountId)
  const later = typesOf(events).slice(4)
  expect(later.toSorted()).toEqual(
    expect.arrayContaining(['consent.changed', 'esim.changed', 'order.refunded', 'order.refunding', 'refund.changed']),
  )
  for (const { type, data } of events) {
    expect(Object.keys(data).toSorted(), type).toEqual([...eventTypes[type].ids].toSorted())
  }
  const [esim] = events.filter(({ type }) => type === 'esim.created')
  expect(order.esims.map(({ id }: { id: string }) => id)).toEqual([esim?.data.esimId])

  const receipt = expectStatus(await service.delete(`/v1/accounts/${anna.accountId}`), 200)
  expect(await ofAccount(start, anna.accountId)).toMatchObject([
    { type: 'account.deleted', data: { accountId: anna.accountId, receiptId: receipt.receiptId } },
  ])
  const rows = JSON.stringify(await sql`select account_id, data from events`)
  expect(rows).not.toContain(anna.accountId)
  expect(rows).not.toContain(order.id)
})

test('an account that is changed and a dispute that is decided are events, and a bounce is the one of its own', async () => {
  const start = await here()
  const ben = await harness.signUp()
  const order = await harness.buy(ben)
  const typesSince = async () => typesOf(await ofAccount(start, ben.accountId)).slice(4)
  expectStatus(await ben.caller.patch(`/v1/accounts/${ben.accountId}`, { firstName: 'Benedict' }), 200)
  expect(await typesSince()).toEqual(['account.changed'])
  await sql`update accounts set mail_state = 'bounced' where id = ${ben.accountId}`
  await sql`update accounts set mail_state = 'ok' where id = ${ben.accountId}`
  await sql`update accounts set last_active_at = now() where id = ${ben.accountId}`
  expect(await typesSince()).toEqual(['account.changed', 'account.email_bounced', 'account.changed'])
  const disputes = async () => (await typesSince()).filter((type) => type === 'dispute.changed').length
  const { dispute } = await harness.sims.stripe.do('open-dispute', { orderId: order.id })
  await untilValue('it is opened', disputes, (count) => count === 1)
  await harness.sims.stripe.do('close-dispute', { dispute, outcome: 'lost' })
  await untilValue('it is decided', disputes, (count) => count === 2)
})

test('an account that is given the values that it has makes no event', async () => {
  const start = await here()
  const { caller, accountId } = await harness.signUp()
  const path = `/v1/accounts/${accountId}`
  const changes = async () =>
    typesOf(await ofAccount(start, accountId)).filter((type) => type === 'account.changed').length
  const before = await caller.get(path)
  const { firstName, lastName, phone, language } = expectStatus(before, 200)
  for (const same of [{ firstName }, { firstName, lastName, phone, language }]) {
    const answer = await caller.patch(path, same)
    expect(expectStatus(answer, 200)).toMatchObject({ firstName, lastName, phone, language })
    // The version grows all the same, as it has: who sends If-Match knows that their change was taken.
    expect(answer.headers.get('etag')).not.toBe(before.headers.get('etag'))
  }
  expect(await changes()).toBe(0)
  const [row] = await sql`select first_name from accounts where id = ${accountId}`
  expectStatus(await caller.patch(path, { firstName, lastName: 'Another' }), 200)
  expect(await changes()).toBe(1)
  const [now] = await sql`select first_name from accounts where id = ${accountId}`
  expect(now).toEqual(row)
  expectStatus(await caller.patch(path, { phone: '+4915112345678' }), 200)
  expectStatus(await caller.patch(path, { phone: null }), 200)
  expectStatus(await caller.patch(path, { phone: null }), 200)
  expect(await changes()).toBe(3)
})

test('a reader who waits misses no event of a transaction that commits after a younger one', async () => {
  const [late, early] = [randomUUID(), randomUUID()]
  const insert = (tx: Transaction | typeof sql, version: string) =>
    tx`insert into events (type, data) values ('policy.posted', ${tx.json({ version })})`
  const versions = (page: Page) => page.items.map(({ data }) => data.version)
  const start = await here()
  let release = (): void => undefined
  let slow: Promise<unknown> = Promise.resolve()
  await new Promise<void>((inserted) => {
    slow = sql.begin(async (tx) => {
      await insert(tx, late)
      inserted()
      await new Promise<void>((resolve) => (release = resolve))
    })
  })
  await insert(sql, early)
  const seen = await read(`&cursor=${start}`)
  release()
  await slow
  expect(versions(seen)).toEqual([early])
  const next = await read(`&cursor=${seen.cursor}`)
  expect(versions(next)).toEqual([late])
  expect((await read(`&cursor=${next.cursor}`)).items).toEqual([])
})

test('events can be read by type, since a time and page by page', async () => {
  const start = await here()
  const since = new Date().toISOString()
  for (let number = 0; number < 5; number++) {
    await sql`insert into events (type, data) values ('policy.moved', ${sql.json({ version: `p${number}` })})`
  }
  await sql`insert into events (type, data) values ('policy.withdrawn', ${sql.json({ version: 'p5' })})`
  const pages = [await read(`&since=${since}&type=policy.moved`)]
  expect(pages[0]?.items.map(({ data }) => data.version)).toEqual(['p0', 'p1', 'p2', 'p3', 'p4'])
  const seen: (string | undefined)[] = []
  for (let cursor: string | null = start; cursor !== null; ) {
    const page: Page = expectStatus(await operator.get(`/v1/events?limit=2&cursor=${cursor}`), 200)
    seen.push(...page.items.map(({ data }) => data.version))
    cursor = page.nextCursor
  }
  expect(seen).toEqual(['p0', 'p1', 'p2', 'p3', 'p4', 'p5'])
})

test('the cursor of a rare type moves on with the stream', async () => {
  const start = await here()
  await sql`insert into events (type, data) values ('policy.moved', ${sql.json({ version: 'p6' })})`
  const page = await read(`&type=policy.withdrawn&cursor=${start}`)
  expect(page.items).toEqual([])
  expect((await read(`&cursor=${page.cursor}`)).items).toEqual([])
  await sql`insert into events (type, data) values ('policy.withdrawn', ${sql.json({ version: 'p7' })})`
  const next = await read(`&type=policy.withdrawn&cursor=${page.cursor}`)
  expect(next.items.map(({ data }) => data.version)).toEqual(['p7'])
})

test('a position is above every one that a reader may have kept from a lost database', async () => {
  const before = Date.now() * 1000
  await sql`insert into events (type) values ('service.restored')`
  await here()
  const [row] = await sql<{ position: bigint }[]>`select position from events order by position desc limit 1`
  expect(Number(row?.position)).toBeGreaterThan(before)
})

test('each state of an order and of a policy has its event', async () => {
  for (const status of Object.keys(orderStates)) {
    expect(eventTypes, status).toHaveProperty([status === 'awaiting_payment' ? 'order.created' : `order.${status}`])
  }
  class Undone extends Error {}
  const types: string[] = []
  await sql
    .begin(async (tx) => {
      const [version, account] = [`test-${randomUUID()}`, randomUUID()]
      const [first] = await tx<{ entry: bigint }[]>`select coalesce(max(entry), 0) as entry from events`
      await tx`insert into policies (version, title, body, changes, material, state, created_at, created_by, announced_for, effective_at)
        values (${version}, 't', 'b', '{}', true, 'draft', now(), 't', now(), now())`
      await tx`update policies set state = 'superseded', ended_at = now() where state in ('in_force', 'posted')`
      await tx`update policies set state = 'posted', posted_at = now() where version = ${version}`
      await tx`update policies set effective_at = now() + interval '1 day' where version = ${version}`
      await tx`update policies set moves = 1 where version = ${version}`
      await tx`update policies set state = 'in_force' where version = ${version}`
      await tx`insert into deletions (receipt_id, account_ref, reason, erased_at, backups_gone_by)
        values (${account}, ${account}, 'requested', now(), now())`
      await tx`update deletions set completed_at = now() where receipt_id = ${account}`
      const rows = await tx<
        { type: string }[]
      >`select type from events where entry > ${first?.entry ?? 0} order by entry`
      types.push(...rows.map(({ type }) => type))
      throw new Undone()
    })
    .catch((error: unknown) => {
      if (!(error instanceof Undone)) throw error
    })
  expect(types).toEqual(['policy.posted', 'policy.moved', 'policy.in_force', 'deletion.completed'])
})

test('events older than 30 days are deleted, younger ones stay', async () => {
  await sql`insert into events (type, at) values ('service.restored', now() - interval '31 days')`
  await sql`insert into events (type, at) values ('service.restored', now() - interval '29 days')`
  const old = () => sql`select 1 from events where at < now() - interval '28 days'`
  expect(await old()).toHaveLength(2)
  await harness.temporal.workflow.execute('housekeeping', {
    workflowId: `housekeeping-${randomUUID()}`,
    taskQueue: harness.config.TEMPORAL_TASK_QUEUE,
  })
  await untilValue('the old one is gone', old, (rows) => rows.length === 1)
  await deleteEvents(sql, new Date(Date.now() - 28 * 86_400_000), 10)
})

test('a person and a caller without a key cannot read the stream', async () => {
  const ben = await harness.signUp()
  expectStatus(await ben.caller.get('/v1/events'), 403)
  expectStatus(await harness.anonymous.get('/v1/events'), 401)
  expectStatus(await service.get('/v1/events?cursor=AAAA'), 400)
  expectStatus(await service.get('/v1/events?type=order.deliverd'), 400)
})

test('docs/events.md has each type with its meaning and its ids', async () => {
  const text = await readFile(new URL('../../docs/events.md', import.meta.url), 'utf8')
  const rows = Object.entries(eventTypes).map(
    ([type, { meaning, ids }]) => `| \`${type}\` | ${meaning} | ${ids.map((id) => `\`${id}\``).join(', ')} |`,
  )
  expect(text.split('\n').filter((line) => /^\| `\w+\.\w+` \|/.test(line))).toEqual(rows)
})

test.each(['0001-01-01T00:00:00Z', '2300-01-01T00:00:00Z', '9999-12-31T23:59:59Z'])(
  'the cursor of a page since %s is one that the list takes',
  async (since) => {
    const { cursor } = await read(`&since=${since}`)
    await read(`&cursor=${cursor}`)
  },
)
