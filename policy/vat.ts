/**
 * Where an order is taxed. eSIMs are telecommunications services: for a consumer their place of supply is where the
 * consumer lives (Directive 2006/112/EC, Article 58). Implementing Regulation (EU) No 282/2011:
 *
 * - Article 24b(d): that place is presumed from two items of non-contradictory evidence of Article 24f. Ours are the
 *   country of the card (24f(c), bank details) and of the IP address (24f(b)). 24f(d), the country code of the SIM
 *   card used by the customer, is not one of ours: we sell the eSIM for another country.
 * - Article 24b, second subparagraph: one item from a person other than supplier and customer is enough for a supplier
 *   who is established in a member state and whose supplies to other member states stay below EUR 100 000 in this and
 *   the last calendar year. The card's country is such an item. It does not apply to suppliers from elsewhere.
 *
 * Directive 2006/112/EC, Article 59c, lets a supplier of one member state tax at home below EUR 10 000: the setting
 * VAT_BY=seller_country. Prices include the tax: the buyer's country changes the tax, and not the price.
 */
import { isMemberState, standardRateBps } from './vat-rates.ts'

/** How sure the country is. All but the first three are shown to operators. */
export type VatEvidence =
  /** the seller's country, by setting */
  | 'not_asked'
  | 'two_pieces'
  /** one, where the law takes one for enough */
  | 'one_piece'
  | 'one_of_two_missing'
  | 'contradictory'
  | 'none'

/** `outside_eu`: not taxed in the Union, since the buyer lives elsewhere */
export type VatScope = 'domestic' | 'member_state' | 'outside_eu'

export interface Vat {
  /** ISO 3166; null where the seller's country is not set */
  country: string | null
  scope: VatScope
  rateBps: number
  evidence: VatEvidence
}

export interface VatRules {
  by: 'seller_country' | 'buyer_country'
  sellerCountry: string | undefined
  /** the rate at home, unless the table of the member states has it */
  sellerRateBps: number
  /** the supplier may use one item of evidence: Article 24b, second subparagraph */
  onePieceSuffices: boolean
}

/**
 * Territories that count as a member state for VAT (Directive 2006/112/EC, Article 7), and codes of VAT that ISO 3166
 * has for no country (Article 215).
 */
const countsAs: Readonly<Record<string, string>> = { MC: 'FR', EL: 'GR' }

/**
 * Codes that ISO 3166 leaves to whoever uses it, but for Kosovo's XK, and those of groups of countries: the EU and AP
 * of GeoIP databases (MaxMind's for "Europe" and "Asia/Pacific Region"), Cloudflare's XX. Such a code would be a buyer outside the Union.
 */
const noCountry = /^(?:A[AP]|E[UZ]|UN|Q[M-Z]|X[A-JL-Z]|ZZ)$/

/** A country's code as evidence; null for what names no country. */
export function evidenceOf(code: string | null | undefined): string | null {
  const upper = code?.trim().toUpperCase() ?? ''
  if (!/^[A-Z]{2}$/.test(upper) || noCountry.test(upper)) return null
  return countsAs[upper] ?? upper
}

/** @param day YYYY-MM-DD, of the supply */
export function decideVat(rules: VatRules, pieces: { card: string | null; ip: string | null }, day: string): Vat {
  if (rules.by === 'seller_country' || !rules.sellerCountry) return atHome(rules, 'not_asked', day)
  const card = evidenceOf(pieces.card)
  const ip = evidenceOf(pieces.ip)
  // The bank knows the address of its card holder; a traveller's IP address is often a foreign one.
  const country = card ?? ip
  if (country === null) return atHome(rules, 'none', day)
  return inCountry(rules, country, evidenceFor(rules, card, ip), day)
}

function evidenceFor({ onePieceSuffices, sellerCountry = '' }: VatRules, card: string | null, ip: string | null) {
  if (card !== null && ip !== null) return card === ip ? 'two_pieces' : 'contradictory'
  return card !== null && onePieceSuffices && isMemberState(sellerCountry) ? 'one_piece' : 'one_of_two_missing'
}

function inCountry(rules: VatRules, country: string, evidence: VatEvidence, day: string): Vat {
  if (country === rules.sellerCountry) return atHome(rules, evidence, day)
  const rateBps = standardRateBps(country, day)
  return rateBps === undefined
    ? { country, scope: 'outside_eu', rateBps: 0, evidence }
    : { country, scope: 'member_state', rateBps, evidence }
}

function atHome({ by, sellerCountry, sellerRateBps }: VatRules, evidence: VatEvidence, day: string): Vat {
  const listed = by === 'buyer_country' && sellerCountry ? standardRateBps(sellerCountry, day) : undefined
  return { country: sellerCountry ?? null, scope: 'domestic', rateBps: listed ?? sellerRateBps, evidence }
}

/** Whether operators have to look at it: the country was presumed from less than the law asks for. */
export const isDoubtful = (evidence: VatEvidence): boolean =>
  evidence === 'contradictory' || evidence === 'none' || evidence === 'one_of_two_missing'
