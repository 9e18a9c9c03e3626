/**
 * U5: abuse is detected. A request that is sent again under its key, while the first one is still being counted, is not
 * done for being a repetition: the first may be one too many.
 */
import { expect, test } from 'vitest'
import { spendAllowance } from '../../db/requests/allowances.ts'
import { type AllowanceKind, allowances } from '../../policy/allowances.ts'
import type { Surfer } from '../harness/browser.ts'
import { holdTable } from '../harness/database/held-table.ts'
import { shareStack } from '../harness/harness.ts'
import type { Person } from '../harness/people.ts'
import { seededUuid } from '../harness/seed.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

const harness = await shareStack()
const { sql } = harness.context

const person = await harness.signUp()
const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
const page = await visit(harness.stack, person)

/** Sends a request; the same each time that it is called. */
type Send = () => Promise<{ status: number }>

const post =
  (path: string, body?: unknown) =>
  async ({ caller }: Person): Promise<Send> => {
    const key = { 'idempotency-key': seededUuid() }
    return () => caller.post(path, body, key)
  }

const form =
  (path: string, action: string, fields: Record<string, string> = {}) =>
  async (_person: Person, surfer: Surfer): Promise<Send> => {
    const { html } = await surfer.open(path)
    const [inside = ''] = (html.split('<form ').find((part) => part.includes(`action="${action}"`)) ?? '').split(
      '</form>',
    )
    const hidden = [...inside.matchAll(/type="hidden" name="(\w+)" value="([^"]*)"/g)]
    const sent = { ...Object.fromEntries(hidden.map(([, name, value]) => [name ?? '', value ?? ''])), ...fields }
    return () => surfer.post(action, sent)
  }

const esimPage = `/account/esims/${order.esims[0].id}/top-up`
const question = { kind: 'other', message: 'Again.' }
const requests: [what: string, kind: AllowanceKind, make: (of: Person, surfer: Surfer) => Promise<Send>][] = [
  ['an order', 'order', post('/v1/orders', { accountId: person.accountId, packageCode: testPackages.anyProvider })],
  ['a top-up', 'order', post(`/v1/orders/${order.id}/top-up`, { packageCode: testPackages.topUp })],
  ['a top-up on the web', 'order', form(esimPage, esimPage, { packageCode: testPackages.topUp })],
  ['a mail that is sent again', 'resend', post(`/v1/orders/${order.id}/resend`)],
  [
    'a mail that is sent again on the web',
    'resend',
    form(`/account/orders/${order.id}`, `/account/orders/${order.id}/resend`),
  ],
  ['a privacy request', 'privacy_request', post('/v1/privacy-requests', question)],
  ['a privacy request on the web', 'privacy_request', form('/account/data', '/account/privacy-request', question)],
]

test.each(requests)('%s that is one too many is not done for its repetition either', async (_what, kind, make) => {
  const send = await make(person, page)
  await spendAllowance(sql, harness.context, { kind, subject: { accountId: person.accountId }, at: new Date() })
  await sql`update allowances set used = ${allowances[kind].most} where account_id = ${person.accountId} and kind = ${kind}`

  const held = await holdTable(sql, 'allowances', 'share row exclusive')
  const waiting = async (): Promise<number> => (await sql`select distinct pid from pg_locks where not granted`).length
  const answers: number[] = []
  const asked = async () => {
    const { status } = await send()
    answers.push(status)
  }
  const first = asked()
  await until('the first is being counted', async () => (await waiting()) === 1)
  const second = asked()
  await until(
    'the repetition is answered, or waits for the first',
    async () => answers.length + (await waiting()) === 2,
  )
  await held.release()
  await Promise.all([first, second])
  expect(answers).toEqual([429, 429])

  // Its key is free: it can be sent later, and is counted once.
  await sql`update allowances set used = 1 where account_id = ${person.accountId} and kind = ${kind}`
  for (let times = 0; times < 2; times += 1) expect((await send()).status).toBeLessThan(400)
  const [count] = await sql`select used from allowances where account_id = ${person.accountId} and kind = ${kind}`
  expect(count?.used).toBe(2)
})
