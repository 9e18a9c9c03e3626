/**
 * Types of the app backend's events. The triggers of db/migrations/0250-events.sql write the rows; a test compares
 * both.
 */

export interface EventDefinition {
  meaning: string
  /** the ids in its `data` */
  ids: readonly EventId[]
}

export type EventId = 'accountId' | 'orderId' | 'esimId' | 'receiptId' | 'version' | 'endpointId'

/** The ids of an event's subjects. */
export type EventData = Partial<Record<EventId, string>>

/** The form of an event. A change that a receiver could not ignore gets the next date. */
export const eventVersion = '2026-11-29'

const order = ['accountId', 'orderId'] as const
const esim = ['accountId', 'orderId', 'esimId'] as const

export const eventTypes = {
  'order.created': { meaning: 'an order waits for its payment', ids: order },
  'order.paid': {
    meaning: 'its payment has arrived; the eSIM is bought next, unless `order.in_review` follows',
    ids: order,
  },
  'order.in_review': { meaning: 'an operator has to approve or reject it', ids: order },
  'order.provisioning': { meaning: 'an operator has approved it; the eSIM is bought next', ids: order },
  'order.delivered': {
    meaning:
      'the eSIM is there: `GET /v1/orders/{id}` has its codes; of a top-up: its data is on an eSIM of the order `topUpOf`',
    ids: order,
  },
  'order.refunding': {
    meaning: 'it could not be delivered, or its eSIM was returned: the money is on its way',
    ids: order,
  },
  'order.refund_failed': { meaning: 'the refund has failed; an operator settles it', ids: order },
  'order.refunded': { meaning: 'the customer has the money back', ids: order },
  'order.cancelled': { meaning: 'it was cancelled before it was paid', ids: order },
  'order.unpaid': { meaning: 'the time for its payment is over', ids: order },
  'order.ended': { meaning: 'the life of its eSIMs is over', ids: order },
  'esim.created': { meaning: 'an eSIM was bought; its codes are shown once the order is delivered', ids: esim },
  'esim.changed': { meaning: 'its state, data volume or expiry is another one', ids: esim },
  'refund.changed': { meaning: 'an order has a new refund, or one with another state', ids: order },
  'dispute.changed': {
    meaning: 'the bank disputes the payment of an order, or has decided: `dispute` of the order',
    ids: order,
  },
  'consent.changed': { meaning: 'the consent to promotions was given or withdrawn', ids: ['accountId'] },
  'account.changed': {
    meaning: 'its name, address, phone number or language is another one, or mail reaches it again',
    ids: ['accountId'],
  },
  'account.email_bounced': {
    meaning: 'mail to its address comes back: ask the person for another one (`emailState` of the account)',
    ids: ['accountId'],
  },
  'account.deleted': {
    meaning: 'delete what you hold of this account; nothing of it can be read any more',
    ids: ['accountId', 'receiptId'],
  },
  'deletion.completed': { meaning: 'every erasure step of a deletion is done', ids: ['receiptId'] },
  'policy.posted': { meaning: 'a version of the privacy policy was announced', ids: ['version'] },
  'policy.moved': { meaning: 'an announced version takes effect on a later day', ids: ['version'] },
  'policy.in_force': { meaning: 'a version has taken effect', ids: ['version'] },
  'policy.withdrawn': { meaning: 'an announced version was withdrawn', ids: ['version'] },
  'service.restored': {
    meaning: 'the database was restored from a backup: read again what you have read in the last two days',
    ids: [],
  },
  'endpoint.ping': { meaning: 'you have asked for it, to test an endpoint', ids: ['endpointId'] },
} as const satisfies Record<string, EventDefinition>

export type EventType = keyof typeof eventTypes
