/**
 * U6, accounting and tax duties are met: the contents of an order's documents, for its delivery and for a restore that
 * rebuilds it.
 */
import type { Config } from '../../config.ts'
import type { Orders } from '../../db/connection/schema.ts'
import type { InvoiceInput } from '../../db/order/books.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { decideVat } from '../../policy/vat.ts'
import { dayIn } from '../../shared/calendar.ts'
import { factsOf } from './payment/payment.ts'

/** @param day of issue (YYYY-MM-DD), and of the supply unless the order was delivered before */
export function invoiceOf(config: Config, order: OrderRow, day: string): Omit<InvoiceInput, 'orderId'> {
  const suppliedOn = order.delivered_at ? dayIn(config.SELLER_TIME_ZONE, order.delivered_at) : day
  return {
    ...factsOf(order),
    issuedOn: day,
    suppliedOn,
    ...sellerAndTax(config, order, suppliedOn),
    paymentKind: order.payment_kind ?? 'other',
  }
}

/** The seller, and the rate and the place of taxation of an order that is supplied on a day. */
export function sellerAndTax(
  config: Config,
  { card_country, ip_country }: Pick<Orders, 'card_country' | 'ip_country'>,
  day: string,
): Pick<InvoiceInput, 'seller' | 'taxRateBps' | 'vat'> {
  const rules = {
    by: config.VAT_BY,
    sellerCountry: config.SELLER_COUNTRY,
    sellerRateBps: config.TAX_RATE_BPS,
    onePieceSuffices: config.VAT_ONE_PIECE_SUFFICES,
  }
  const { rateBps, country, scope, evidence } = decideVat(rules, { card: card_country, ip: ip_country }, day)
  return {
    seller: `${config.SELLER_NAME}, ${config.SELLER_TAX_ID}`,
    taxRateBps: rateBps,
    vat: {
      vat_country: country,
      vat_scope: scope,
      vat_evidence: evidence,
      vat_card_country: card_country,
      vat_ip_country: ip_country,
    },
  }
}
