/** Activities that open, confirm and cancel an order's payment. */

import { randomUUID } from 'node:crypto'
import type { Context } from '../../../context.ts'
import { languageOf, lockAccount } from '../../../db/accounts.ts'
import { violatedConstraint } from '../../../db/connection/constraint.ts'
import type { Queryable } from '../../../db/connection/database.ts'
import type { Orders, Packages } from '../../../db/connection/schema.ts'
import { tableEncryption } from '../../../db/crypto/column-encryption.ts'
import { DataKeyMissing } from '../../../db/crypto/data-keys.ts'
import { resolveOperatorTask } from '../../../db/operator-tasks.ts'
import { recordPaid } from '../../../db/order/books.ts'
import { findOrder, insertOrder, moveOrder, type NewOrder, type OrderRow, paidSince } from '../../../db/order/orders.ts'
import { type Bought, countPurchase, lockVelocity, mostBought, velocityKeys } from '../../../db/order/velocity.ts'
import { defaultLanguage } from '../../../messages/languages.ts'
import { milliseconds, periods } from '../../../policy/periods.ts'
import { costMinor, exchangeRateOf, isAnotherPrice } from '../../../policy/pricing.ts'
import { evidenceOf } from '../../../policy/vat.ts'
import type { Payment } from '../../../providers/stripe/payments.ts'
import type { StripePort } from '../../../providers/stripe/stripe.ts'
import { dayIn, plusMs } from '../../../shared/calendar.ts'
import { failure, failureCode } from '../../../shared/failures.ts'
import type { OrderActivities, OrderInput, Paid } from '../../../workflows/order/order.contract.ts'
import { attemptIsOver, paymentFailureTypes, withFailureTypes } from '../../failures.ts'
import { knownOrder } from '../known-order.ts'
import { createCustomers } from './customers.ts'
import { endPayment, hostedTexts, readPayment, returnAddress } from './hosted-payment.ts'
import { notAccepted, type Objection, objectionTo, refusePayment } from './payment-acceptance.ts'
import { paymentMark } from './payment-mark.ts'

type Activities = Pick<OrderActivities, 'openCheckout' | 'confirmPayment' | 'cancelPayment'>

