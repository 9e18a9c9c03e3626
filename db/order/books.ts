/** R2 and U6, anonymised books are kept for 7 years, for tax: order facts, invoices and credit notes, without names. */
import { randomUUID } from 'node:crypto'
import { dayOf } from '../../shared/calendar.ts'
import type { OrderStatus } from '../../workflows/order/order.contract.ts'
import { restoreUndecided } from '../backup/restores.ts'
import type { Fragment, Queryable, Transaction } from '../connection/database.ts'
import type { InvoiceLinks, Invoices, OrderFacts, Orders, Refunds } from '../connection/schema.ts'

export interface Facts {
  packageName: string
  destination: string
  quantity: number
  grossMinor: number
  currency: string
}

/** Writes order facts. @param paidOn YYYY-MM-DD, in the seller's time zone. @returns their random id, which only the order's row refers to */
export async function insertFact(tx: Transaction, facts: Facts, paidOn: string): Promise<string> {
  const id = randomUUID()
  await tx`insert into order_facts (id, paid_on, package_name, destination, quantity, gross_minor, currency, outcome)
    values (${id}, ${paidOn}, ${facts.packageName}, ${facts.destination}, ${facts.quantity},
      ${facts.grossMinor}, ${facts.currency}, 'paid')`
  return id
}

/**
 * Marks an order as paid and writes its facts.
 * @param from by default an order that waits for its payment
 * @returns false when the order has another status
 */
export async function recordPaid(
  tx: Transaction,
  orderId: string,
  facts: Facts & { paidOn: string },
  paid: Pick<Orders, 'status' | 'reason' | 'payment_kind' | 'card_country' | 'deliver_by'> & {
    paid_at: Date
    ended_at?: null
  },
  from: OrderStatus[] = ['awaiting_payment'],
): Promise<boolean> {
  const factId = randomUUID()
  const recorded = await tx`
    with paid as (
      update orders set ${tx({ ...paid, fact_id: factId })}
      where id = ${orderId} and status in ${tx(from)} returning id)
    insert into order_facts (id, paid_on, package_name, destination, quantity, gross_minor, currency, outcome)
    select ${factId}, ${facts.paidOn}, ${facts.packageName}, ${facts.destination}, ${facts.quantity},
      ${facts.grossMinor}, ${facts.currency}, 'paid' from paid`
  return recorded.count > 0
}

/** Records how an order has ended. @param refundedMinor what the customer has back, in minor units */
export async function settleFact(
  tx: Transaction,
  factId: string,
  outcome: OrderFacts['outcome'],
  refundedMinor = 0,
): Promise<void> {
  await tx`update order_facts set outcome = ${outcome}, refunded_minor = ${refundedMinor} where id = ${factId}`
}

/** Records what was refunded of an order whose outcome stays. */
export async function settleRefunded(tx: Transaction, factId: string, refundedMinor: number): Promise<void> {
  await tx`update order_facts set refunded_minor = ${refundedMinor} where id = ${factId}`
}

/** Why a document is taxed as it is: the columns `vat_...` of the invoices. */
export type DocumentVat = Pick<
  Invoices,
  'vat_country' | 'vat_scope' | 'vat_evidence' | 'vat_card_country' | 'vat_ip_country'
>

export interface InvoiceInput extends Facts {
  orderId: string
  /** YYYY-MM-DD, in the seller's time zone, as all days of documents */
  issuedOn: string
  suppliedOn: string
  seller: string
  taxRateBps: number
  vat: DocumentVat
  paymentKind: string
}

/**
 * Splits a gross amount into net and tax, in minor units. The tax is rounded half up; both add up to the gross amount.
 */
export function splitTax(grossMinor: number, taxRateBps: number): { netMinor: number; taxMinor: number } {
  const taxMinor = Math.round((grossMinor * taxRateBps) / (10_000 + taxRateBps))
  return { netMinor: grossMinor - taxMinor, taxMinor }
}

/**
 * Marks an order as delivered, settles its facts and issues its invoice, unless it is no longer being provisioned. One
 * statement, so that the lock on the document number is held for no round trip.
 * @returns the invoice's number, if it was issued now
 */
