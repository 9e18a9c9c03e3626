/**
 * The evidence for a bank about a disputed order, from our own books. P2, the payment processor takes the payment: the
 * evidence does not say who the customer is. The bank knows its cardholder, and decides by what was delivered and used.
 */
import { numberOrNull } from '../../db/connection/bigints.ts'
import type { Esims, Refunds } from '../../db/connection/schema.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { dataAmount, day, days, moment, money, placeName } from '../../mails/format.ts'
import type { DisputeEvidence } from '../../providers/stripe/disputes.ts'

export type DisputedEsim = Pick<Esims, 'state' | 'activated_at' | 'used_bytes' | 'total_bytes'>

export interface Delivery {
  order: OrderRow & { delivered_at: Date }
  /** the order's own, or the one that a top-up put its data onto */
  esims: DisputedEsim[]
  /** when the customer's mail server accepted the mail with the activation code */
  mailAcceptedAt: Date | null
  /** what the customer has back, or gets back unless it fails */
  refunds: Pick<Refunds, 'amount_minor' | 'created_at'>[]
}

const unused = ['new', 'cancelled']

/** Our rule for refunds, which the API and the order's run apply. */
const refundPolicy =
  'Our refund policy: an order that is not delivered within 60 minutes of its payment is refunded in full automatically. A delivered eSIM that was not installed can be returned in the app for a full refund. An eSIM that was installed or used, and data that was added to an eSIM, cannot be returned.'

/** The evidence that the bank gets for a dispute about a delivery: texts in English, without personal data. */
export function evidenceFor({ order, esims, mailAcceptedAt, refunds }: Delivery): DisputeEvidence {
  const isTopUp = order.parent_order_id !== null
  const priced = (minor: number): string => money({ minor, currency: order.currency })
  const activations = esims.flatMap((esim) => esim.activated_at ?? []).sort((a, b) => a.getTime() - b.getTime())
  const firstUse = activations[0]
  const usedBytes = esims.reduce((sum, esim) => sum + Number(esim.used_bytes), 0)
  const isUsed = firstUse !== undefined || usedBytes > 0 || esims.some(({ state }) => !unused.includes(state))
  const events: [Date, string][] = [
    ...(order.paid_at ? [[order.paid_at, 'the payment succeeded'] satisfies [Date, string]] : []),
    [
      order.delivered_at,
      isTopUp ? 'the data was added to the eSIM' : 'the eSIM was delivered: app and web page show its activation code',
    ],
    ...(mailAcceptedAt
      ? [
          [mailAcceptedAt, "the customer's mail server accepted the mail with the activation code"] satisfies [
            Date,
            string,
          ],
        ]
      : []),
    ...activations.map((at): [Date, string] => [at, 'the eSIM was activated in a mobile network for the first time']),
    ...refunds.map(({ amount_minor, created_at }): [Date, string] => [
      created_at,
      `${priced(amount_minor)} of ${priced(order.gross_minor)} was refunded to the card`,
    ]),
  ]
  const refundedMinor = refunds.reduce((sum, { amount_minor }) => sum + amount_minor, 0)
  const lines = events.sort(([a], [b]) => a.getTime() - b.getTime()).map(([at, what]) => `${moment(at)}: ${what}`)
  const total = esims.some(({ total_bytes }) => total_bytes === null)
    ? null
    : esims.reduce((sum, esim) => sum + Number(esim.total_bytes), 0)
  const usage = `Data used, as the network operator reports it: ${dataAmount(usedBytes)} of ${dataAmount(total)}`
  return {
    productDescription: `${order.quantity} x ${order.package_name}: ${isTopUp ? 'mobile data added to an eSIM that the customer has' : 'a travel eSIM, a digital product for mobile data'} (${placeName(order.destination)}, ${dataAmount(numberOrNull(order.data_bytes))}, ${days(order.days)}). It is delivered electronically; nothing is shipped.`,
    serviceDate: day(firstUse ?? order.delivered_at),
    activityLog: [...lines, usage].join('\n'),
    ...(isUsed &&
      refundedMinor < order.gross_minor && {
        refundRefusal: `The service was used, and mobile data that was used cannot be returned.${refundedMinor > 0 ? ` ${priced(refundedMinor)} was refunded all the same.` : ''}`,
      }),
    remarks: refundPolicy,
  }
}