export function createOrderPaymentActivities(context: Context): Activities {
  const { sql, cipher, dataKeys, stripe, config } = context
  const exchange = exchangeRateOf(config)
  const { customerOf, replaceCustomer } = createCustomers(context)

  return {
    /**
     * Creates the PaymentIntent first, by an idempotency key, so that every order row has one. Does not change an order
     * that another run has opened. The first run of an order that goes on is gone: its next one approves or follows it.
     */
    async openCheckout(input) {
      const isTooLate = attemptIsOver()
      const [offer] = await sql<PackageRow[]>`
        select name, destinations, data_bytes, days, price_minor, currency,
          (select status from orders where id = ${input.orderId}) as order_status
        from packages where code = ${input.packageCode} and active and kind = ${input.parentOrderId ? 'top_up' : 'base'}`
      if (!offer) {
        // A paid order is delivered and followed, also when its package is off sale meanwhile.
        const order = await findOrder(sql, input.orderId)
        if (order && goesOn(input, order.status)) return
        throw failure('PackageUnavailable')
      }
      if (offer.order_status === 'awaiting_payment' || goesOn(input, offer.order_status)) return
      if (offer.order_status) throw failure('OrderStateConflict', { code: offer.order_status })
      const grossMinor = offer.price_minor * input.quantity
      // The API has compared them before, and the price may have changed since.
      if (isAnotherPrice({ minor: grossMinor, currency: offer.currency }, input.expectedAmount))
        throw failure('PriceChanged')
      const key = await dataKeys.get(sql, input.accountId).catch((error: unknown) => {
        throw error instanceof DataKeyMissing ? failure('AccountMissing') : error
      })
      const fields = tableEncryption(cipher, key, 'orders')
      const asked = {
        orderId: input.orderId,
        amountMinor: grossMinor,
        currency: offer.currency,
        mark: paymentMark(cipher, input.orderId),
      }
      const { payment, sessionSecret } = await openPayment(asked, input, fields)
      const order = newOrder(input, offer, {
        gross_minor: grossMinor,
        currency: offer.currency,
        ...payment,
        customer_session_secret: fields.sealOptional('customer_session_secret', sessionSecret),
        measurement_event_id: input.measurement.adUserData ? randomUUID() : null,
        // The request's time, because the payment may be older than this run.
        created_at: new Date(input.orderedAt ?? input.asOf),
        payment_due_at: new Date(input.paymentDueAt),
      })
      // The run has given up by now. An order that is stored after that could be paid, and no run would handle the
      // payment.
      if (isTooLate()) throw failure('PaymentUnavailable', { code: 'too_late' })
      await insertOrder(sql, order).catch(async (error: unknown) => {
        if (violatedConstraint(error) === 'orders_payment_intent_id_key')
          throw failure('PaymentRefused', { code: 'of_another_order' satisfies Objection })
        if (violatedConstraint(error) !== 'orders_account_id_fkey') throw error
        // The customer was erased while we asked for the payment: nobody may be left to pay it.
        await endPayment(context, { id: input.orderId, ...payment })
        throw failure('AccountMissing')
      })
    },

    async confirmPayment({ orderId, asOf, deliverBy }) {
      const order = await knownOrder(sql, orderId)
      if (order.paid_at) return paidOf(order, new Date(asOf))
      const payment = await readPayment(context, order)
      if (payment === 'none_yet') return { state: 'pending' }
      if (payment === 'none') return { state: 'cancelled' }
      const objection = objectionTo(payment, order)
      if (objection) {
        await refusePayment(sql, order, objection, new Date(asOf))
        return { state: 'cancelled' }
      }
      if (payment.status === 'canceled') return { state: 'cancelled' }
      if (payment.status !== 'succeeded') return { state: 'pending' }
      const at = new Date(asOf)
      const { account_id: accountId } = order
      const keys = await velocityKeys(sql, cipher, { accountId, cardFingerprint: payment.cardFingerprint })
      return await sql.begin(async (tx) => {
        // Sent in one round trip, because others wait for the locks: they make concurrent payments count each other.
        const [, , ofAccount, ofKeys] = await Promise.all([
          lockAccount(tx, accountId),
          lockVelocity(tx, keys),
          paidSince(tx, accountId, plusMs(at, -periods.velocity.windowMs)),
          mostBought(tx, keys, {
            lately: plusMs(at, -periods.velocity.windowMs),
            longAgo: plusMs(at, -periods.velocityAcrossAccounts.keepMs),
          }),
        ])
        const review = reasonToReview(order, payment, { ofAccount, ofKeys })
        const dueAt = atLeast(plusMs(new Date(deliverBy), -(payment.paidAgoMs ?? 0)), at)
        const recorded = await recordPaid(
          tx,
          orderId,
          { ...factsOf(order), paidOn: dayIn(config.SELLER_TIME_ZONE, at) },
          {
            status: review ? 'in_review' : 'provisioning',
            reason: review,
            payment_kind: payment.methodKind,
            card_country: evidenceOf(payment.cardCountry),
            paid_at: at,
            deliver_by: review ? null : dueAt,
          },
        )
        if (recorded) await countPurchase(tx, keys, { grossMinor: order.gross_minor, at })
        // Another attempt has recorded it, or the account was erased meanwhile and its deletion keeps the books.
        if (!recorded) return recordedPaid(tx, orderId, at)
        return { state: 'paid', review, ...(!review && { deliverBy: dueAt.toISOString() }) }
      })
    },

    async cancelPayment({ orderId, asOf, status, reason }) {
      const order = await knownOrder(sql, orderId)
      // The payment may be another order's; an operator decides about it.
      if (order.status === 'cancelled' && order.reason === notAccepted) return 'cancelled'
      const outcome = await endPayment(context, order)
      // Stripe does not cancel a payment while the bank processes it.
      if (outcome === 'processing') throw failure('PaymentPending', { nextRetryDelay: 600_000 })
      const at = new Date(asOf)
      const isPaid = outcome === 'already_paid'
      if (!isPaid) await moveOrder(sql, orderId, ['awaiting_payment'], { status, reason, ended_at: at })
      await resolveOperatorTask(sql, { kind: 'payment_unresolved', subjectId: orderId, by: 'order', at })
      return isPaid ? 'paid' : 'cancelled'
    },
  }

  /** Opens the payment, with the customer whose saved cards it may be paid with. */
  async function openPayment(
    asked: Asked,
    input: OrderInput & { paymentDueAt: string },
    fields: OrderFields,
  ): Promise<{ payment: OpenedPayment; sessionSecret: string | undefined }> {
    const openWith = (customerId: string | undefined) =>
      withFailureTypes(paymentFailureTypes, async () => {
        const payment = await (input.hosted
          ? openPage({ ...asked, customerId }, input)
          : openSheet({ ...asked, customerId }, fields))
        // A key of Stripe's goes with one customer.
        const key = `order-${asked.orderId}:customer-session-${customerId}`
        const sessionSecret = customerId && (await stripe.createCustomerSession(customerId, key))
        return { payment, sessionSecret }
      })
    if (!input.savedCards) return openWith(undefined)
    const customerId = await customerOf(input.accountId)
    try {
      return await openWith(customerId)
    } catch (error) {
      if (failureCode(error) !== 'resource_missing') throw error
      return openWith(await replaceCustomer(input.accountId, customerId))
    }
  }

  /** The payment sheet of the app asks for a PaymentIntent. */
  async function openSheet(asked: OfCustomer, fields: OrderFields): Promise<OpenedPayment> {
    const { paymentIntentId, clientSecret } = await stripe.createPayment({
      ...asked,
      idempotencyKey: `order-${asked.orderId}:payment-${termsOf(asked)}`,
    })
    return {
      payment_intent_id: paymentIntentId,
      payment_client_secret: fields.seal('payment_client_secret', clientSecret),
      checkout_session_id: null,
    }
  }

  async function openPage(asked: OfCustomer, input: OrderInput & { paymentDueAt: string }): Promise<OpenedPayment> {
    const language = (await languageOf(sql, input.accountId)) ?? defaultLanguage
    const returnTo = returnAddress(config.PUBLIC_URL, input.orderId)
    const { sessionId } = await stripe.createHostedPayment({
      ...asked,
      ...hostedTexts(language),
      expiresAt: new Date(input.paymentDueAt),
      successUrl: returnTo,
      cancelUrl: returnTo,
      idempotencyKey: `order-${asked.orderId}:page-${termsOf(asked)}`,
    })
    return { payment_intent_id: null, payment_client_secret: null, checkout_session_id: sessionId }
  }

  /** U5: fraud is prevented. Returns why an operator has to review the order, or null. */
  function reasonToReview(
    order: OrderRow,
    payment: Payment,
    before: { ofAccount: Bought; ofKeys: { lately: Bought; altogether: Bought } },
  ): string | null {
    const isAsOrdered = payment.amountReceivedMinor === order.gross_minor && payment.currency === order.currency
    if (!isAsOrdered) return 'payment_differs_from_order'
    if (payment.riskLevel === 'elevated' || payment.riskLevel === 'highest') return 'payment_risk'
    const exceeds = (bought: Bought, limit: { maxOrders: number; maxGrossUsdMicros: number }): boolean =>
      bought.orders >= limit.maxOrders ||
      bought.grossMinor + order.gross_minor > costMinor(limit.maxGrossUsdMicros, exchange)
    const { velocity, velocityAcrossAccounts } = periods
    if (exceeds(before.ofAccount, velocity)) return 'velocity'
    const { lately, altogether } = before.ofKeys
    const isTooMuch = exceeds(lately, velocity) || exceeds(altogether, velocityAcrossAccounts)
    return isTooMuch ? 'velocity_across_accounts' : null
  }
}

