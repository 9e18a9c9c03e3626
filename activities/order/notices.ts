/** U3: confirmations and activation codes are sent once. Mails and pushes about an order. */
import type { Context } from '../../context.ts'
import { listDaily } from '../../db/catalogue/packages.ts'
import { numberOrNull } from '../../db/connection/bigints.ts'
import { installUrl } from '../../db/crypto/install-token.ts'
import { wasRefundedByOperator } from '../../db/operator/operator-acts.ts'
import { listDocuments } from '../../db/order/books.ts'
import { listEsims } from '../../db/order/esims.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { givesMoneyBack, hasBounced, isOfWhole, leftOfPrice, listRefunds } from '../../db/order/refunds.ts'
import { listSendsOf } from '../../db/sends.ts'
import type { OrderSummary } from '../../mails/order/order.tsx'
import {
  type RefundCause,
  renderOrderApology,
  renderOrderCancelled,
  renderOrderDelayed,
  renderOrderHeld,
  renderOrderPaymentNotAccepted,
  renderOrderRefunded,
  renderOrderRefundFailed,
  renderTopUpConfirmed,
} from '../../mails/order/order-changes.tsx'
import { renderOrderConfirmation } from '../../mails/order/order-confirmation.tsx'
import type { RenderedMail } from '../../mails/render.ts'
import type { Texts } from '../../messages/texts.ts'
import { performanceConsents } from '../../policy/withdrawal.ts'
import {
  type OrderActivities,
  type OrderMail,
  type OrderStatus,
  refundReasonOf,
} from '../../workflows/order/order.contract.ts'
import { limitOf } from '../../workflows/order/order-states.ts'
import { pushToAccount } from '../sending/push-to-account.ts'
import { sendMail, toAccount } from '../sending/send-mail.ts'
import { sendOnce } from '../sending/send-once.ts'
import { knownOrder } from './known-order.ts'
import { notAccepted } from './payment/payment-acceptance.ts'

type Activities = Pick<OrderActivities, 'sendOrderMail' | 'sendOrderPush'>

