/**
 * The states of an order: what it waits for in each, what may happen there, and what that leads to. The run asks this
 * table what it accepts, what it waits for and until when; docs/order-states.md and test/orders/each-state.long.test.ts
 * are made from it. Import-safe for everybody.
 */
import { periods } from '../../policy/periods.ts'
import type { PromiseId } from '../../policy/promises.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { FailureType } from '../../shared/failures.ts'
import type { OrderStatus } from './order.contract.ts'

/** The requests that a run answers; each is refused in a state that does not list it. */
export const orderUpdates = ['checkout', 'cancel', 'refund', 'resend', 'approve', 'reject'] as const
export type OrderUpdate = (typeof orderUpdates)[number]

/**
 * Signals are never refused: one that a state does not list changes nothing there. `work`: what the run asked of
 * others is done, or is given up. `time`: nothing else happened until the state's limit.
 */
export type OrderEvent = OrderUpdate | 'payment' | 'provider' | 'dispute' | 'fraud-warning' | 'work' | 'time'

/** Conditions under which a listed update is accepted; workflows/order/messages.ts decides whether each holds. */
export const orderGuards = {
  checkout_is_open: 'the checkout has opened',
  not_a_top_up: 'the order is no top-up: what it put onto an eSIM cannot be taken back',
  no_return_under_way: 'no eSIM of the order is being returned already',
  undecided: 'nobody has approved, rejected or cancelled the order',
} as const
export type OrderGuard = keyof typeof orderGuards

export interface OrderStep {
  /** `closed`: the run ends, and the order keeps its state */
  to: OrderStatus | 'closed'
  /** missing: as a rule */
  when?: string
}

export interface OrderReaction {
  does: string
  guards?: readonly OrderGuard[]
  /** the rule first; missing: the state stays */
  leadsTo?: readonly OrderStep[]
  /** recorded once more then: before delivery there is nothing that it could suspend */
  againAtDelivery?: true
  /** the update was accepted, and could not be done */
  fails?: { readonly [Type in FailureType]?: string }
}

export interface OrderStateRow {
  /** for those who call the API */
  meaning: string
  /** the run's search attribute `WaitingFor` */
  waitsFor: string
  /** a limit of `periods.order`, and since when it counts; in words where others set it; null: none */
  until: { period: keyof typeof periods.order; after: string } | string | null
  keeps?: PromiseId
  customerHas: 'paid nothing' | 'paid' | 'eSIMs' | 'the money back'
  on: { readonly [Event in OrderEvent]?: OrderReaction }
}

const answersAtOnce = { does: 'Answers with the state' } as const
const recordsDispute = { does: 'Records what the processor says of the dispute, and notifies operators' } as const
const recordsEarlyDispute = { ...recordsDispute, againAtDelivery: true } as const
const endsIfLost = {
  ...recordsEarlyDispute,
  leadsTo: [{ to: 'refunding', when: 'it is lost: the bank has given the payment back' }],
} as const
const asksWhetherPaidBack = {
  does: 'Asks the processor whether the payment was given back; is remembered until the order is delivered or refunded, then asks again',
  leadsTo: [{ to: 'refunding', when: 'all of it was, by hand at the processor' }],
} as const
const tellsOfWarning = {
  does: 'Notifies operators, with a date, while the processor calls the warning actionable',
} as const
const remembersPayment = { does: 'Is remembered until the order is delivered or refunded, then asks the processor' }
const remembersProvider = { does: 'Is remembered until delivery, then looks at the eSIMs' } as const

const lived = ending('The last eSIM has expired or was ended', 'eSIMs')

