/** Activities that record the delivery and the end of an order. */

import type { Context } from '../../context.ts'
import type { Esims } from '../../db/connection/schema.ts'
import { tableEncryption } from '../../db/crypto/column-encryption.ts'
import { installTokenOf } from '../../db/crypto/install-token.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { dayOf, listDocuments, recordDelivered } from '../../db/order/books.ts'
import { moveOrder, type OrderRow } from '../../db/order/orders.ts'
import { periods } from '../../policy/periods.ts'
import { decideVat, isDoubtful, type Vat, type VatRules } from '../../policy/vat.ts'
import { monthOf, plusMs } from '../../shared/calendar.ts'
import type { OrderActivities } from '../../workflows/order/order.contract.ts'
import { knownOrder } from './known-order.ts'
import { factsOf } from './payment.ts'

type Activities = Pick<OrderActivities, 'recordDelivery' | 'endOrder' | 'raiseAttention'>

export function createOrderDeliveryActivities(context: Context): Activities {
  const { sql, cipher, dataKeys, config } = context

  return {
    async recordDelivery({ orderId, asOf }) {
      const order = await knownOrder(sql, orderId)
      const at = new Date(asOf)
      let invoiceNumber: string | undefined
      if (!order.delivered_at) {
        const vat = vatOf(order, at)
        const key = await dataKeys.get(sql, order.account_id)
        const token = installTokenOf(key, orderId)
        const fields = tableEncryption(cipher, key, 'orders')
        invoiceNumber = await recordDelivered(
          sql,
          {
            delivered_at: at,
            install_token: fields.seal('install_token', token),
            install_token_index: cipher.blindIndex('orders.install_token', token),
          },
          {
            ...factsOf(order),
            orderId,
            issuedAt: at,
            suppliedAt: at,
            seller: `${config.SELLER_NAME}, ${config.SELLER_TAX_ID}`,
            taxRateBps: vat.rateBps,
            vat: {
              vat_country: vat.country,
              vat_scope: vat.scope,
              vat_evidence: vat.evidence,
              vat_card_country: order.card_country,
              vat_ip_country: order.ip_country,
            },
            paymentKind: order.payment_kind ?? 'other',
          },
        )
        // Not a task for each order: the journal has the documents of the month, each with its evidence.
        if (isDoubtful(vat.evidence))
          await raiseOperatorTask(sql, { kind: 'vat_evidence_incomplete', subjectId: monthOf(at), at })
      }
      const [expiry] = await sql<{ until: Esims['expires_at'] }[]>`
        select max(coalesce(expires_at, unused_until)) as until from esims where order_id = ${orderId}`
      invoiceNumber ??= (await listDocuments(sql, orderId)).find(({ kind }) => kind === 'invoice')?.number
      const livesUntil = (expiry?.until ?? plusMs(at, periods.order.esimLifeMaxMs)).toISOString()
      return { livesUntil, ...(invoiceNumber !== undefined && { invoiceNumber }) }
    },

    async endOrder({ orderId, asOf, status }) {
      const order = await knownOrder(sql, orderId)
      await moveOrder(sql, orderId, [order.status], { status, ended_at: new Date(asOf) })
    },

    async raiseAttention({ orderId, kind, asOf, code }) {
      await raiseOperatorTask(sql, { kind, subjectId: orderId, detail: code, at: new Date(asOf) })
    },
  }

  function vatOf(order: OrderRow, at: Date): Vat {
    const rules: VatRules = {
      by: config.VAT_BY,
      sellerCountry: config.SELLER_COUNTRY,
      sellerRateBps: config.TAX_RATE_BPS,
      onePieceSuffices: config.VAT_ONE_PIECE_SUFFICES,
    }
    return decideVat(rules, { card: order.card_country, ip: order.ip_country }, dayOf(at))
  }
}
