/** P3: a purchase and its value, with consent, to whom we advertise with. */
import { createHash, randomUUID } from 'node:crypto'
import type { Context } from '../context.ts'
import { listDevices } from '../db/devices.ts'
import type { OrderActivities } from '../workflows/order.contract.ts'
import { knownOrder } from './known-order.ts'
import { sendOnce } from './send-once.ts'

type Activities = Pick<OrderActivities, 'measurePurchase'>

export function createMeasurementActivities(context: Context): Activities {
  const { sql, cipher, measurement } = context

  return {
    async measurePurchase({ orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      if (!order.ad_user_data || !order.paid_at) return
      const at = new Date(asOf)
      const paidAt = order.paid_at
      const send = { subjectId: orderId, kind: 'measurement:purchase', accountId: order.account_id }
      await sendOnce(context, send, { at, unavailable: 'MeasurementUnavailable', unknown: 'skip' }, async () => {
        const [row] = await sql<{ measurement_event_id: string }[]>`
          update orders set measurement_event_id = coalesce(measurement_event_id, ${randomUUID()})
          where id = ${orderId} returning measurement_event_id`
        const [device] = await listDevices(sql, context, order.account_id)
        const results = await measurement.sendPurchase(
          {
            eventId: row?.measurement_event_id ?? randomUUID(),
            eventTime: paidAt,
            valueMinor: order.gross_minor,
            currency: order.currency,
            // made for Meta alone: it tells nobody else's data apart, and cannot be computed without our key
            metaExternalIdHash: createHash('sha256')
              .update(cipher.fingerprint('meta-external-id', order.account_id))
              .digest('hex'),
            gaAppInstanceId: device?.appInstanceId ?? undefined,
            platform: device?.platform ?? 'other',
            osVersion: device?.osVersion ?? undefined,
            consent: { adUserData: order.ad_user_data, adPersonalization: order.ad_personalization },
          },
          at,
        )
        return Object.values(results).includes('sent') ? 'sent' : 'skipped'
      })
    },
  }
}
