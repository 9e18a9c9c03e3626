/**
 * R2 and U6, invoices are kept for 7 years, for accounting and tax: invoices and credit notes that were issued after
 * the dump, under their old numbers.
 */
import type { Queryable, Transaction } from '../connection/database.ts'
import type { Counters, Invoices } from '../connection/schema.ts'
import { type InvoiceInput, missingCreditNote, splitTax } from './books.ts'

export interface IssuedDocument extends Omit<InvoiceInput, 'orderId'> {
  number: string
  kind: Invoices['kind']
  documentKey: string
  corrects: string | null
  /** null for a document whose account was lost */
  orderId: string | null
  /** by default the tax in the gross amount */
  taxMinor?: number
}

const numberForm = /^(.+)-(\d{6,})$/

/** Writes a document again. The counter of its series goes on after it. */
export async function restoreDocument(tx: Transaction, document: IssuedDocument): Promise<void> {
  const { number, kind, orderId, issuedOn, suppliedOn, grossMinor, taxRateBps, vat } = document
  const [, series = '', digits = ''] = numberForm.exec(number) ?? []
  if (!series) throw new Error(`${number} is no number of a document`)
  const taxMinor = document.taxMinor ?? splitTax(grossMinor, taxRateBps).taxMinor
  const netMinor = grossMinor - taxMinor
  const sign = kind === 'invoice' ? 1 : -1
  await tx`insert into invoices (number, series, sequence, kind, issued_on, supplied_on, seller, description, destination,
      quantity, net_minor, tax_minor, gross_minor, tax_rate_bps, currency, payment_kind, corrects,
      vat_country, vat_scope, vat_evidence, vat_card_country, vat_ip_country)
    values (${number}, ${series}, ${Number(digits)}, ${kind}, ${issuedOn}, ${suppliedOn},
      ${document.seller}, ${document.packageName}, ${document.destination}, ${document.quantity}, ${sign * netMinor},
      ${sign * taxMinor}, ${sign * grossMinor}, ${taxRateBps}, ${document.currency}, ${document.paymentKind},
      ${document.corrects}, ${vat.vat_country}, ${vat.vat_scope}, ${vat.vat_evidence}, ${vat.vat_card_country},
      ${vat.vat_ip_country})`
  if (orderId)
    await tx`insert into invoice_links (order_id, document_key, number)
      values (${orderId}, ${document.documentKey}, ${number})`
  await tx`insert into counters (series, last) values (${series}, ${Number(digits)})
    on conflict (series) do update set last = greatest(counters.last, excluded.last)`
}

/** Writes the credit note over a refund again. One that is there stays as it is. */
export async function restoreCreditNote(
  tx: Transaction,
  lost: { invoiceNumber: string; number: string; amountMinor: number; issuedOn: string; orderId: string | null },
): Promise<void> {
  const { invoiceNumber, number, amountMinor, issuedOn, orderId } = lost
  if (await isIssued(tx, number)) return
  const missing = await missingCreditNote(tx, invoiceNumber, (creditedMinor) => creditedMinor + amountMinor, issuedOn)
  if (!missing) return
  const { kind, documentKey, corrects, taxMinor } = missing.note
  await restoreDocument(tx, { ...missing.input, number, kind, documentKey, corrects, taxMinor, orderId })
}

/** Whether a document with this number is there. */
export async function isIssued(sql: Queryable, number: string): Promise<boolean> {
  return (await sql`select from invoices where number = ${number}`).length > 0
}

/** The highest number of each series. */
export async function readCounters(sql: Queryable): Promise<Map<string, number>> {
  const rows = await sql<Counters[]>`select series, last from counters`
  return new Map(rows.map(({ series, last }) => [series, last]))
}

/** Deletes lost numbers whose document has been found since. */
export async function deleteFoundNumbers(sql: Queryable): Promise<void> {
  await sql`delete from lost_numbers l using invoices i where i.series = l.series and i.sequence = l.sequence`
}

/**
 * Records the numbers between those of the dump and the highest known one whose document is lost. Higher ones that are
 * lost as well are not known.
 * @param before the highest number of each series in the dump
 */
export async function recordLostNumbers(
  sql: Queryable,
  restoreId: string,
  before: ReadonlyMap<string, number>,
): Promise<void> {
  for (const [series, last] of await readCounters(sql)) {
    await sql`insert into lost_numbers (series, sequence, restore_id)
      select ${series}, sequence, ${restoreId} from generate_series(${(before.get(series) ?? 0) + 1}::int, ${last}::int) sequence
      where not exists (select from invoices i where i.series = ${series} and i.sequence = sequence.sequence)
      on conflict do nothing`
  }
}