export async function recordDelivered(
  sql: Queryable,
  order: Pick<Orders, 'install_token' | 'install_token_index'> & { delivered_at: Date },
  input: InvoiceInput,
): Promise<string | undefined> {
  const [issued] = await sql<Pick<Invoices, 'number'>[]>`
    with delivered as (
      update orders set ${sql({ ...order, status: 'delivered' })}
      where id = ${input.orderId} and status = 'provisioning' returning fact_id),
    settled as (
      update order_facts set outcome = 'delivered' from delivered where order_facts.id = delivered.fact_id),
    ${issuing(sql, input, invoice, input.orderId, sql`from delivered`)}
    select number from document`
  return issued?.number
}

/**
 * Issues a credit note for each refund of an order that is not credited yet, if the order has an invoice.
 * @param refunds those that have not failed, the oldest first
 * @returns the number of each new credit note, by the key of its refund
 */
export async function creditRefunds(
  tx: Transaction,
  orderId: string,
  refunds: readonly Pick<Refunds, 'refund_key' | 'amount_minor' | 'credit_note'>[],
  issuedOn: string,
): Promise<Map<string, string>> {
  const issued = new Map<string, string>()
  // The lost database may have credited them. An operator decides before a second number is issued.
  const [link] = await tx<Pick<InvoiceLinks, 'number'>[]>`
    select number from invoice_links where order_id = ${orderId} and document_key = 'invoice'
      and not exists (
        select from restored_items i
        join attention a on a.kind = ${restoreUndecided} and a.subject_id = i.subject_id and a.resolved_at is null
        where i.kind = 'order' and i.subject_id = ${orderId}::text and i.outcome = 'undecided')`
  let refundedMinor = 0
  // An older refund may become known after a younger one, which has its credit note already.
  const creditedFirst = refunds.toSorted((a, b) => Number(a.credit_note === null) - Number(b.credit_note === null))
  for (const { refund_key, amount_minor } of link ? creditedFirst : []) {
    refundedMinor += amount_minor
    const number = await creditInvoice(tx, link?.number ?? '', refundedMinor, issuedOn, orderId)
    if (number) issued.set(refund_key, number)
  }
  return issued
}

/**
 * Issues a credit note over what was refunded of an invoice in all and is not credited yet.
 * @param orderId null for an invoice whose customer was erased: the credit note has no invoice link
 * @returns its number; undefined when all of it is credited
 */
export async function creditInvoice(
  tx: Transaction,
  invoiceNumber: string,
  refundedMinor: number,
  issuedOn: string,
  orderId: string | null = null,
): Promise<string | undefined> {
  const missing = await missingCreditNote(tx, invoiceNumber, () => refundedMinor, issuedOn)
  return missing && insertDocument(tx, missing.input, missing.note, orderId)
}

/**
 * The credit note that is to be issued next for an invoice.
 * @param refundedMinor what is to be credited in all, from what is credited already
 * @returns undefined when all of it is credited
 */
export async function missingCreditNote(
  tx: Transaction,
  invoiceNumber: string,
  refundedMinor: (creditedMinor: number) => number,
  issuedOn: string,
): Promise<{ input: Omit<InvoiceInput, 'orderId'>; note: Document & { taxMinor: number } } | undefined> {
  const [invoice] = await tx<Invoices[]>`select * from invoices where number = ${invoiceNumber} for update`
  if (!invoice) return undefined
  const [before] = await tx<{ notes: number; gross: number; tax: number }[]>`
    select count(*)::int as notes, coalesce(-sum(gross_minor), 0)::int as gross, coalesce(-sum(tax_minor), 0)::int as tax
    from invoices where corrects = ${invoiceNumber} and kind = 'credit_note'`
  const { notes, gross, tax } = before ?? { notes: 0, gross: 0, tax: 0 }
  const totalMinor = Math.min(refundedMinor(gross), invoice.gross_minor)
  if (totalMinor <= gross) return undefined
  const note = {
    kind: 'credit_note' as const,
    documentKey: notes === 0 ? 'credit_note' : `credit_note-${notes + 1}`,
    corrects: invoice.number,
    sign: -1 as const,
    // All notes together have the tax of their sum: split one by one, they could differ from it by a cent.
    taxMinor: splitTax(totalMinor, invoice.tax_rate_bps).taxMinor - tax,
  }
  return { input: { ...correcting(invoice, issuedOn), grossMinor: totalMinor - gross }, note }
}