export function createOrderNoticeActivities(context: Context): Activities {
  const { sql, config } = context
  const site = { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL }

  const pageOf = async (order: OrderRow): Promise<string> => (await installUrl(context, order)) ?? site.publicUrl

  return {
    async sendOrderMail({ orderId, mail, asOf, requestId }) {
      const order = await knownOrder(sql, orderId)
      const kind = requestId ? `mail:${mail}:${requestId}` : await kindOf(mail, order)
      await sendMail(context, {
        send: { subjectId: orderId, kind, accountId: order.account_id },
        at: new Date(asOf),
        compose: async () =>
          isOutOfDate(mail, order)
            ? null
            : toAccount(context, order.account_id, ({ firstName }, texts) => render(mail, order, { firstName, texts })),
      })
    },

    async sendOrderPush({ orderId, push, asOf }) {
      const order = await knownOrder(sql, orderId)
      const send = { subjectId: orderId, kind: `push:${push}`, accountId: order.account_id }
      const bodyKey = order.reason === notAccepted ? 'push.lookIntoMail' : (`push.order.${push}.body` as const)
      // `skip`: a lost push is better than one that is shown twice.
      await sendOnce(
        context,
        send,
        { at: new Date(asOf), unavailable: 'PushUnavailable', unknown: 'skip' },
        async () =>
          isOutOfDate(push, order)
            ? 'skipped'
            : pushToAccount(context, order.account_id, (t) => ({
                title: t(`push.order.${push}.title`),
                body: t(bodyKey),
                data: { orderId, event: push },
                collapseKey: `${orderId}.${push}`,
              })),
      )
    },
  }

  /**
   * Names a mail in the send ledger. An order has most of them once. A refund that is repeated because the bank has
   * returned the one before is told again, and so is one more that the bank returns: each once.
   */
  async function kindOf(mail: OrderMail, { id }: OrderRow): Promise<string> {
    const first = `mail:${mail}`
    if (mail !== 'refunded' && mail !== 'refund_failed') return first
    const told = await listSendsOf(sql, id, first)
    const waiting = told.find(({ state }) => state === 'due' || state === 'sending')
    const firstAt = told.find(({ kind }) => kind === first)?.first_at
    // What waits for the mail server says what is true when it is sent.
    if (waiting || !firstAt) return waiting?.kind ?? first
    const whole = (await listRefunds(sql, id)).filter((refund) => isOfWhole(id, refund))
    const about = whole.findLast(({ state }) => givesMoneyBack(state) === (mail === 'refunded'))
    // A mail that is younger than a refund was about it. No mail about the first refund can be older than that.
    const isFirst = about && (about.created_at <= firstAt || (mail === 'refunded' && about === whole[0]))
    return !about || isFirst ? first : `${first}:${about.stripe_refund_id ?? about.refund_key}`
  }

  /** A run does not know whether the customer or an operator has asked it to cancel or to return eSIMs. */
  async function causeOf({ id, reason }: OrderRow): Promise<RefundCause> {
    const given = refundReasonOf(reason) ?? 'returned_unused'
    if (given !== 'cancelled_by_customer' && given !== 'returned_unused') return given
    if (!(await wasRefundedByOperator(sql, id))) return given
    return given === 'returned_unused' ? 'returned_by_operator' : 'cancelled_by_operator'
  }

  /** The amount of a refund that has failed, also when there was none: the processor has refused it. */
  async function failedMinorOf(order: OrderRow): Promise<number> {
    const refunds = await listRefunds(sql, order.id)
    const failed = refunds.findLast((refund) => hasBounced(refund.state) && isOfWhole(order.id, refund))
    return failed?.amount_minor ?? (leftOfPrice(order, refunds) || order.gross_minor)
  }

  async function render(
    mail: OrderMail,
    order: OrderRow,
    reader: { firstName: string; texts: Texts },
  ): Promise<RenderedMail> {
    const common = { site, ...reader, order: await summaryOf(context, order) }
    const isTopUp = order.parent_order_id !== null
    const total = { minor: order.gross_minor, currency: order.currency }
    if (mail === 'held')
      return renderOrderHeld({
        ...common,
        decideBy: limitOf('in_review', order.paid_at ?? order.created_at),
      })
    if (mail === 'delayed')
      return renderOrderDelayed({ ...common, isTopUp, deliverBy: order.deliver_by ?? order.created_at })
    if (mail === 'apology') return renderOrderApology(common)
    if (mail === 'cancelled')
      return order.reason === notAccepted ? renderOrderPaymentNotAccepted(common) : renderOrderCancelled(common)
    if (mail === 'refund_failed')
      return renderOrderRefundFailed({ ...common, amount: { ...total, minor: await failedMinorOf(order) } })
    const documents = await listDocuments(sql, order.id)
    const numberOf = (kind: string) => documents.find((document) => document.kind === kind)?.number
    if (mail === 'refunded') {
      const creditNoteNumber = documents.findLast(({ kind }) => kind === 'credit_note')?.number
      const refund = (await listRefunds(sql, order.id)).at(-1)
      const amount = { ...total, minor: refund?.amount_minor ?? order.gross_minor }
      const cause = await causeOf(order)
      return renderOrderRefunded({ ...common, isTopUp, amount, cause, ...(creditNoteNumber && { creditNoteNumber }) })
    }
    const invoiceNumber = numberOf('invoice') ?? ''
    const consent = consentOf(order)
    if (order.parent_order_id)
      return renderTopUpConfirmed({
        ...common,
        total,
        invoiceNumber,
        ...(consent && { consent }),
        orderUrl: await pageOf(await knownOrder(sql, order.parent_order_id)),
      })
    const esims = await listEsims(context, order)
    return renderOrderConfirmation({
      ...common,
      order: { ...common.order, validityStarts: esims[0]?.validityStarts ?? null },
      total,
      invoiceNumber,
      ...(consent && { consent }),
      installUrl: await pageOf(order),
      esims: esims.map(({ activationCode, confirmationCode, apn }) => ({
        activationCode,
        ...(confirmationCode && { confirmationCode }),
        ...(apn && { apn }),
      })),
    })
  }
}

/** What a mail says is true in one state alone; the others say what has happened. */
const saidIn: { readonly [Mail in OrderMail]?: OrderStatus } = {
  held: 'in_review',
  delayed: 'provisioning',
  cancelled: 'cancelled',
}

/**
 * Whether a message says what is not true any more: its server was down for hours, or the run of the order was reset.
 * The customer has heard, or hears, of what has become of the order.
 */
function isOutOfDate(mail: OrderMail, { status, reason }: Pick<OrderRow, 'status' | 'reason'>): boolean {
  const said = saidIn[mail]
  return said !== undefined && said !== status && reason !== notAccepted
}

/** The text that the customer agreed to when ordering, and when. */
function consentOf({ performance_consent: version, performance_consent_at: at }: OrderRow) {
  const text = version === null ? undefined : performanceConsents[version]
  return text !== undefined && at ? { text, at } : undefined
}

/** What a mail says of an order. */
export const summaryOf = async ({ sql }: Pick<Context, 'sql'>, order: OrderRow): Promise<OrderSummary> => ({
  id: order.id,
  destination: order.destination,
  dataBytes: numberOrNull(order.data_bytes),
  daily: (await listDaily(sql, [order.package_code])).has(order.package_code),
  days: order.days,
  quantity: order.quantity,
})