/** A payment of which nobody has heard for most of its hour is not given back before a provider was asked. */
const leastMs = 10 * milliseconds.minute
const atLeast = (dueAt: Date, at: Date): Date => new Date(Math.max(+dueAt, +plusMs(at, leastMs)))

/** What is on record of a payment. */
function paidOf({ status, reason, deliver_by: dueAt }: OrderRow, at: Date): Paid {
  const review = status === 'in_review' ? reason : null
  return { state: 'paid', review, ...(dueAt && { deliverBy: atLeast(dueAt, at).toISOString() }) }
}

async function recordedPaid(tx: Queryable, orderId: string, at: Date): Promise<Paid> {
  const order = await findOrder(tx, orderId)
  return order ? paidOf(order, at) : { state: 'paid', review: null }
}

type Asked = Pick<Parameters<StripePort['createPayment']>[0], 'orderId' | 'amountMinor' | 'currency' | 'mark'>
type OfCustomer = Asked & { customerId: string | undefined }
/**
 * The part of a key of Stripe's that goes with what is asked for. With another customer, or at a price that has changed
 * since an attempt whose answer was lost, Stripe would refuse the key for a day.
 */
const termsOf = ({ amountMinor, currency, customerId }: OfCustomer): string =>
  `${amountMinor}${currency}${customerId === undefined ? '' : `-${customerId}`}`
