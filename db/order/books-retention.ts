/**
 * R2, invoices and orders are kept anonymised for 7 years: reads the books by month and day, and deletes documents past
 * their period.
 */
import { dayOf } from '../../shared/calendar.ts'
import type { Database, Queryable } from '../connection/database.ts'
import type { BooksHolds, Invoices } from '../connection/schema.ts'

const firstDay = (month: string): string => `${month}-01`
const isoDays = (days: readonly Date[]): string[] => days.map(dayOf)

/** The months of the books, `YYYY-MM`, the oldest first. The query takes one step of an index for each month. */
export async function listBookMonths(sql: Queryable): Promise<string[]> {
  const rows = await sql<{ month: string }[]>`
    with recursive months (month) as (
      select (select date_trunc('month', least(
        (select min(issued_on) from invoices), (select min(paid_on) from order_facts))::timestamp))
      union all
      select date_trunc('month', least(
        (select min(issued_on) from invoices where issued_on >= month + interval '1 month'),
        (select min(paid_on) from order_facts where paid_on >= month + interval '1 month'))::timestamp)
      from months where month is not null)
    select to_char(month, 'YYYY-MM') as month from months where month is not null order by 1`
  return rows.map(({ month }) => month)
}

/** The days of a month that the books have documents of, the oldest first. */
export async function listBookDays(sql: Queryable, month: string): Promise<Date[]> {
  const from = firstDay(month)
  const rows = await sql<{ day: Invoices['issued_on'] }[]>`
    select issued_on as day from invoices
    where issued_on >= ${from}::date and issued_on < (${from}::date + interval '1 month')::date
    union select paid_on from order_facts
    where paid_on >= ${from}::date and paid_on < (${from}::date + interval '1 month')::date
    order by day`
  return rows.map(({ day }) => day)
}

/**
 * Deletes a batch of invoices and credit notes of these days, with their invoice links.
 * @returns their number; less than `limit` when none are left
 */
export async function deleteInvoices(sql: Database, days: readonly Date[], limit: number): Promise<number> {
  const gone = await sql`
    delete from invoices where number in (
      select number from invoices where issued_on = any(${isoDays(days)}::date[]) limit ${limit})`
  return gone.count
}

/** Deletes a batch of order facts of these days. An order that still exists loses its link to them. */
export async function deleteOrderFacts(sql: Database, days: readonly Date[], limit: number): Promise<number> {
  const gone = await sql`
    delete from order_facts where id in (
      select id from order_facts where paid_on = any(${isoDays(days)}::date[]) limit ${limit})`
  return gone.count
}

/** The number of documents and order facts of these days. */
export async function countBooks(sql: Queryable, days: readonly Date[]): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select ((select count(*) from invoices where issued_on = any(${isoDays(days)}::date[]))
      + (select count(*) from order_facts where paid_on = any(${isoDays(days)}::date[])))::int as count`
  return row?.count ?? 0
}

export interface BooksMonth {
  month: string
  invoices: number
  orderFacts: number
  hold: { reason: string; heldAt: Date } | null
}

type BooksMonthRow = { month: string; invoices: number; facts: number } & (
  | Pick<BooksHolds, 'reason' | 'held_at'>
  | { reason: null; held_at: null }
)

/** All months of the books, for operators. */
export async function describeBooks(sql: Queryable): Promise<BooksMonth[]> {
  const months = await listBookMonths(sql)
  const rows = await sql<BooksMonthRow[]>`
    select months.month, reason, held_at,
      (select count(*)::int from invoices where issued_on >= first and issued_on < next) as invoices,
      (select count(*)::int from order_facts where paid_on >= first and paid_on < next) as facts
    from (
      select month, (month || '-01')::date as first, ((month || '-01')::date + interval '1 month')::date as next
      from unnest(${months}::text[]) as month) months
    left join books_holds on books_holds.month = first order by months.month`
  return rows.map(({ month, invoices, facts, ...held }) => ({
    month,
    invoices,
    orderFacts: facts,
    hold: held.reason === null ? null : { reason: held.reason, heldAt: held.held_at },
  }))
}

/** Whether an operator holds a month. */
export async function isMonthHeld(sql: Queryable, month: string): Promise<boolean> {
  const rows = await sql`select from books_holds where month = ${firstDay(month)}`
  return rows.length > 0
}

/** Holds a month beyond its period; repeatable, the first reason stays. */
export async function holdMonth(
  sql: Queryable,
  hold: { month: string; reason: string; by: string; at: Date },
): Promise<void> {
  await sql`insert into books_holds (month, reason, held_at, held_by)
    values (${firstDay(hold.month)}, ${hold.reason}, ${hold.at}, ${hold.by}) on conflict do nothing`
}

/** Ends the hold of a month; repeatable. */
export async function releaseMonth(sql: Queryable, month: string): Promise<void> {
  await sql`delete from books_holds where month = ${firstDay(month)}`
}
