/**
 * The payment of an order, also of one that is paid on Stripe's page: there the PaymentIntent is made when the customer
 * pays, and ends with the page.
 */
import type { Context } from '../../../context.ts'
import { type OrderRow, recordPaymentOf } from '../../../db/order/orders.ts'
import type { Language } from '../../../messages/languages.ts'
import { textsOf } from '../../../messages/texts.ts'
import type { CancelResult, Payment } from '../../../providers/stripe/payments.ts'
import { paymentIntentOf } from '../known-order.ts'
import { askAboutPayment } from '../provider-alarm.ts'

/** Reads an order's payment at Stripe. `none_yet`: Stripe's page is open; `none`: the page has expired unpaid. */
export async function readPayment(context: Context, order: OrderRow): Promise<Payment | 'none_yet' | 'none'> {
  const { sql, stripe } = context
  const sessionId = order.checkout_session_id
  if (order.payment_intent_id === null && sessionId !== null) {
    const hosted = await askAboutPayment(context, () => stripe.getHostedPayment(sessionId))
    const { paymentIntentId } = hosted
    if (paymentIntentId === null) return hosted.status === 'open' ? 'none_yet' : 'none'
    await recordPaymentOf(sql, order.id, paymentIntentId)
    return askAboutPayment(context, () => stripe.getPayment(paymentIntentId))
  }
  return askAboutPayment(context, () => stripe.getPayment(paymentIntentOf(order)))
}

/** Ends an unpaid payment, and with it the page on which it could be paid. */
export function endPayment(
  context: Context,
  order: Pick<OrderRow, 'id' | 'payment_intent_id' | 'checkout_session_id'>,
): Promise<CancelResult> {
  const { stripe } = context
  const sessionId = order.checkout_session_id
  const key = `order-${order.id}:cancel`
  return askAboutPayment(context, () =>
    sessionId === null ? stripe.cancelPayment(paymentIntentOf(order), key) : stripe.endHostedPayment(sessionId, key),
  )
}

/** Texts on Stripe's page. P2, the payment processor takes the payment: it does not learn where the person travels. */
export const hostedTexts = (language: Language) => ({
  name: textsOf(language).t('purchase.hostedName'),
  // Stripe has no Albanian: it takes what the browser asks for.
  locale: language === 'sq' ? ('auto' as const) : language,
})

/** Where a person comes back to from Stripe's page, with and without having paid. */
export const returnAddress = (publicUrl: string, orderId: string): string =>
  new URL(`/account/paid?order=${orderId}`, publicUrl).href