type OrderFields = ReturnType<typeof tableEncryption<'orders'>>
type OpenedPayment = Pick<NewOrder, 'payment_intent_id' | 'payment_client_secret' | 'checkout_session_id'>

/** Whether a run goes on with a paid order that another one has left. A top-up that is delivered needs no run. */
const goesOn = ({ parentOrderId }: OrderInput, status: Orders['status'] | null): boolean =>
  status === 'in_review' || (status === 'delivered' && parentOrderId === null)

type PackageRow = Pick<Packages, 'name' | 'destinations' | 'data_bytes' | 'days' | 'price_minor' | 'currency'> & {
  order_status: Orders['status'] | null
}

/** Columns of an order's row that come from the input of the order's run. */
type FromInput =
  | 'id'
  | 'account_id'
  | 'parent_order_id'
  | 'esim_id'
  | 'package_code'
  | 'quantity'
  | 'ad_user_data'
  | 'ad_personalization'
  | 'ip_country'
  | 'performance_consent'
  | 'performance_consent_at'
/** Columns of an order's row that come from its package. */
type FromPackage = 'package_name' | 'destination' | 'data_bytes' | 'days'

/** The row of an order, for its checkout and for a restore that rebuilds it: what the input has is in both. */
export const newOrder = (
  input: OrderInput,
  sold: Pick<Packages, 'name' | 'destinations' | 'data_bytes' | 'days'>,
  others: Omit<NewOrder, FromInput | FromPackage>,
): NewOrder => ({
  id: input.orderId,
  account_id: input.accountId,
  parent_order_id: input.parentOrderId,
  esim_id: input.esimId,
  package_code: input.packageCode,
  package_name: sold.name,
  destination: destinationOf(sold.destinations),
  quantity: input.quantity,
  data_bytes: sold.data_bytes,
  days: sold.days,
  ad_user_data: input.measurement.adUserData,
  ad_personalization: input.measurement.adPersonalization,
  ip_country: input.ipCountry ?? null,
  performance_consent: input.performanceConsent?.version ?? null,
  performance_consent_at: input.performanceConsent ? new Date(input.performanceConsent.at) : null,
  ...others,
})

/** What the books keep of an order. Amounts in minor units. */
export const factsOf = (order: OrderRow) => ({
  packageName: order.package_name,
  destination: order.destination,
  quantity: order.quantity,
  grossMinor: order.gross_minor,
  currency: order.currency,
})

/** The country's code, or the number of countries: a list of them could single out a purchase. */
export const destinationOf = (destinations: string[]): string =>
  destinations.length === 1 ? (destinations[0] ?? '') : `${destinations.length} countries`
