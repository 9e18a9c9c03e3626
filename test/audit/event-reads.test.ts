/**
 * R4: security logs are kept for at most 90 days. A key that reads the stream of events, or has it sent somewhere, has
 * read of everybody in it.
 */
import { afterAll, expect, test } from 'vitest'
import { createApiKey } from '../../db/api-keys.ts'
import { startReceiver } from '../events/receiver.ts'
import { shareStack } from '../harness/harness.ts'
import { type Caller, createCaller, expectStatus } from '../harness/http.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { sql } = harness.context
const receivers: Awaited<ReturnType<typeof startReceiver>>[] = []
const path = '/v1/webhook-endpoints'

afterAll(async () => {
  await sql`delete from webhook_endpoints`
  for (const { stop } of receivers) await stop()
})

async function receiver() {
  const made = await startReceiver()
  receivers.push(made)
  return made
}

async function key(kind: 'service' | 'operator' = 'service') {
  const { id, token } = await createApiKey(sql, { kind, label: 'stolen', at: new Date() })
  return { id, caller: createCaller(harness.urls.api, token) }
}

const bought = async (): Promise<string> => {
  const person = await harness.signUp()
  await harness.buy(person)
  return person.accountId
}

const texts = { nature: 'A key was stolen.', consequences: 'None.', measures: 'Revoked.', contact: 'dpo@ama.example' }

async function peopleOf(scope: object): Promise<Map<string, string[]>> {
  const breach = expectStatus(await harness.operator.post('/v1/breaches', { ...scope, ...texts }), 201)
  const { items } = expectStatus(await harness.operator.get(`/v1/breaches/${breach.id}/people?limit=200`), 200)
  return new Map(items.map((each: { accountId: string; fields: string[] }) => [each.accountId, each.fields]))
}

async function readAll(caller: Caller): Promise<void> {
  for (let cursor: string | null = ''; cursor !== null; ) {
    const query: string = cursor === '' ? '?limit=200' : `?limit=200&cursor=${cursor}`
    cursor = expectStatus(await caller.get(`/v1/events${query}`), 200).nextCursor
  }
}

test('a key that pages through the stream has read of everybody in it, by one row each and page', async () => {
  const [anna, ben] = [await bought(), await bought()]
  const stolen = await key()
  await readAll(stolen.caller)
  const people = await peopleOf({ keyId: stolen.id })
  for (const each of [anna, ben]) expect(people.get(each)).toEqual(['consents', 'orders'])
  const rows = await sql<{ account_id: string; route: string; count: number }[]>`
    select account_id, route, count(*)::int as count from access_log where actor_id = ${stolen.id}
      and account_id = ${anna} group by 1, 2`
  expect([...rows]).toEqual([{ account_id: anna, route: 'GET /v1/events', count: 1 }])
})

test('a breach by a key finds everybody whose events went to an endpoint of that key, and nobody else', async () => {
  const before = await bought()
  const [stolen, other] = [await key(), await key()]
  const { url, received } = await receiver()
  const made = expectStatus(await stolen.caller.post(path, { url }), 201)
  const after = await bought()
  await untilValue(
    'it is told',
    () => received.filter(({ data }) => data.accountId === after),
    (events) => events.length > 0,
  )
  const people = await peopleOf({ keyId: stolen.id })
  expect([people.get(after), people.get(before)]).toEqual([['orders'], undefined])
  expect((await peopleOf({ keyId: other.id })).size).toBe(0)
  // Later than the window of the breach, the endpoint is still told.
  const now = new Date()
  const later = await bought()
  const window = { from: new Date(now.getTime() - 600_000), until: now }
  expect([...(await peopleOf({ keyId: stolen.id, ...window })).keys()]).toContain(later)

  // A deleted endpoint gets nothing more, and stays on record.
  expectStatus(await harness.service.delete(`${path}/${made.id}`), 204)
  const afterwards = await bought()
  const found = await peopleOf({ keyId: stolen.id })
  expect([found.has(later), found.has(afterwards)]).toEqual([true, false])
})

test.each([
  ['before it is enabled again', [{ types: null }, { state: 'enabled' }]],
  ['as it is enabled again', [{ types: null, state: 'enabled' }]],
])(
  'a disabled endpoint is given more types %s: the key that gave its address has read them, too',
  { tags: 'long' },
  async (_when, changes) => {
    const stolen = await key()
    const { url, received } = await receiver()
    const { id } = expectStatus(await stolen.caller.post(path, { url, types: ['order.delivered'] }), 201)
    expectStatus(await stolen.caller.patch(`${path}/${id}`, { state: 'disabled' }), 200)
    for (const change of changes) expectStatus(await harness.service.patch(`${path}/${id}`, change), 200)
    const person = await harness.signUp()
    const consent = { granted: true, source: 'support' }
    expectStatus(await harness.service.put(`/v1/accounts/${person.accountId}/consents/promotions`, consent), 200)
    await until('it is told', () => received.some(({ data }) => data.accountId === person.accountId))
    expect((await peopleOf({ keyId: stolen.id })).get(person.accountId)).toEqual(['consents'])
    expectStatus(await harness.service.delete(`${path}/${id}`), 204)
  },
)

test('a key that gives another one’s endpoint its own address, or repeats older events, has read them', {
  tags: 'long',
}, async () => {
  const [ours, theirs] = [await receiver(), await receiver()]
  const { id } = expectStatus(await harness.service.post(path, { url: ours.url, types: ['consent.changed'] }), 201)
  const early = await bought()
  // Events that the endpoint was not sent yet would be sent to its new address.
  await until('it is up to date', async () => {
    const behind = await sql`select 1 from webhook_endpoints w, events e
      where w.id = ${id} and (e.position is null or e.position > w.position)`
    return behind.length === 0
  })
  const stolen = await key('operator')
  const address = { url: theirs.url, types: ['order.delivered'] }
  expectStatus(await stolen.caller.patch(`${path}/${id}`, address), 200)
  const after = await bought()
  const moved = await peopleOf({ keyId: stolen.id })
  expect([moved.has(after), moved.has(early)]).toEqual([true, false])
  expectStatus(await stolen.caller.post(`${path}/${id}/replay`, { since: new Date(Date.now() - 3_600_000) }), 202)
  expect((await peopleOf({ keyId: stolen.id })).has(early)).toBe(true)
  // Disabled and enabled again, the endpoint gets the events that it has missed.
  expectStatus(await stolen.caller.patch(`${path}/${id}`, { state: 'disabled' }), 200)
  const meanwhile = await bought()
  expect((await peopleOf({ keyId: stolen.id })).has(meanwhile)).toBe(false)
  expectStatus(await stolen.caller.patch(`${path}/${id}`, { state: 'enabled' }), 200)
  expect((await peopleOf({ keyId: stolen.id })).has(meanwhile)).toBe(true)
})
