/** Operator tasks: the most urgent first, each with its age, its owner and a note. */
import { randomUUID } from 'node:crypto'
import { beforeEach, expect, test } from 'vitest'
import { createApiKey } from '../../db/api-keys.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { createSurfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { createCaller, expectStatus } from '../harness/http.ts'

const harness = await shareStack()
const { sql } = harness.context
const { operator } = harness

beforeEach(async () => {
  await sql`update attention set resolved_at = now(), resolved_by = 'test' where resolved_at is null`
})

const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000)

async function raised(kind: string, minutes = 0, subjectId: string = randomUUID()): Promise<string> {
  await raiseOperatorTask(sql, { kind, subjectId, at: minutesAgo(minutes) })
  return subjectId
}

async function open(query = ''): Promise<{ items: Task[]; nextCursor: string | null; open: number }> {
  return expectStatus(await operator.get(`/v1/operator-tasks${query}`), 200)
}

interface Task {
  id: string
  kind: string
  subjectId: string
  ageSeconds: number
  owner: string | null
}

test('tasks come by urgency and then the oldest first, page by page, with the true count', async () => {
  const kinds = ['dispute_lost', 'dispute_open', 'refund_failed'] as const
  const expected: string[] = []
  for (const kind of kinds.toReversed()) {
    for (let minutes = 40; minutes > 0; minutes--) expected.push(await raised(kind, minutes))
  }
  const seen: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await open(`?limit=50${cursor ? `&cursor=${cursor}` : ''}`)
    expect(page.open).toBe(120)
    seen.push(...page.items.map(({ subjectId }) => subjectId))
    cursor = page.nextCursor
  }
  expect(seen).toEqual(expected)
})

test('tasks opened within the same millisecond are each on one page', async () => {
  for (let each = 0; each < 7; each++) await raised('dispute_open', 5)
  await sql`update attention set opened_at = date_trunc('milliseconds', now()) + (random() * 999) * interval '1 microsecond'
    where resolved_at is null`
  const first = await open('?limit=4')
  const second = await open(`?limit=4&cursor=${first.nextCursor}`)
  expect(new Set([...first.items, ...second.items].map(({ id }) => id)).size).toBe(7)
})

test('an operator takes a task, notes what they found and closes it; another may take it over', async () => {
  await raised('refund_failed', 90)
  const [task] = (await open()).items
  expect(task).toMatchObject({ kind: 'refund_failed', urgency: 'now', owner: null, note: null })
  expect(task).toMatchObject({ meaning: expect.stringContaining('The bank'), cure: expect.stringContaining('Refund') })
  expect(task?.ageSeconds).toBeGreaterThanOrEqual(90 * 60)
  const path = `/v1/operator-tasks/${task?.id}`
  const taken = expectStatus(await operator.post(`${path}/take`), 200)
  expect(taken.owner).toMatch(/^operator:[0-9a-f]{16}$/)
  const again = expectStatus(await operator.post(`${path}/take`), 200)
  expect(again.takenAt).toBe(taken.takenAt)

  const { token, id } = await createApiKey(sql, { kind: 'operator', label: 'other', at: new Date() })
  const other = createCaller(harness.urls.api, token)
  expect(expectStatus(await other.post(`${path}/take`), 200).owner).toBe(`operator:${id}`)
  const noted = expectStatus(await other.post(`${path}/note`, { note: 'asked the bank' }), 200)
  expect(noted).toMatchObject({ note: 'asked the bank', owner: `operator:${id}`, noteBy: `operator:${id}` })
  // The note is its author's, also when another operator owns the task.
  const foreign = expectStatus(await operator.post(`${path}/note`, { note: 'asked the bank' }), 200)
  expect(foreign).toMatchObject({ owner: `operator:${id}`, noteBy: taken.owner, notedAt: expect.any(String) })
  const closed = expectStatus(await other.post(`${path}/close`, {}), 200)
  expect(closed).toMatchObject({ note: 'asked the bank', noteBy: taken.owner, closedBy: `operator:${id}` })
  expect((await open()).items).toEqual([])
  expect((await open('?state=closed&limit=100')).items).toContainEqual(
    expect.objectContaining({ id: task?.id, note: 'asked the bank' }),
  )
  for (const act of ['take', 'close']) expect((await operator.post(`${path}/${act}`, {})).status).toBe(404)
  expect((await operator.post(`${path}/note`, { note: 'late' })).status).toBe(404)
  expect((await operator.post(`/v1/operator-tasks/${randomUUID()}/take`)).status).toBe(404)
})

