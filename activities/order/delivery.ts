/** Activities that record the delivery and the end of an order. */

import { setTimeout as pause } from 'node:timers/promises'
import type { WorkerContext } from '../../context.ts'
import type { Esims } from '../../db/connection/schema.ts'
import { installTokenColumns } from '../../db/crypto/install-token.ts'
import { raiseOperatorTask, wasClosedByOperator } from '../../db/operator-tasks.ts'
import { listDocuments, recordDelivered } from '../../db/order/books.ts'
import { isBeingReturned } from '../../db/order/esims/returned-esims.ts'
import { moveOrder } from '../../db/order/orders.ts'
import { periods } from '../../policy/periods.ts'
import { isDoubtful } from '../../policy/vat.ts'
import { dayIn, plusMs } from '../../shared/calendar.ts'
import { failure } from '../../shared/failures.ts'
import { createOrderSignals } from '../../temporal/order-signals.ts'
import {
  type DeliveryMessage,
  deliveryMessages,
  type OrderActivities,
  type OrderStatus,
} from '../../workflows/order/order.contract.ts'
import { recordedAt } from '../failures.ts'
import { invoiceOf } from './invoice.ts'
import { knownOrder } from './known-order.ts'
import { raiseUnsettled, refundUnsettled } from './refunds/unsettled.ts'
import { raiseUnlessRefunded } from './returned-esims.ts'

type Activities = Pick<OrderActivities, 'recordDelivery' | 'endOrder' | 'raiseAttention'>

type Issued = { number: string; issuedOn: string }

type OfOrder = { orderId: string; asOf: string }

/** The customer has the money, or gets it. */
const givenBack: readonly OrderStatus[] = ['refunding', 'refund_failed', 'refunded']

/**
 * How long the record of a delivery waits for its messages. One that takes longer goes on, and the run's next attempt
 * finds it in the send ledger.
 */
const messagesWithinMs = 4_000

/** @param send tries a message once; rejects when it may be sent later */
export function createOrderDeliveryActivities(
  context: WorkerContext,
  send: { [Message in DeliveryMessage]: (order: OfOrder) => Promise<void> },
): Activities {
  const { sql, cipher, dataKeys, config } = context
  const signals = createOrderSignals(context)

  return {
    async recordDelivery({ orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      const at = recordedAt(asOf)
      const [esims] = await sql<{ count: number; until: Esims['expires_at'] }[]>`
        select count(*)::int as count, max(coalesce(expires_at, unused_until)) as until
        from esims where order_id = ${orderId}`
      // U2, paid means delivered or refunded: after a restore the provider may not know the eSIMs any more. A customer
      // without an eSIM is refunded.
      if (!order.delivered_at && !order.parent_order_id && !esims?.count)
        throw failure('OrderStateConflict', { code: 'no_esims' })
      let issued: Issued | undefined
      if (!order.delivered_at) {
        const invoice = invoiceOf(config, order, dayIn(config.SELLER_TIME_ZONE, at))
        const key = await dataKeys.get(sql, order.account_id)
        const delivered = { delivered_at: at, ...installTokenColumns(cipher, key, orderId) }
        const number = await recordDelivered(sql, delivered, { ...invoice, orderId })
        if (number !== undefined) issued = { number, issuedOn: invoice.issuedOn }
        // Not a task for each order: the journal has the documents of the month, each with its evidence.
        if (isDoubtful(invoice.vat.vat_evidence))
          await raiseOperatorTask(sql, { kind: 'vat_evidence_incomplete', subjectId: invoice.issuedOn.slice(0, 7), at })
      }
      issued ??= (await listDocuments(sql, orderId)).find(({ kind }) => kind === 'invoice')
      const livesUntil = (esims?.until ?? plusMs(at, periods.order.esimLifeMaxMs)).toISOString()
      const deliveredAt = (order.delivered_at ?? at).toISOString()
      const sent = await sendMessages({ orderId, asOf })
      const invoiced = issued && { invoiceNumber: issued.number, issuedOn: issued.issuedOn }
      return { livesUntil, deliveredAt, ...invoiced, sent }
    },

    async endOrder({ orderId, asOf, status }) {
      const order = await knownOrder(sql, orderId)
      // A run that was reset has not got the refund of its order: the money that is on its way stays on its way.
      if (status === 'ended' && givenBack.includes(order.status)) return
      // The run of a top-up ends with its delivery, and may be late: what was done about it meanwhile stays. So does an
      // order that a restore has closed.
      const isClosed = status === 'ended' && order.ended_at !== null
      const from = status === 'delivered' || isClosed ? 'delivered' : order.status
      const at = new Date(asOf)
      // The eSIMs of an order that ends so may have gone back all the same: its run knows of no return.
      if (status === 'ended' && !isClosed) await raiseUnlessRefunded(sql, orderId, at)
      await moveOrder(sql, orderId, [from], { status, ended_at: at })
      // Its eSIM went back while it was being delivered: the look for its top-ups was before.
      const toppedUp = status === 'delivered' ? order.esim_id : null
      if (toppedUp !== null && (await isBeingReturned(sql, toppedUp))) await signals.settleTopUp(orderId)
    },

    async raiseAttention({ orderId, kind, asOf, code }) {
      const task = { kind, subjectId: orderId, detail: code, at: new Date(asOf) }
      // A run that waits for the bank or for Stripe says so again and again, whatever an operator has made of it.
      if (kind === refundUnsettled) await raiseUnsettled(sql, orderId, task.at)
      else if (kind !== 'payment_unresolved' || !(await wasClosedByOperator(sql, { kind, subjectId: orderId })))
        await raiseOperatorTask(sql, task)
      return { kind, ...(code !== undefined && { code }) }
    },
  }

  /**
   * U3, confirmations and activation codes are sent once: tries the messages of a delivery that is recorded. One local
   * activity writes one event, and four write four.
   * @returns those that need no other attempt
   */
  async function sendMessages(order: OfOrder): Promise<DeliveryMessage[]> {
    const sent = new Set<DeliveryMessage>()
    const attempts = deliveryMessages.map((message) =>
      send[message](order).then(
        () => sent.add(message),
        () => undefined, // The run tries it again, and for longer.
      ),
    )
    await Promise.race([Promise.all(attempts), pause(messagesWithinMs, undefined, { ref: false })])
    return deliveryMessages.filter((message) => sent.has(message))
  }
}
