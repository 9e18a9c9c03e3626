/** The states of orders, refunds and mails in the words of a customer. */
import type { OrderStatus } from '../../../workflows/order/order.contract.ts'

interface StatusWords {
  badge: string
  tone: '' | 'attention' | 'over'
  meaning: string
}

export const statusWords: Record<OrderStatus, StatusWords> = {
  awaiting_payment: {
    badge: 'Not paid yet',
    tone: 'attention',
    meaning: 'Pay for it in the app. After an hour it is cancelled by itself, and nothing is charged.',
  },
  in_review: {
    badge: 'Being checked',
    tone: 'attention',
    meaning: 'We look at this order before we deliver it. If we do not within a day, you get your money back.',
  },
  provisioning: {
    badge: 'On its way',
    tone: '',
    meaning: 'We wait for the network to hand out your eSIM. If it does not in time, you get your money back.',
  },
  delivered: { badge: 'Delivered', tone: '', meaning: 'Your eSIM is below, and in the mail that we sent.' },
  refunding: { badge: 'Refund under way', tone: 'attention', meaning: 'Your money is on its way back.' },
  refund_failed: {
    badge: 'Refund under way',
    tone: 'attention',
    meaning: 'Your bank did not take the refund. We look for another way and write to you.',
  },
  refunded: { badge: 'Refunded', tone: 'over', meaning: 'You have your money back. The eSIM cannot be installed.' },
  cancelled: { badge: 'Cancelled', tone: 'over', meaning: 'Nothing was charged.' },
  unpaid: { badge: 'Not paid', tone: 'over', meaning: 'It was not paid in time, and nothing was charged.' },
  ended: { badge: 'Over', tone: 'over', meaning: 'This eSIM has run its course.' },
}

/** @param state Stripe's, or one of db/order/refunds.ts */
export function refundWords(state: string): string {
  const words: Record<string, string | undefined> = {
    succeeded: 'sent to your bank, which usually shows it within 5 to 10 days',
    pending: 'on its way to your bank',
    requested: 'asked for',
    requires_action: 'waits for your bank',
  }
  return words[state] ?? 'not taken by your bank; we look into it'
}

export const refundWasRefused = 'refused'

const occasions: Record<string, string | undefined> = {
  confirmation: 'Your eSIM',
  delayed: 'It takes a little longer',
  refunded: 'Your refund',
  cancelled: 'Your cancellation',
  refund_failed: 'Your refund did not arrive',
  withdrawal_acknowledged: 'Your withdrawal was received',
}

export const mailName = (occasion: string): string => occasions[occasion] ?? 'About your order'

export const mailStates = {
  sending: 'being sent',
  due: 'will be tried again',
  sent: 'sent',
  failed: 'could not be sent',
  skipped: 'not needed',
  bounced: 'came back: is your address right?',
} as const
