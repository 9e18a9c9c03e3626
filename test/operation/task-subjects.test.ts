/** A task leads to what it is about, and every role that works on tasks may take, note and settle them. */
import { randomUUID } from 'node:crypto'
import { beforeAll, expect, test } from 'vitest'
import type { Attention, OperatorActs } from '../../db/connection/schema.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import type { Surfer } from '../harness/browser.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import type { OrderView } from '../harness/purchases.ts'
import { surferOf } from './operator-surfer.ts'

const harness = await shareStack()
const { sql } = harness.context

let person: Person
let order: OrderView
let surfer: Surfer

beforeAll(async () => {
  person = await harness.signUp()
  order = await harness.buy(person)
  ;({ surfer } = await surferOf(harness, 'admin'))
})

async function raised(kind: string, subjectId: string, attributes?: { orderId: string }): Promise<string> {
  await raiseOperatorTask(sql, { kind, subjectId, at: new Date(0), ...(attributes && { attributes }) })
  const [task] = await sql<Pick<Attention, 'id'>[]>`
    select id from attention where kind = ${kind} and subject_id = ${subjectId}`
  return task?.id ?? ''
}

test('a task links the order, account or privacy request that it is about, in each list and on each form', {
  tags: 'long',
}, async () => {
  const asked = { kind: 'access', message: 'What?', replyTo: `${randomUUID()}@elsewhere.example` }
  const ofNobody = expectStatus(await harness.operator.post('/v1/privacy-requests', asked), 201).id
  const theirs = expectStatus(
    await person.caller.post('/v1/privacy-requests', { kind: 'access', message: 'What?' }),
    201,
  ).id
  const kind = 'refund_failed'
  const orderPage = `/console/orders/${order.id}`
  for (const { subject, page, attributes } of [
    { subject: String(order.id), page: orderPage },
    { subject: orderWorkflowId(order.id), page: orderPage },
    { subject: String(order.esims[0].id), page: orderPage },
    { subject: 'du_somewhere', page: orderPage, attributes: { orderId: String(order.id) } },
    { subject: person.accountId, page: `/console/accounts/${person.accountId}` },
    { subject: theirs, page: `/console/privacy-requests/${theirs}` },
    { subject: ofNobody, page: `/console/privacy-requests/${ofNobody}` },
    { subject: 'esim-access', page: undefined },
  ]) {
    const task = await raised(kind, subject, attributes)
    const link = `<a href="${page}"><code>${subject}</code></a>`
    for (const path of ['/console', '/console/tasks', `/console/attention/${task}/settle`]) {
      const { html } = await surfer.open(path)
      expect(html).toContain('The bank has sent a refund back')
      expect([path, subject, html.includes(link)]).toEqual([path, subject, page !== undefined])
      expect(html).toContain(`<code>${subject}</code>`)
    }
  }
  expect((await surfer.open(`/console/accounts/${person.accountId}`)).html).toContain(
    `<a href="${orderPage}"><code>${order.id}</code></a>`,
  )
  await sql`delete from attention where kind = ${kind}`
})

test('support, finance and privacy take, note and settle a task, and note about an order', async () => {
  for (const role of ['support', 'finance', 'privacy'] as const) {
    const { surfer: their, actor } = await surferOf(harness, role)
    const task = await raised('refund_failed', String(order.id))
    for (const name of ['take', 'note', 'settle']) {
      const form = `/console/attention/${task}/${name}`
      expect([role, name, (await their.submit(form, form, { reason: 'the bank agrees' })).status]).toEqual([
        role,
        name,
        303,
      ])
    }
    const note = `/console/orders/${order.id}/note`
    expect((await their.open(`/console/orders/${order.id}`)).html).toContain(`href="${note}"`)
    expect([role, (await their.submit(note, note, { reason: 'the bank agrees' })).status]).toEqual([role, 303])
    const acts = await sql<OperatorActs[]>`select * from operator_acts where operator = ${actor} order by asked_at, id`
    expect(acts.map(({ act, state }) => [act, state])).toEqual(
      ['take-task', 'note-task', 'settle-task', 'note'].map((act) => [act, 'done']),
    )
    // What moves an order or money is still for others.
    const resend = `/console/orders/${order.id}/resend`
    expect([role, (await their.open(resend)).status]).toEqual([role, role === 'support' ? 200 : 403])
  }
})
