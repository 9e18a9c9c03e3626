/** U6: what an invoice or a credit note says, for its page and its PDF. It comes from the books, as it was issued. */
import type { Invoices } from '../../../db/connection/schema.ts'
import { day, money, placeName } from '../../../mails/format.ts'

export interface InvoiceContent {
  title: string
  number: string
  issuedOn: Date
  facts: (readonly [name: string, value: string])[]
  line: { description: string; quantity: string; amount: string }
  totals: (readonly [name: string, amount: string])[]
  notes: string[]
}

/** The name of the fact that says who the customer is. */
export const customerFact = 'Customer'

/** @param customer as the account names them: the books name nobody */
export function invoiceContent(document: Invoices, customer: { name: string; email: string }): InvoiceContent {
  const { currency } = document
  // By its code: the fonts of the PDF have the signs of few currencies, and the code names one without doubt.
  const amount = (minor: number): string => money({ minor, currency }, 'code')
  const isCredit = document.kind === 'credit_note'
  return {
    title: isCredit ? 'Credit note' : 'Invoice',
    number: document.number,
    issuedOn: document.issued_on,
    facts: [
      ['Number', document.number],
      ['Issued on', day(document.issued_on)],
      ['Supplied on', day(document.supplied_on)],
      ['Seller', document.seller],
      [customerFact, `${customer.name}, ${customer.email}`],
      ...(document.corrects ? [['Corrects invoice', document.corrects] as const] : []),
    ],
    line: {
      description: `${document.description} (${placeName(document.destination)})`,
      quantity: String(document.quantity),
      amount: amount(document.net_minor),
    },
    totals: [
      ['Net', amount(document.net_minor)],
      [`VAT ${document.tax_rate_bps / 100} %`, amount(document.tax_minor)],
      [isCredit ? 'Credited' : 'Total', amount(document.gross_minor)],
    ],
    notes: [
      vatNote(document),
      isCredit ? 'The amount goes back the way you paid.' : paymentNote(document.payment_kind),
    ],
  }
}

function vatNote({ vat_scope: scope, vat_country: country, tax_rate_bps: rate }: Invoices): string {
  if (scope === 'outside_eu')
    return 'The place of supply is outside the European Union: no VAT of the Union is charged (Directive 2006/112/EC, Article 58).'
  if (rate === 0) return 'No VAT is charged.'
  return country ? `The VAT is that of ${placeName(country)}.` : 'The price includes the VAT.'
}

const paymentNote = (kind: string): string =>
  kind === 'other' ? 'It is paid.' : `It is paid by ${kind.replaceAll('_', ' ')}.`
