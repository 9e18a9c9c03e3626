/**
 * R2: books are kept anonymised for 7 years. Which data can be linked by somebody who has the erased database and the
 * records of Stripe and the eSIM providers. The lists below are complete: an amount and a day, which a payment and its
 * invoice always share.
 */
import { beforeAll, expect, test } from 'vitest'
import { personalData } from '../../policy/personal-data.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'
import { takeSnapshot } from './snapshot.ts'

const harness = await shareStack({ books: false })
const { stripe, esimAccess, airalo } = harness.sims
const { context } = harness

/** different from every other number */
const amountMinor = 13_579

/** Waits until what comes is not in the same second as what was. */
async function untilNextSecond(): Promise<void> {
  const second = () => Math.floor(Date.now() / 1_000)
  const before = second()
  await until('the next second', () => second() > before)
}

let person: Person
let orderIds: string[]
let outside: Map<string, Set<string>>

beforeAll(async () => {
  // Later events are not in the same second as the stack's start.
  await untilNextSecond()
  await context.sql`update packages set price_minor = ${amountMinor}`
  person = await harness.signUp()
  const [first, second, third] = [
    await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, order: { savedCards: true } }),
    await harness.buy(person, { packageCode: testPackages.onlyAiralo }),
    await harness.buy(person),
  ]
  expectStatus(await person.caller.post(`/v1/orders/${third.id}/refund`), 200)
  await harness.untilOrder(third.id, 'refunded')
  const unpaid = await harness.buy(person, { pay: false })
  orderIds = [first.id, second.id, third.id, unpaid.id]
  await untilNextSecond()
  // An outside party's copy of before contains data that it has deleted since.
  const before = await valuesOutside()
  const deletion = await deleteAccount(harness.stack, person)
  // Before the redaction Stripe has the order's id, which finds nothing here.
  await deletion.until('stripe', 'done')
  outside = new Map([...before, ...(await valuesOutside())])
  await stripe.do('clock', { advanceSeconds: 92 * 86_400 })
  await deletion.fastForward('92 days')
  expect((await deletion.receipt()).completedAt).not.toBeNull()
})

test('our ids in the records of outside parties match no row after an erasure', async () => {
  const theirs = [...outside.keys()]
  // Stripe keeps an order's id in its payment until the redaction.
  expect(orderIds.every((id) => theirs.includes(id))).toBe(true)
  const here = [...(await takeSnapshot(context)).values()].flat().join('\n')
  for (const id of [...orderIds, person.accountId]) expect(here).not.toContain(id)
  for await (const { workflowId } of harness.temporal.workflow.list()) {
    expect(orderIds.filter((id) => workflowId.includes(id))).toEqual([])
  }
})

test('after an erasure our database and the records of outside parties share only amounts and days', async () => {
  expect(await joined('amount')).toEqual([
    'invoices.gross_minor',
    'order_facts.gross_minor',
    'order_facts.refunded_minor',
  ])
  expect(await joined('day')).toEqual(['invoices.issued_on', 'invoices.supplied_on', 'order_facts.paid_on'])
  expect(await joined('moment')).toEqual([])
  expect(await joined('text')).toEqual([])
})

test('after an erasure only values that identify nobody link the rows of one order', async () => {
  const facts = await context.sql`select count(*)::int as rows, count(distinct paid_on)::int as days from order_facts`
  expect(facts[0]).toEqual({ rows: 3, days: 1 })
  const ties = await context.sql`
    select conrelid::regclass::text as from, confrelid::regclass::text as to from pg_constraint
    where contype = 'f' and conparentid = 0
      and (conrelid in ('invoices'::regclass, 'order_facts'::regclass)
        or confrelid in ('invoices'::regclass, 'order_facts'::regclass))`
  // Only deleted rows lead to them.
  expect(ties.map(({ from, to }) => `${from} → ${to}`).sort()).toEqual([
    'invoice_links → invoices',
    'orders → order_facts',
  ])
  for (const table of ['orders', 'invoice_links']) {
    expect(await context.sql`select 1 from ${context.sql(table)}`).toHaveLength(0)
  }
})

type Kind = 'amount' | 'day' | 'moment' | 'text'

/** Our columns that share a value of a kind with the records of outside parties. */
async function joined(kind: Kind): Promise<string[]> {
  const columns = new Set<string>()
  for (const [table, rows] of await takeSnapshot(context)) {
    for (const row of rows) {
      for (const [path, value] of leavesOf(JSON.parse(row))) {
        const name = `${table}.${path.replace(/\[\]$/, '')}`
        if (isOfOurTrade(name)) continue
        const isTime = value.includes('T')
        for (const [itsKind, form] of formsOf(value)) {
          if (itsKind === kind && outside.has(form) && !(isTime && kind === 'day')) columns.add(name)
        }
      }
    }
  }
  return [...columns].sort()
}

/**
 * Tables without data of people: the catalogue is the same for everybody, keys are checked on a schedule, and an
 * outside party has one row, with the time of an answer to anybody and nothing that leads on to a row of another table.
 * An ended sign-in has the second of an erasure, and beside it a keyed hash that no other row has; so has, for 30 days,
 * the event that tells the app backend of it, and beside it the id of the receipt or, sealed, the id that the backend
 * has to delete.
 */
function isOfOurTrade(name: string): boolean {
  if (/^(encryption_keys|outside_parties|ended_sign_ins)\./.test(name) || name === 'events.at') return true
  const entry = personalData[name]
  return entry?.onErasure === 'keep' && entry.class === 'business'
}

async function valuesOutside(): Promise<Map<string, Set<string>>> {
  const books = { stripe: await stripe.state(), esimAccess: await esimAccess.state(), airalo: await airalo.state() }
  const values = new Map<string, Set<string>>()
  for (const [path, value] of leavesOf(books)) {
    for (const [, form] of formsOf(value)) values.set(form, (values.get(form) ?? new Set()).add(path))
  }
  return values
}

/** The form in which a value is compared. Words for one of a few states identify nobody. */
function formsOf(value: string): [Kind, string][] {
  // A refund has a negative amount in a credit note and in Stripe's balance.
  if (value.replace(/^-/, '') === String(amountMinor)) return [['amount', String(amountMinor)]]
  if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return [['day', value]]
  const time = /^\d{10}$/.test(value)
    ? Number(value) * 1000
    : /^\d{4}-\d{2}-\d{2}T/.test(value)
      ? Date.parse(value)
      : Number.NaN
  if (!Number.isNaN(time)) {
    const moment = new Date(time).toISOString()
    return [
      ['day', moment.slice(0, 10)],
      ['moment', moment.slice(0, 19)],
    ]
  }
  const isWord = /^[a-z_]{0,24}$/.test(value) || value.length < 4
  return isWord ? [] : [['text', value]]
}

/** The leaves of a JSON value with their paths, without indexes. */
function leavesOf(value: unknown, path = ''): [path: string, value: string][] {
  if (typeof value !== 'object' || value === null) return [[path, String(value)]]
  return Object.entries(value).flatMap(([key, inner]) =>
    leavesOf(inner, Array.isArray(value) ? `${path}[]` : path ? `${path}.${key}` : key),
  )
}
