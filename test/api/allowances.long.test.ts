/** U5: fraud is prevented. The requests of one person are limited, also when they are simultaneous. */
import { expect, test } from 'vitest'
import { deleteAllowances, spendAllowance } from '../../db/requests/allowances.ts'
import { allowances, mostDevices } from '../../policy/allowances.ts'
import { periods } from '../../policy/periods.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { createSurfer } from '../harness/browser.ts'
import { mailsTo } from '../harness/checks/messages.ts'
import { shareStack } from '../harness/harness.ts'
import { type Answer, expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { seededUuid } from '../harness/seed.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

const harness = await shareStack()
const { sql } = harness.context

const keyed = () => ({ 'idempotency-key': seededUuid() })

/** Sends more simultaneous requests than allowed, and expects exactly the allowed number to be accepted. */
async function expectBound(most: number, request: (at: number) => Promise<Answer>): Promise<void> {
  const answers = await Promise.all(Array.from({ length: most + 5 }, (_, at) => request(at)))
  const refused = answers.filter(({ status }) => status === 429)
  expect(answers.filter(({ status }) => status < 300)).toHaveLength(most)
  expect(refused).toHaveLength(5)
  for (const { headers, body } of refused) {
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0)
    expect(body).toMatchObject({ code: 'too_many_requests', detail: expect.stringContaining(`At most ${most}`) })
  }
}

test('privacy requests of a person and of the app backend for them are limited, those of operators are not', async () => {
  const person = await harness.signUp()
  const { most } = allowances.privacy_request
  const asked = { accountId: person.accountId, kind: 'other', message: 'Again.' }
  await expectBound(most, (at) =>
    (at % 2 ? harness.service : person.caller).post('/v1/privacy-requests', asked, keyed()),
  )
  const [row] = await sql`select count(*)::int as count from privacy_requests where account_id = ${person.accountId}`
  expect(row?.count).toBe(most)
  const page = await visit(harness.stack, person)
  const form = await page.submit('/account/data', '/account/privacy-request', { kind: 'other', message: 'By form.' })
  expect(form.status).toBe(429)
  expect((await harness.operator.post('/v1/privacy-requests', asked, keyed())).status).toBe(201)
})

test('mails to a requested new address are limited, for all accounts together', async () => {
  const { most } = allowances.email_change
  const people = await Promise.all(Array.from({ length: most + 5 }, () => harness.signUp()))
  const local = seededUuid()
  const spellings = [local, local.toUpperCase()].map((part) => `${part}@people.example`)
  await expectBound(most, (at) =>
    harness.service.post(`/v1/accounts/${people[at]?.accountId}/email-change`, {
      email: spellings[at % 2],
    }),
  )
  const mails = async () => (await Promise.all(spellings.map((to) => mailsTo(harness.stack, to)))).flat().length
  await until('they are mailed', async () => (await mails()) >= most)
  expect(await mails()).toBe(most)
})

test('mails to a requested new address are counted on when the account is deleted from which they were asked', async () => {
  const { most } = allowances.email_change
  const email = `${seededUuid()}@people.example`
  const ask = ({ accountId }: { accountId: string }) =>
    harness.service.post(`/v1/accounts/${accountId}/email-change`, { email })
  const first = await harness.signUp()
  for (let times = 0; times < most; times += 1) expect((await ask(first)).status).toBe(202)
  expect((await first.caller.delete(`/v1/accounts/${first.accountId}`)).status).toBe(200)
  expect((await ask(await harness.signUp())).status).toBe(429)
})

test('orders of a person are limited; a repeated request does not count, and a refused one can be sent later', async () => {
  const person = await harness.signUp()
  const order = { accountId: person.accountId, packageCode: testPackages.anyProvider }
  const keys = Array.from({ length: allowances.order.most + 5 }, keyed)
  await expectBound(allowances.order.most, (at) => harness.service.post('/v1/orders', order, keys[at]))
  const again = await Promise.all(keys.map((key) => harness.service.post('/v1/orders', order, key)))
  expect(again.filter(({ status }) => status === 201)).toHaveLength(allowances.order.most)
  await sql`update allowances set window_start = window_start - interval '1 hour' where account_id = ${person.accountId}`
  const late = await Promise.all(keys.map((key) => harness.service.post('/v1/orders', order, key)))
  expect(late.filter(({ status }) => status !== 201)).toEqual([])
})

test('an order that is asked for again and again, while it waits for its payment, is one update of its run', async () => {
  const person = await harness.signUp()
  const order = { accountId: person.accountId, packageCode: testPackages.anyProvider }
  const key = keyed()
  const first = expectStatus(await person.caller.post('/v1/orders', order, key), 201)
  const again = await Promise.all(Array.from({ length: 10 }, () => person.caller.post('/v1/orders', order, key)))
  for (const answer of again) expect(expectStatus(answer, 201)).toEqual(first)
  const { events } = await harness.temporal.workflow.getHandle(orderWorkflowId(first.id)).fetchHistory()
  const accepted = events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes) ?? []
  expect(accepted).toHaveLength(1)
})

test('resent mails of a person are limited', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person)
  await expectBound(allowances.resend.most, () => person.caller.post(`/v1/orders/${id}/resend`, undefined, keyed()))
  expect((await harness.operator.post(`/v1/orders/${id}/resend`, undefined, keyed())).status).toBe(200)
})

