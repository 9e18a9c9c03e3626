import { randomUUID } from 'node:crypto'
import type { Duration } from '@temporalio/common'
import { describe, expect, test } from 'vitest'
import { milliseconds } from '../../../policy/periods.ts'
import { booksPeriodEnds, monthOf } from '../../../shared/calendar.ts'
import { fastForward } from '../../../temporal/time-skipping.ts'
import {
  booksCohortsType,
  invoiceRetentionState,
  invoiceRetentionWorkflowId,
} from '../../../workflows/retention/invoice-retention.contract.ts'
import { openHarness } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { until } from '../../harness/until.ts'

// The order of an account that still exists has no books after seven years.
const harness = await openHarness({ settings: { BOOKS_COUNT_FROM: 'issue' }, books: false })
const { sql } = harness.context
const { day } = milliseconds

/** An invoice and the facts of one order, as if issued on that day. */
async function issued(onDay: string, corrects: string | null = null): Promise<string> {
  const number = `T-${randomUUID()}`
  await sql`
    insert into invoices (number, series, sequence, kind, issued_on, supplied_on, seller, description, destination,
      quantity, net_minor, tax_minor, gross_minor, tax_rate_bps, currency, payment_kind, corrects)
    values (${number}, ${number}, 1, ${corrects ? 'credit_note' : 'invoice'}, ${onDay}, ${onDay}, 'Seller', 'Package',
      'DE', 1, 424, 76, 500, 1800, 'EUR', 'card', ${corrects})`
  await sql`
    insert into order_facts (id, paid_on, package_name, destination, quantity, gross_minor, currency, outcome)
    values (${randomUUID()}, ${onDay}, 'Package', 'DE', 1, 500, 'EUR', 'delivered')`
  return number
}

let openings = 0
async function openRuns(): Promise<{ months: number }> {
  openings += 1
  return harness.temporal.workflow.execute(booksCohortsType, {
    workflowId: `cohorts-${openings}`,
    taskQueue: harness.config.TEMPORAL_TASK_QUEUE,
  })
}

const runOf = (month: string) => harness.temporal.workflow.getHandle(invoiceRetentionWorkflowId(month))
const forward = (month: string, duration: Duration) =>
  fastForward(harness.temporal, invoiceRetentionWorkflowId(month), duration)
const showsStatus = (month: string, status: string) =>
  until(`${month} is ${status}`, async () => (await runOf(month).query(invoiceRetentionState)).status === status)

async function booksOf(month: string): Promise<{ invoices: number; orderFacts: number }> {
  const { items } = expectStatus(await harness.operator.get('/v1/books'), 200)
  const found = items.find((each: { month: string }) => each.month === month)
  return { invoices: found?.invoices ?? 0, orderFacts: found?.orderFacts ?? 0 }
}

describe('a month of the books', () => {
  test('R2: the books of a month are purged after seven years, and younger months are kept', async () => {
    const person = await harness.signUp()
    const order = await harness.buy(person)
    const today = new Date()
    const month = monthOf(today)
    const younger = monthOf(new Date(today.getTime() + 40 * day))
    await issued(`${younger}-03`)
    expect(await openRuns()).toEqual({ months: 2 })
    await showsStatus(month, 'keeping')
    expect(await booksOf(month)).toEqual({ invoices: 1, orderFacts: 1 })

    const end = booksPeriodEnds(today, { years: 7, countFrom: 'issue' })
    await forward(month, end.getTime() - Date.now() - day / 24)
    expect(await booksOf(month)).toEqual({ invoices: 1, orderFacts: 1 })
    const { outcome, now } = await forward(month, '2 hours')
    expect(outcome).toBe('ended')
    expect(now.getTime() - end.getTime()).toBeLessThan(60_000)
    expect(await runOf(month).result()).toMatchObject({ status: 'purged', purged: { invoices: 1, orderFacts: 1 } })
    expect(await booksOf(month)).toEqual({ invoices: 0, orderFacts: 0 })
    expect(await booksOf(younger)).toEqual({ invoices: 1, orderFacts: 1 })
    const [left] = await sql`
      select (select count(*)::int from invoice_links) as links, fact_id from orders where id = ${order.id}`
    expect(left).toEqual({ links: 0, fact_id: null })
    expect(expectStatus(await harness.service.get(`/v1/orders/${order.id}`), 200).status).toBe('delivered')
    expect(await openRuns()).toEqual({ months: 1 })
  })

  test('is purged day by day, and a credit note outlives the invoice that it corrects', async () => {
    const invoice = await issued('2031-05-02')
    await issued('2031-05-30')
    const note = await issued('2031-06-04', invoice)
    await openRuns()
    await showsStatus('2031-05', 'keeping')
    await forward('2031-05', Date.parse('2038-05-04') - Date.now())
    expect(await booksOf('2031-05')).toEqual({ invoices: 1, orderFacts: 1 })
    expect(await sql`select corrects from invoices where number = ${note}`).toEqual([{ corrects: invoice }])
    const { outcome } = await forward('2031-05', '28 days')
    expect(outcome).toBe('ended')
    expect(await booksOf('2031-06')).toEqual({ invoices: 1, orderFacts: 1 })
  })

  test('with many invoices is purged in batches', async () => {
    await sql`
      insert into invoices (number, series, sequence, kind, issued_on, supplied_on, seller, description, destination,
        quantity, net_minor, tax_minor, gross_minor, tax_rate_bps, currency, payment_kind)
      select 'M-' || i, 'M-' || i, 1, 'invoice', '2032-02-29', '2032-02-29', 'Seller', 'Package', 'DE', 1, 424, 76,
        500, 1800, 'EUR', 'card' from generate_series(1, 2500) i`
    await openRuns()
    await forward('2032-02', Date.parse('2039-03-01T01:00:00Z') - Date.now())
    expect(await runOf('2032-02').result()).toMatchObject({ purged: { invoices: 2500, orderFacts: 0 } })
  })

  test('under an operator’s hold is kept until the hold is lifted', { tags: 'long' }, async () => {
    await issued('2033-01-10')
    await openRuns()
    await showsStatus('2033-01', 'keeping')
    expectStatus(await harness.operator.put('/v1/books/2033-01/hold', { reason: 'tax audit 12/40' }), 204)
    await forward('2033-01', Date.parse('2040-06-01') - Date.now())
    await showsStatus('2033-01', 'held')
    expect(await booksOf('2033-01')).toEqual({ invoices: 1, orderFacts: 1 })
    expectStatus(await harness.operator.delete('/v1/books/2033-01/hold'), 204)
    expect(await runOf('2033-01').result()).toMatchObject({ status: 'purged' })
    expect(await booksOf('2033-01')).toEqual({ invoices: 0, orderFacts: 0 })
  })
})

test('only operators can read and hold the books', async () => {
  for (const caller of [harness.service, harness.anonymous, (await harness.signUp()).caller]) {
    expect([401, 403]).toContain((await caller.get('/v1/books')).status)
    expect([401, 403]).toContain((await caller.put('/v1/books/2033-01/hold', { reason: 'why not' })).status)
    expect([401, 403]).toContain((await caller.delete('/v1/books/2033-01/hold')).status)
  }
  expect((await harness.operator.put('/v1/books/2033-13/hold', { reason: 'why not' })).status).toBe(400)
})