export const orderStates: { readonly [Status in OrderStatus]: OrderStateRow } = {
  awaiting_payment: {
    meaning: 'The order can be paid; nothing is charged yet',
    waitsFor: 'payment',
    until: { period: 'paymentWindowMs', after: 'the order' },
    customerHas: 'paid nothing',
    on: {
      checkout: { does: 'Answers once the order can be paid, or fails as its opening failed' },
      cancel: {
        guards: ['checkout_is_open'],
        does: 'Cancels the payment at the processor',
        leadsTo: [{ to: 'cancelled' }, { to: 'refunding', when: 'the payment was faster' }],
      },
      payment: {
        does: 'Asks the processor',
        leadsTo: [
          { to: 'provisioning', when: 'paid' },
          { to: 'in_review', when: 'paid, and it looks risky' },
          { to: 'cancelled', when: 'cancelled at the processor' },
        ],
      },
      provider: remembersProvider,
      dispute: recordsEarlyDispute,
      'fraud-warning': {
        does: 'Asks the processor, and refunds the payment once it is known',
        leadsTo: [{ to: 'refunding', when: 'the warning is actionable' }],
      },
      work: {
        does: 'Opens the checkout',
        leadsTo: [{ to: 'closed', when: 'it cannot be opened; the same request may be made again' }],
      },
      time: {
        does: 'Asks the processor by itself now and then, and cancels the payment there at the end; as long as the bank processes it, asks again, and notifies operators each day',
        leadsTo: [
          { to: 'unpaid' },
          { to: 'provisioning', when: 'paid' },
          { to: 'in_review', when: 'paid, and it looks risky' },
        ],
      },
    },
  },
  in_review: {
    meaning: 'Paid, and held until an operator approves or rejects it',
    waitsFor: 'an operator to approve or reject',
    until: { period: 'reviewWindowMs', after: 'the payment' },
    keeps: 'U5',
    customerHas: 'paid',
    on: {
      checkout: answersAtOnce,
      cancel: { does: 'Takes the decision from the operator', leadsTo: [{ to: 'refunding' }] },
      approve: {
        guards: ['undecided'],
        does: 'Orders the eSIMs',
        leadsTo: [{ to: 'provisioning' }, { to: 'refunding', when: 'the payment was given back meanwhile' }],
      },
      reject: { guards: ['undecided'], does: 'Refunds the payment', leadsTo: [{ to: 'refunding' }] },
      payment: asksWhetherPaidBack,
      provider: remembersProvider,
      dispute: endsIfLost,
      'fraud-warning': {
        does: 'Asks the processor, and refunds the payment',
        leadsTo: [{ to: 'refunding', when: 'the warning is actionable' }],
      },
      time: { does: 'Counts as rejected', leadsTo: [{ to: 'refunding' }] },
    },
  },
  provisioning: {
    meaning: 'Paid; the eSIM is being ordered from the provider',
    waitsFor: 'the eSIM provider',
    until: { period: 'deliverWithinMs', after: 'the payment, or the approval' },
    keeps: 'U2',
    customerHas: 'paid',
    on: {
      checkout: answersAtOnce,
      cancel: {
        guards: ['not_a_top_up'],
        does: 'Stops the provisioning',
        leadsTo: [{ to: 'refunding' }, { to: 'delivered', when: 'the eSIMs were there already; the update fails' }],
      },
      payment: asksWhetherPaidBack,
      provider: remembersProvider,
      dispute: endsIfLost,
      'fraud-warning': {
        does: 'Asks the processor, and stops the provisioning',
        leadsTo: [{ to: 'refunding', when: 'the warning is actionable' }],
      },
      work: {
        does: 'Gets the eSIMs, and records the delivery with its invoice; mails that it takes longer when it does',
        leadsTo: [{ to: 'delivered' }, { to: 'refunding', when: 'no provider can fill the order' }],
      },
      time: { does: 'Gives up', leadsTo: [{ to: 'refunding' }] },
    },
  },
  delivered: {
    meaning: 'The eSIMs are there and can be installed',
    waitsFor: 'the eSIM to be used and to expire',
    until: 'the eSIMs can live no longer',
    keeps: 'U3',
    customerHas: 'eSIMs',
    on: {
      checkout: answersAtOnce,
      refund: {
        guards: ['not_a_top_up', 'no_return_under_way'],
        does: 'Returns the eSIMs to the provider',
        leadsTo: [{ to: 'refunding' }],
        fails: {
          EsimInUse: 'one of them was installed, used or topped up',
          ProviderUnavailable: 'the provider does not answer; whether they went back is looked for',
        },
      },
      resend: {
        does: 'Sends the delivery mail again',
        fails: { MailUnavailable: 'the mail server does not answer' },
      },
      payment: { does: 'Looks for refunds that were made by hand at the processor' },
      provider: {
        does: 'Looks at the eSIMs, and notifies the customer of what is new',
        leadsTo: [
          { to: 'ended', when: 'all have ended' },
          { to: 'refunding', when: 'a refund whose outcome was not known had returned them' },
          { to: 'refunding', when: 'the provider has ended all of them unused' },
        ],
      },
      dispute: recordsDispute,
      'fraud-warning': {
        does: 'Asks the processor, and returns unused eSIMs to the provider; notifies operators of others and of a top-up, with a date',
        leadsTo: [{ to: 'refunding', when: 'the warning is actionable and the eSIMs were unused' }],
      },
      work: { does: 'Follows the eSIMs', leadsTo: [{ to: 'closed', when: 'at once for a top-up' }] },
      time: {
        does: 'Looks at least daily, and ends with the last eSIM',
        leadsTo: [{ to: 'ended' }, { to: 'refunding', when: 'the provider has ended all of them unused' }],
      },
    },
  },
  refunding: {
    meaning: 'The payment is being refunded',
    waitsFor: 'the payment processor',
    until: null,
    keeps: 'U2',
    customerHas: 'paid',
    on: {
      checkout: answersAtOnce,
      payment: remembersPayment,
      dispute: recordsDispute,
      work: {
        does: 'Refunds, with a credit note where there was an invoice, and returns what a provider holds',
        leadsTo: [{ to: 'refunded' }, { to: 'refund_failed', when: 'refused, or not possible for a week' }],
      },
    },
  },
  refund_failed: {
    meaning: 'The bank returned the refund, or it was refused: an operator repeats it',
    waitsFor: 'an operator to repeat the refund',
    until: null,
    keeps: 'U2',
    customerHas: 'paid',
    on: {
      checkout: answersAtOnce,
      refund: { does: 'Tries again', leadsTo: [{ to: 'refunding' }] },
      payment: remembersPayment,
      dispute: { ...recordsDispute, leadsTo: [{ to: 'refunding', when: 'it is over: the refund is tried again' }] },
    },
  },
  refunded: {
    meaning: 'The payment was refunded',
    waitsFor: 'the refund to settle',
    until: { period: 'refundSettlesWithinMs', after: 'the refund' },
    customerHas: 'the money back',
    on: {
      checkout: answersAtOnce,
      payment: {
        does: 'Asks the processor about the refund',
        leadsTo: [{ to: 'refund_failed', when: 'it has bounced' }],
      },
      dispute: recordsDispute,
      time: {
        does: 'Asks the processor; while the refund has not settled, notifies operators and waits as long again',
        leadsTo: [{ to: 'closed' }, { to: 'refund_failed', when: 'it has bounced' }],
      },
    },
  },
  cancelled: ending('Cancelled before it was paid; nothing was charged', 'paid nothing'),
  unpaid: ending('Not paid in time; nothing was charged', 'paid nothing'),
  ended: { ...lived, on: { ...lived.on, 'fraud-warning': tellsOfWarning } },
}

/** The run closes as soon as everybody has been notified. */
function ending(meaning: string, customerHas: OrderStateRow['customerHas']): OrderStateRow {
  return {
    meaning,
    waitsFor: 'nothing',
    until: null,
    customerHas,
    on: {
      checkout: answersAtOnce,
      dispute: recordsDispute,
      work: { does: 'Sends what is still to be sent', leadsTo: [{ to: 'closed' }] },
    },
  }
}

/** When the limit of a state ends. @param since when the limit began. @throws when its limit is no period */
export function limitOf(status: OrderStatus, since: Date): Date {
  const { until } = orderStates[status]
  if (until === null || typeof until === 'string') throw new Error(`the state ${status} is limited by no period`)
  return plusMs(since, Number(periods.order[until.period]))
}

/** Whether the update has a place in this state; its other conditions are checked elsewhere. */
export const isListed = (update: OrderUpdate, status: OrderStatus): boolean =>
  orderStates[status].on[update] !== undefined

/** Whether the run accepts the update now. */
export function isAccepted(update: OrderUpdate, status: OrderStatus, holds: (guard: OrderGuard) => boolean): boolean {
  return isListed(update, status) && (orderStates[status].on[update]?.guards ?? []).every(holds)
}
