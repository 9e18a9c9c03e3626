import type { Config } from '../../config.ts'
import type { Orders } from '../../db/connection/schema.ts'
import { dayOf, type InvoiceInput } from '../../db/order/books.ts'
import { decideVat } from '../../policy/vat.ts'

/** U6: the rate and the place of taxation of an order that is supplied at a time, as its invoice has them. */
export function taxOf(
  config: Config,
  { card_country, ip_country }: Pick<Orders, 'card_country' | 'ip_country'>,
  at: Date,
): Pick<InvoiceInput, 'taxRateBps' | 'vat'> {
  const rules = {
    by: config.VAT_BY,
    sellerCountry: config.SELLER_COUNTRY,
    sellerRateBps: config.TAX_RATE_BPS,
    onePieceSuffices: config.VAT_ONE_PIECE_SUFFICES,
  }
  const { rateBps, country, scope, evidence } = decideVat(rules, { card: card_country, ip: ip_country }, dayOf(at))
  return {
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
