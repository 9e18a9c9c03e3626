/** U2: who pauses, resumes or cancels a bulk action, and why, is on record: in the API and on the console. */
import { beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import type { OperatorActs } from '../../db/connection/schema.ts'
import { createSurfer, type Surfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { operator } = harness
const { sql } = harness.context
const path = '/v1/bulk-actions'

let person: Person
let surfer: Surfer

beforeAll(async () => {
  person = await harness.signUp()
  await harness.buy(person)
  surfer = createSurfer(harness.urls.api)
  await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
})

const reportForm = z.object({
  state: z.string(),
  changes: z.array(
    z.object({
      change: z.string(),
      operator: z.string(),
      reason: z.string().nullable(),
      outcome: z.string(),
      code: z.string().nullable(),
    }),
  ),
})
const report = async (id: string) => expectStatus(await operator.get(`${path}/${id}`), 200, reportForm)

async function prepared(): Promise<string> {
  const body = { act: 'apologise', selection: { statuses: ['delivered'] }, reason: 'the delivery took a day' }
  return expectStatus(await operator.post(path, body), 201).id
}

const actsOf = (id: string) =>
  sql<OperatorActs[]>`select * from operator_acts where subject = ${id} order by asked_at, id`

const by = expect.stringMatching(/^operator:[0-9a-f]{16}$/)

test('U2: a bulk action that is paused, resumed and cancelled shows in its report who did it and why', async () => {
  const id = await prepared()
  // Its mails wait, so that it is still running.
  await harness.sims.mailbox.do('rule', { recipient: person.email, code: 451 })
  expectStatus(await operator.post(`${path}/${id}/start`), 200)
  expectStatus(await operator.post(`${path}/${id}/pause`, { reason: 'the mail server is busy' }), 200)
  const page = `/console/bulk-actions/${id}`
  expect((await surfer.open(page)).html).toContain(`href="${page}/resume"`)
  const resume = `${page}/resume`
  const unsaid = await surfer.submit(resume, resume, { reason: ' ' })
  expect(unsaid.status).toBe(422)
  expect(unsaid.html).toMatch(/<textarea[^>]*aria-invalid="true"[^>]*aria-describedby="field-reason-fault"/)
  expect((await surfer.submit(resume, resume, { reason: 'the mail server is back' })).location).toBe(page)
  // It runs: there is nothing to resume. The form keeps what was typed.
  const again = await surfer.submit(resume, resume, { reason: 'once more' })
  expect([again.status, again.html]).toEqual([422, expect.stringContaining('once more</textarea>')])
  const cancel = `${page}/cancel`
  expect((await surfer.submit(cancel, cancel, { reason: 'they know by now' })).status).toBe(303)
  await harness.sims.mailbox.do('clear-rules')
  const { changes } = await untilValue(
    'it is cancelled',
    () => report(id),
    ({ state }) => state === 'cancelled',
  )
  const done = { operator: by, outcome: 'done', code: null }
  expect(changes).toEqual([
    { ...done, change: 'pause', reason: 'the mail server is busy' },
    { ...done, change: 'resume', reason: 'the mail server is back' },
    { ...done, change: 'resume', reason: 'once more', outcome: 'refused', code: 'bulk_action_state_conflict' },
    { ...done, change: 'cancel', reason: 'they know by now' },
  ])
  expect(await actsOf(id)).toMatchObject(
    ['pause', 'resume', 'resume', 'cancel'].map((name) => ({
      act: `${name}-bulk-action`,
      account_id: null,
      order_id: null,
      bulk_action_id: null,
    })),
  )
  const { html } = await surfer.open(page)
  for (const reason of ['the mail server is busy', 'they know by now']) expect(html).toContain(reason)
  // They are none of its orders.
  expect(expectStatus(await operator.get(`${path}/${id}/orders`), 200).items.length).toBe(
    expectStatus(await operator.get(`${path}/${id}`), 200).orderCount,
  )
})

test('U2: one that nobody has started is dropped with a reason, and a form or request that is sent twice drops it once', async () => {
  const [ofForm, ofRequest] = [await prepared(), await prepared()]
  const page = `/console/bulk-actions/${ofForm}/cancel`
  const { html } = await surfer.open(page)
  const hidden = (name: string) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1] ?? ''
  const fields = { csrf: hidden('csrf'), once: hidden('once'), reason: 'not needed' }
  for (const sent of [await surfer.post(page, fields), await surfer.post(page, fields)]) expect(sent.status).toBe(303)
  const key = { 'idempotency-key': 'drop-it' }
  for (let sent = 0; sent < 2; sent += 1)
    expectStatus(await operator.post(`${path}/${ofRequest}/cancel`, { reason: 'not needed' }, key), 200)
  for (const id of [ofForm, ofRequest])
    expect((await report(id)).changes).toEqual([
      { change: 'cancel', operator: by, reason: 'not needed', outcome: 'done', code: null },
    ])
  // Programs of before this send no reason.
  const id = await prepared()
  expectStatus(await operator.post(`${path}/${id}/cancel`), 200)
  expect((await report(id)).changes).toMatchObject([{ change: 'cancel', reason: null }])
  // What another operator asks for is another act.
  const second = await operator.post(`${path}/${id}/cancel`, { reason: 'to be sure' })
  expect(second.status).toBe(409)
  const personal = await operator.post(`${path}/${id}/cancel`, { reason: 'asked by a@b.example' })
  expect(personal.status).toBe(400)
  expect((await harness.service.post(`${path}/${id}/cancel`)).status).toBe(403)
})

test('the console counts all bulk actions, not those of a page', async () => {
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count from bulk_actions`
  const before = row?.count ?? 0
  await sql`
    insert into bulk_actions
      (id, act, selection, reason, order_count, needs_second_operator, state, prepared_by, prepared_at, ended_at)
    select gen_random_uuid(), 'retry', '{}', 'an old one', 0, false, 'cancelled', 'operator:somebody',
      now() - interval '1 year', now() from generate_series(1, 101)`
  const { html } = await surfer.open('/console/bulk-actions')
  expect(html).toContain(`Bulk actions (${before + 101}, 100 shown, the newest first)`)
})
