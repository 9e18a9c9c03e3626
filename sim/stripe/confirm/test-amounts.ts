/**
 * Amounts at which a payment goes as with a test card, whichever card pays: the prices of the test packages
 * (docs/quickstart.md). Stripe itself has no such amounts.
 */
import { findTestCard, type TestCard } from './test-cards.ts'

/** in minor units, by the payment method of the card as which they go */
const testAmounts: ReadonlyMap<number, string> = new Map([
  [10_149, 'pm_card_visa_chargeDeclined'],
  [10_249, 'pm_card_riskLevelElevated'],
  [10_349, 'pm_card_refundFail'],
])

/** The card as which a payment of this amount goes, unless it is an ordinary amount. */
export function cardOfAmount(amount: number): TestCard | undefined {
  const card = testAmounts.get(amount)
  return card === undefined ? undefined : findTestCard(card)
}
