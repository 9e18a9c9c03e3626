/** P3, ad measurement gets a purchase and its value: events for Meta and Google Analytics, with consent only. */
import { createHash } from 'node:crypto'
import type { Context } from '../../context.ts'
import { listDevices } from '../../db/devices.ts'
import { majorUnits } from '../../policy/currency.ts'
import type { OrderActivities } from '../../workflows/order/order.contract.ts'
import { sendOnce } from '../sending/send-once.ts'
import { knownOrder } from './known-order.ts'

type Activities = Pick<OrderActivities, 'measurePurchase'>

export function createMeasurementActivities(context: Context): Activities {
  const { sql, cipher, measurement } = context

  return {
    async measurePurchase({ orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      const { measurement_event_id: eventId } = order
      if (!order.ad_user_data || !eventId || !order.paid_at) return
      const at = new Date(asOf)
      const paidAt = order.paid_at
      const send = { subjectId: orderId, kind: 'measurement:purchase', accountId: order.account_id }
      await sendOnce(context, send, { at, unavailable: 'MeasurementUnavailable', unknown: 'skip' }, async () => {
        const [device] = await listDevices(sql, context, order.account_id)
        const results = await measurement.sendPurchase(
          {
            eventId,
            eventTime: paidAt,
            value: majorUnits(order.gross_minor, order.currency),
            currency: order.currency,
            // A pseudonym for Meta only: other data cannot be joined by it, and it cannot be computed without our key.
            metaExternalIdHash: createHash('sha256')
              .update(cipher.fingerprint('meta-external-id', order.account_id))
              .digest('hex'),
            gaAppInstanceId: device?.appInstanceId ?? undefined,
            consent: { adUserData: order.ad_user_data, adPersonalization: order.ad_personalization },
          },
          at,
        )
        return Object.values(results).includes('sent') ? 'sent' : 'skipped'
      })
    },
  }
}
