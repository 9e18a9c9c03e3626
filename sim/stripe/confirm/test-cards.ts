/** Stripe's test cards that this simulator knows, as docs.stripe.com/testing lists them. */

export interface TestCard {
  number: string
  /** names the card in an API call */
  paymentMethod: string
  label: string
  result:
    | {
        is: 'paid'
        riskLevel?: 'elevated' | 'highest'
        refund?: 'fails' | 'pending'
        leadsTo?: 'dispute' | 'fraud-warning'
      }
    | { is: 'declined'; code: string; declineCode?: string }
    | { is: 'authentication' }
}

export const testCards: readonly TestCard[] = [
  { number: '4242424242424242', paymentMethod: 'pm_card_visa', label: 'Paid', result: { is: 'paid' } },
  { number: '5555555555554444', paymentMethod: 'pm_card_mastercard', label: 'Paid', result: { is: 'paid' } },
  {
    number: '4000000000000002',
    paymentMethod: 'pm_card_visa_chargeDeclined',
    label: 'Declined',
    result: { is: 'declined', code: 'card_declined', declineCode: 'generic_decline' },
  },
  {
    number: '4000000000009995',
    paymentMethod: 'pm_card_visa_chargeDeclinedInsufficientFunds',
    label: 'Declined: insufficient funds',
    result: { is: 'declined', code: 'card_declined', declineCode: 'insufficient_funds' },
  },
  {
    number: '4000000000000069',
    paymentMethod: 'pm_card_chargeDeclinedExpiredCard',
    label: 'Declined: expired card',
    result: { is: 'declined', code: 'expired_card' },
  },
  {
    number: '4000002760003184',
    paymentMethod: 'pm_card_authenticationRequired',
    label: 'Asks for 3D Secure',
    result: { is: 'authentication' },
  },
  {
    number: '4000000000009235',
    paymentMethod: 'pm_card_riskLevelElevated',
    label: 'Paid, with an elevated risk: the order is held for review',
    result: { is: 'paid', riskLevel: 'elevated' },
  },
  {
    number: '4000000000005126',
    paymentMethod: 'pm_card_refundFail',
    label: 'Paid; its refund fails some time later',
    result: { is: 'paid', refund: 'fails' },
  },
  {
    number: '4000000000007726',
    paymentMethod: 'pm_card_pendingRefund',
    label: 'Paid; its refund is pending at first',
    result: { is: 'paid', refund: 'pending' },
  },
  {
    number: '4000000000000259',
    paymentMethod: 'pm_card_createDispute',
    label: 'Paid; disputed as fraudulent ten seconds later',
    result: { is: 'paid', leadsTo: 'dispute' },
  },
  {
    number: '4000000000005423',
    paymentMethod: 'pm_card_createIssuerFraudRecord',
    label: 'Paid; the issuer warns of fraud',
    result: { is: 'paid', leadsTo: 'fraud-warning' },
  },
]

/** Stripe lists the first decline under both names. */
const aliases: Readonly<Record<string, string>> = { pm_card_chargeDeclined: 'pm_card_visa_chargeDeclined' }

/** By its number, with or without spaces, or by the name of its payment method. */
export function findTestCard(given: string): TestCard | undefined {
  const name = aliases[given] ?? given.replaceAll(/\s/g, '')
  return testCards.find((card) => card.number === name || card.paymentMethod === name)
}
