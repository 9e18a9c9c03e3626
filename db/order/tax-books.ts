/** The books for tax: the journal of the documents, and the turnover by member state for the One Stop Shop. */
import type { Queryable } from '../connection/database.ts'
import type { Invoices } from '../connection/schema.ts'

const pageSize = 1_000

export type JournalRow = Omit<Invoices, 'issued_on' | 'supplied_on'> & { issued_on: string; supplied_on: string }

/** The documents that were issued from one day to another (YYYY-MM-DD), in pages, by day and number. */
export async function* journalPages(sql: Queryable, from: string, to: string): AsyncGenerator<JournalRow[]> {
  for (let after: JournalRow | undefined; ; ) {
    const page: JournalRow[] = await sql<JournalRow[]>`
      select invoices.*, issued_on::text as issued_on, supplied_on::text as supplied_on from invoices
      where issued_on between ${from}::date and ${to}::date
        ${after ? sql`and (issued_on, number) > (${after.issued_on}::date, ${after.number})` : sql``}
      order by invoices.issued_on, number limit ${pageSize}`
    if (page.length > 0) yield page
    after = page.at(-1)
    if (page.length < pageSize) return
  }
}

/** How the documents of a time are taxed, and how many there are of each kind. */
export async function journalKinds(
  sql: Queryable,
  from: string,
  to: string,
): Promise<{ scope: string; rateBps: number; count: number }[]> {
  const rows = await sql<(Pick<Invoices, 'vat_scope' | 'tax_rate_bps'> & { count: number })[]>`
    select vat_scope, tax_rate_bps, count(*)::int as count from invoices
    where issued_on between ${from}::date and ${to}::date group by vat_scope, tax_rate_bps order by 1, 2`
  return rows.map(({ vat_scope: scope, tax_rate_bps: rateBps, count }) => ({ scope, rateBps, count }))
}

/** Turnover with buyers of one member state in the period, or what was corrected of an earlier period. */
export interface OssLine {
  country: string
  rateBps: number
  netMinor: bigint
  taxMinor: bigint
  currency: string
  /** the month (YYYY-MM) of the supply that is corrected; null for supplies of the period itself */
  correctedMonth: string | null
}

/**
 * The invoices and credit notes of the days from one to before another: supplies of these days, and corrections of
 * earlier ones. Each document is in the file of the time in which it was issued, since an earlier file may have been
 * sent: a restore issues invoices for supplies of before it.
 */
export async function ossLines(sql: Queryable, from: string, before: string): Promise<OssLine[]> {
  const rows = await sql<OssRow[]>`
    select country, rate, sum(net)::bigint as net, sum(tax)::bigint as tax, currency, month
    from (
      select vat_country as country, tax_rate_bps as rate, net_minor as net, tax_minor as tax, currency,
        case when supplied_on < ${from}::date then to_char(supplied_on, 'YYYY-MM') end as month
      from invoices
      where vat_scope = 'member_state' and issued_on >= ${from}::date and issued_on < ${before}::date) lines
    group by country, rate, currency, month order by month nulls first, country, rate, currency`
  return rows.map(({ country, rate, net, tax, currency, month }) => ({
    country,
    rateBps: rate,
    netMinor: net,
    taxMinor: tax,
    currency,
    correctedMonth: month,
  }))
}

interface OssRow extends Pick<Invoices, 'currency'> {
  country: string
  rate: number
  net: bigint
  tax: bigint
  month: string | null
}
