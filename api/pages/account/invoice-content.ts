/**
 * U6, accounting and tax duties are met: the contents of an invoice or a credit note, for its page and its PDF. They
 * come from the books, as issued.
 */
import type { Invoices } from '../../../db/connection/schema.ts'
import type { Texts } from '../../../messages/texts.ts'

export interface InvoiceContent {
  /** kind and number */
  title: string
  number: string
  /** the name of the fact that says who the customer is */
  customer: string
  issuedOn: Date
  facts: (readonly [name: string, value: string])[]
  line: { description: string; quantity: string; amount: string }
  totals: (readonly [name: string, amount: string])[]
  notes: string[]
}

/** @param customer as the account names them: the books name nobody */
export function invoiceContent(
  document: Invoices,
  customer: { name: string; email: string },
  texts: Texts,
): InvoiceContent {
  const { t, day, money, place } = texts
  const { currency, number } = document
  // By its code: the fonts of the PDF have the signs of few currencies, and the code names one without doubt.
  const amount = (minor: number): string => money({ minor, currency }, 'code')
  const isCredit = document.kind === 'credit_note'
  return {
    title: t(`purchase.invoice.${document.kind}`, { number }),
    number,
    customer: t('purchase.invoice.customer'),
    issuedOn: document.issued_on,
    facts: [
      [t('purchase.invoice.number'), number],
      [t('purchase.invoice.issued'), day(document.issued_on)],
      [t('purchase.invoice.supplied'), day(document.supplied_on)],
      [t('purchase.invoice.seller'), document.seller],
      [t('purchase.invoice.customer'), `${customer.name}, ${customer.email}`],
      ...(document.corrects ? [[t('purchase.invoice.corrects'), document.corrects] as const] : []),
    ],
    line: {
      description: withPlace(document.description, place(document.destination)),
      quantity: String(document.quantity),
      amount: amount(document.net_minor),
    },
    totals: [
      [t('purchase.invoice.net'), amount(document.net_minor)],
      [t('purchase.invoice.vat', { percent: document.tax_rate_bps / 100 }), amount(document.tax_minor)],
      [t(isCredit ? 'purchase.invoice.credited' : 'purchase.invoice.total'), amount(document.gross_minor)],
    ],
    notes: [
      vatNote(texts, document),
      isCredit ? t('purchase.invoice.goesBack') : paymentNote(texts, document.payment_kind),
    ],
  }
}

/** The name of a package is in English, and names its place as a rule: nobody needs to read it twice. */
const withPlace = (description: string, place: string): string =>
  description.includes(place) ? description : `${description} (${place})`

function vatNote(
  { t, place }: Texts,
  { vat_scope: scope, vat_country: country, tax_rate_bps: rate }: Invoices,
): string {
  if (scope === 'outside_eu') return t('purchase.invoice.outsideEu')
  if (rate === 0) return t('purchase.invoice.noVat')
  return country ? t('purchase.invoice.vatOf', { country: place(country) }) : t('purchase.invoice.withVat')
}

function paymentNote({ t }: Texts, kind: string): string {
  if (kind === 'card' || kind === 'apple_pay' || kind === 'google_pay') return t(`purchase.invoice.paidBy.${kind}`)
  return t('purchase.invoice.paid')
}