function correcting(invoice: Invoices, issuedOn: string): Omit<InvoiceInput, 'orderId'> {
  return {
    issuedOn,
    suppliedOn: dayOf(invoice.supplied_on),
    seller: invoice.seller,
    packageName: invoice.description,
    destination: invoice.destination,
    quantity: invoice.quantity,
    grossMinor: invoice.gross_minor,
    currency: invoice.currency,
    taxRateBps: invoice.tax_rate_bps,
    vat: {
      vat_country: invoice.vat_country,
      vat_scope: invoice.vat_scope,
      vat_evidence: invoice.vat_evidence,
      vat_card_country: invoice.vat_card_country,
      vat_ip_country: invoice.vat_ip_country,
    },
    paymentKind: invoice.payment_kind,
  }
}

const invoice: Document = { kind: 'invoice', documentKey: 'invoice', corrects: null, sign: 1 }

interface Document {
  kind: Invoices['kind']
  documentKey: string
  corrects: string | null
  sign: 1 | -1
  /** by default the tax in the gross amount */
  taxMinor?: number
}

/**
 * @param orderId null for a document without an invoice link
 * @returns the number of the document
 */
async function insertDocument(
  sql: Queryable,
  input: Omit<InvoiceInput, 'orderId'>,
  document: Document,
  orderId: string | null,
): Promise<string | undefined> {
  const [issued] = await sql<Pick<Invoices, 'number'>[]>`
    with ${issuing(sql, input, document, orderId, sql``)} select number from document`
  return issued?.number
}

/**
 * The part of a statement that takes the next number and issues the document `document` with it.
 * @param source a `from ...` clause, for a document that is issued only when the clause has a row
 */
function issuing(
  sql: Queryable,
  input: Omit<InvoiceInput, 'orderId'>,
  document: Document,
  orderId: string | null,
  source: Fragment,
): Fragment {
  const taxMinor = document.taxMinor ?? splitTax(input.grossMinor, input.taxRateBps).taxMinor
  const netMinor = input.grossMinor - taxMinor
  const series = `${document.kind === 'invoice' ? 'AMA' : 'AMA-CN'}-${input.issuedOn.slice(0, 4)}`
  return sql`
    counter as (
      insert into counters (series, last) select ${series} || restored_series(), 1 ${source}
      on conflict (series) do update set last = counters.last + 1 returning series, last),
    document as (
      insert into invoices (number, series, sequence, kind, issued_on, supplied_on, seller, description, destination,
        quantity, net_minor, tax_minor, gross_minor, tax_rate_bps, currency, payment_kind, corrects, vat_country, vat_scope,
        vat_evidence, vat_card_country, vat_ip_country)
      select series || '-' || lpad(last::text, greatest(6, length(last::text)), '0'), series, last, ${document.kind},
        ${input.issuedOn}, ${input.suppliedOn}, ${input.seller}, ${input.packageName},
        ${input.destination}, ${input.quantity}, ${document.sign * netMinor}, ${document.sign * taxMinor},
        ${document.sign * input.grossMinor}, ${input.taxRateBps}, ${input.currency}, ${input.paymentKind},
        ${document.corrects}, ${input.vat.vat_country}, ${input.vat.vat_scope}, ${input.vat.vat_evidence},
        ${input.vat.vat_card_country}, ${input.vat.vat_ip_country} from counter
      returning number),
    link as (
      insert into invoice_links (order_id, document_key, number)
      select ${orderId}::uuid, ${document.documentKey}, number from document where ${orderId}::uuid is not null)`
}

/** An order's invoice and credit notes; the amount of a credit note is negative. */
export async function listDocuments(
  sql: Queryable,
  orderId: string,
): Promise<{ kind: Invoices['kind']; number: string; issuedOn: string; grossMinor: number }[]> {
  const rows = await sql<Pick<Invoices, 'kind' | 'number' | 'issued_on' | 'gross_minor'>[]>`
    select i.kind, i.number, i.issued_on, i.gross_minor from invoices i
    join invoice_links l on l.number = i.number where l.order_id = ${orderId} order by i.number`
  return rows.map(({ kind, number, issued_on, gross_minor }) => ({
    kind,
    number,
    issuedOn: dayOf(issued_on),
    grossMinor: gross_minor,
  }))
}

/** One document of an order. Undefined for the number of another order's document. */
export async function findDocument(sql: Queryable, orderId: string, number: string): Promise<Invoices | undefined> {
  const [row] = await sql<Invoices[]>`
    select i.* from invoices i join invoice_links l on l.number = i.number
    where l.order_id = ${orderId} and i.number = ${number}`
  return row
}
