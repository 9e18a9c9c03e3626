/** Checks of invoices and credit notes. */
import type { Database } from '../../../db/connection/database.ts'
import type { InvoiceLinks, Invoices } from '../../../db/connection/schema.ts'

export interface Document {
  number: string
  kind: Invoices['kind']
  grossMinor: number
  corrects: string | null
}

/** The documents by order id. */
export async function readDocuments(sql: Database): Promise<Map<string, Document[]>> {
  const rows = await sql<(Pick<InvoiceLinks, 'order_id'> & Invoices)[]>`
    select l.order_id, i.*
    from invoice_links l join invoices i on i.number = l.number`
  const byOrder = new Map<string, Document[]>()
  for (const { order_id, number, kind, gross_minor, corrects } of rows) {
    const document = { number, kind, grossMinor: gross_minor, corrects }
    byOrder.set(order_id, [...(byOrder.get(order_id) ?? []), document])
  }
  return byOrder
}

/** Series of numbers with gaps or duplicates, and documents whose amounts do not add up. */
export async function faultsInDocuments(sql: Database): Promise<string[]> {
  const series = await sql<
    (Pick<Invoices, 'series'> & { documents: number; distinct: number; highest: number; last: number | null })[]
  >`
    select i.series, count(*)::int as documents, count(distinct i.sequence)::int as distinct,
      max(i.sequence)::int as highest, max(c.last)::int as last
    from (
      select series, sequence from invoices union all select series, sequence from lost_numbers
    ) i left join counters c on c.series = i.series group by i.series`
  const faults = series
    .filter(({ documents, distinct, highest, last }) => new Set([documents, distinct, highest, last]).size > 1)
    .map((row) => `series ${row.series} has gaps or repeats: ${JSON.stringify(row)}`)
  const wrong = await sql<Pick<Invoices, 'number'>[]>`
    select number from invoices where net_minor + tax_minor <> gross_minor or (kind = 'credit_note') <> (corrects is not null)`
  return [...faults, ...wrong.map(({ number }) => `document ${number} does not add up`)]
}