test('an open task shows the newest detail, and keeps the one it has when none is given', async () => {
  const subjectId = randomUUID()
  const task = { kind: 'refund_failed', subjectId, at: minutesAgo(5) }
  const detail = async () => {
    const [row] = await sql`select detail, owner, opened_at from attention where subject_id = ${subjectId}`
    return [row?.detail, row?.owner, row?.opened_at]
  }
  await raiseOperatorTask(sql, { ...task, detail: 'expired_or_canceled_card' })
  const [{ id } = { id: '' }] = (await open()).items
  const { owner } = expectStatus(await operator.post(`/v1/operator-tasks/${id}/take`), 200)
  await raiseOperatorTask(sql, { ...task, at: new Date(), detail: 'insufficient_funds' })
  expect(await detail()).toEqual(['insufficient_funds', owner, task.at])
  await raiseOperatorTask(sql, { ...task, at: new Date() })
  expect(await detail()).toEqual(['insufficient_funds', owner, task.at])
  await raiseOperatorTask(sql, { ...task, at: new Date(), dueAt: minutesAgo(-60) })
  expect(await detail()).toEqual(['insufficient_funds', owner, task.at])
  // Once it is settled, another failure is another task.
  await resolveOperatorTask(sql, { ...task, by: 'order' })
  await raiseOperatorTask(sql, task)
  expect(await detail()).toEqual([null, null, task.at])
})

test('a task that is opened again has no owner and no note', async () => {
  const subjectId = await raised('dispute_open')
  const [task] = (await open()).items
  await operator.post(`/v1/operator-tasks/${task?.id}/take`)
  await operator.post(`/v1/operator-tasks/${task?.id}/note`, { note: 'done' })
  await resolveOperatorTask(sql, { kind: 'dispute_open', subjectId, by: 'won', at: new Date() })
  await raised('dispute_open', 0, subjectId)
  expect((await open()).items).toMatchObject([{ id: task?.id, owner: null, takenAt: null, note: null }])
})

test.each([
  ['an e-mail address', 'write to a@b.example'],
  ['a phone number', 'call 4915112345678'],
  ['an ICCID', '8988303000000614227'],
  ['nothing', '  '],
])('a note with %s is refused', async (_what, note) => {
  await raised('dispute_open')
  const [task] = (await open()).items
  expect((await operator.post(`/v1/operator-tasks/${task?.id}/note`, { note })).status).toBe(400)
  expect((await open()).items).toMatchObject([{ note: null }])
})

test('only operators see tasks', async () => {
  const person = await harness.signUp()
  expect((await harness.service.get('/v1/operator-tasks')).status).toBe(403)
  expect((await person.caller.get('/v1/operator-tasks')).status).toBe(403)
  expect((await harness.anonymous.get('/v1/operator-tasks')).status).toBe(401)
})

test('the console shows age, owner and note of tasks, pages through them, and has buttons to take and note', async () => {
  for (let minutes = 60; minutes > 0; minutes--) await raised('dispute_open', minutes)
  const urgent = await raised('refund_failed', 180)
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const [task] = (await open('?limit=1')).items
  expect(task?.subjectId).toBe(urgent)

  const path = `/console/attention/${task?.id}`
  const taken = await surfer.submit(`${path}/take`, `${path}/take`, { reason: 'I know this bank' })
  expect(taken.location).toBe('/console/tasks')
  await surfer.submit(`${path}/note`, `${path}/note`, { reason: 'asked the bank' })
  const { html } = await surfer.open('/console')
  expect(html).toContain('To be settled (61, 50 shown')
  expect(html).toContain('for 3 h')
  expect(html).toContain('asked the bank')
  expect(html).toMatch(/<code>operator:[0-9a-f]{16}<\/code>/)
  const next = /href="(\/console\?tasks=[\w-]+)"/.exec(html)?.[1]
  const rest = await surfer.open(next ?? '')
  expect(rest.html.match(/attention\/[0-9a-f-]+\/settle/g)).toHaveLength(11)
  expect(rest.html).not.toContain(urgent)
})

test('the console counts all held orders and shows those first that end first', async () => {
  const person = await harness.signUp()
  const held = () => harness.buy(person, { pay: { riskLevel: 'elevated' }, until: 'in_review' })
  const [young, old] = [await held(), await held()]
  await sql`update orders set paid_at = paid_at - interval '1 hour' where id = ${old.id}`
  const surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
  const { html } = await surfer.open('/console')
  expect(html.indexOf(old.id)).toBeLessThan(html.indexOf(young.id))
  const held2 = await sql`select count(*)::int as count from orders where status = 'in_review'`
  expect(html).toContain(`Orders to review (${held2[0]?.count})`)
  for (const { id } of [young, old]) await operator.post(`/v1/orders/${id}/reject`)
})