test.each([
  [
    'order',
    async (person: Person) => {
      const order = { accountId: person.accountId, packageCode: testPackages.anyProvider }
      return (key: Record<string, string>) => person.caller.post('/v1/orders', order, key)
    },
  ],
  [
    'resend',
    async (person: Person) => {
      const { id } = await harness.buy(person)
      return (key: Record<string, string>) => person.caller.post(`/v1/orders/${id}/resend`, undefined, key)
    },
  ],
  [
    'privacy_request',
    async (person: Person) => {
      const request = { accountId: person.accountId, kind: 'other', message: 'Again.' }
      return (key: Record<string, string>) => person.caller.post('/v1/privacy-requests', request, key)
    },
  ],
] as const)(
  '%s: nobody is let in beyond the limit by sending the request several times at once under one key',
  async (kind, prepare) => {
    const person = await harness.signUp()
    const request = await prepare(person)
    await sql`insert into allowances (subject, kind, account_id, window_start, used)
      values (${harness.context.cipher.fingerprint('allowance', person.accountId)}, ${kind}, ${person.accountId}, now(),
        ${allowances[kind].most})
      on conflict (subject, kind) do update set used = excluded.used`
    const key = keyed()
    const atOnce = await Promise.all(Array.from({ length: 20 }, () => request(key)))
    expect(atOnce.filter(({ status }) => status !== 429)).toEqual([])
    await sql`update allowances set window_start = window_start - interval '1 day' where account_id = ${person.accountId}`
    const later = await Promise.all(Array.from({ length: 5 }, () => request(key)))
    expect(later.filter(({ status }) => status >= 300)).toEqual([])
    const [row] = await sql`select used from allowances where account_id = ${person.accountId} and kind = ${kind}`
    expect(row?.used).toBe(1)
  },
)

test.each([
  ['cancel', 'give_back', 'cancel'],
  ['refund', 'give_back', 'return'],
  ['withdrawal/confirm', 'withdrawal', 'withdrawal/confirm'],
] as const)(
  '%s: one person does not have the provider asked, and the run of the order, without bound',
  async (path, kind, form) => {
    const person = await harness.signUp()
    const { id } = await harness.buy(person)
    const surfer = await visit(harness.stack, person)
    const shown = await surfer.open(`/account/orders/${id}`)
    const [, csrf = ''] = /name="csrf" value="([^"]*)"/.exec(shown.html) ?? []
    expectStatus(await person.caller.post(`/v1/orders/${id}/withdrawal`), 200)
    const subject = { accountId: person.accountId }
    for (let times = 0; times < allowances[kind].most; times += 1)
      expect(await spendAllowance(sql, harness.context, { kind, subject, at: new Date() })).toBeUndefined()
    const ask = () => person.caller.post(`/v1/orders/${id}/${path}`)
    const byForm = () =>
      surfer.post(`/account/orders/${id}/${form}`, { csrf, ...(form.endsWith('confirm') && { name: 'Ann' }) })
    expect([(await ask()).status, (await byForm()).status]).toEqual([429, 429])
    expect((await harness.service.post(`/v1/orders/${id}/${path}`)).status).toBe(429)
    expect(expectStatus(await person.caller.get(`/v1/orders/${id}`), 200).status).toBe('delivered')
    if (path === 'refund') expectStatus(await harness.operator.post(`/v1/orders/${id}/${path}`), 200)
  },
)

test('exports of a person are limited', async () => {
  const person = await harness.signUp()
  await expectBound(allowances.export.most, () => person.caller.get(`/v1/accounts/${person.accountId}/export`))
})

test('an account keeps only the last seen devices', async () => {
  const person = await harness.signUp({ device: false })
  const path = (at: number) => `/v1/accounts/${person.accountId}/devices/device-${at}`
  const answers = await Promise.all(
    Array.from({ length: mostDevices + 30 }, (_, at) => person.caller.put(path(at), { platform: 'ios' })),
  )
  expect(answers.filter(({ status }) => status !== 200)).toEqual([])
  expect((await person.caller.put(path(1_000), { platform: 'ios' })).status).toBe(200)
  const [row] = await sql`select count(*)::int as count from devices where account_id = ${person.accountId}`
  expect(row?.count).toBe(mostDevices)
})

test('simultaneous requests for sign-in links are limited', async () => {
  const person = await harness.signUp()
  const { most } = allowances.sign_in_link
  const page = createSurfer(harness.urls.api)
  await Promise.all(
    Array.from({ length: most + 9 }, () => page.post('/account/sign-in', { email: person.email, next: 'account' })),
  )
  const links = async () =>
    (await mailsTo(harness.stack, person.email)).filter(({ subject }) => subject === 'Your sign-in link')
  await until('the links are mailed', async () => (await links()).length >= most)
  const [spent] =
    await sql`select used from allowances where account_id = ${person.accountId} and kind = 'sign_in_link'`
  expect(spent?.used).toBe(most)
  expect(await links()).toHaveLength(most)
})

test('a count of requests restarts after its window, and is deleted when it is over', async () => {
  const { accountId } = await harness.signUp()
  const start = new Date()
  const { most, withinMs } = allowances.resend
  const spend = (afterMs: number) =>
    spendAllowance(sql, harness.context, {
      kind: 'resend',
      subject: { accountId },
      at: new Date(start.getTime() + afterMs),
    })
  for (let times = 0; times < most; times += 1) expect(await spend(times)).toBeUndefined()
  expect(await spend(withinMs - 1_000)).toBe(1_000)
  expect(await spend(withinMs)).toBeUndefined()
  const counts = () => sql`select 1 from allowances where account_id = ${accountId}`
  await deleteAllowances(sql, new Date(start.getTime() + periods.allowanceMs), 10_000)
  expect(await counts()).toHaveLength(1)
  await deleteAllowances(sql, new Date(start.getTime() + periods.allowanceMs + withinMs + 1), 10_000)
  expect(await counts()).toHaveLength(0)
})
