/**
 * Payments on Stripe's own page, and the cards that a customer has saved. Sources:
 * docs.stripe.com/api/checkout/sessions, docs.stripe.com/api/payment_methods, and the types of stripe 23.1
 * (resources/Checkout/Sessions.d.ts): a session in `payment` mode has no PaymentIntent until the customer pays; its
 * PaymentIntent is cancelled by expiring the session alone; its address is there while it is open.
 */
import type Stripe from 'stripe'
import { paymentStatuses } from '../codes/stripe-values.ts'
import { isProviderFailure, ProviderFailure } from '../failure.ts'
import type { StripeClient } from './client.ts'
import { orderIdIn } from './order-id.ts'
import { createPages, seconds, toTheEnd } from './pages.ts'
import type { CancelResult } from './payments.ts'

export interface HostedPayment {
  sessionId: string
  /** `complete`: it was paid, or the bank is still at it */
  status: 'open' | 'complete' | 'expired'
  /** null until the customer pays */
  paymentIntentId: string | null
  /** where it is paid; null unless it is open */
  url: string | null
}

/** A page that somebody may still pay on. */
export interface OpenPage {
  sessionId: string
  /** metadata.order_id */
  orderId: string | null
  /** metadata.mark */
  mark: string | null
  amountMinor: number
  /** ISO 4217 */
  currency: string
}

export interface SavedCard {
  cardId: string
  /** as Stripe writes it, such as `visa` */
  brand: string
  last4: string
  expires: { month: number; year: number }
}

/** The shortest life of a session: docs.stripe.com/api/checkout/sessions/create#create_checkout_session-expires_at */
const shortestLifeSeconds = 30 * 60
/** Stripe counts from the creation, by its own clock: a request may wait for its turn, and be sent again. */
const onItsWaySeconds = 120

/** Whether an id is that of a page, and not of a payment. */
export const isPageId = (id: string): boolean => id.startsWith('cs_')

export type HostedPayments = ReturnType<typeof createHostedPayments>

export function createHostedPayments({ sdk, call, create, statusIn }: StripeClient) {
  const pages = createPages(call)
  async function retrieve(sessionId: string): Promise<HostedPayment> {
    const page = toHosted(await call('reads', () => sdk.checkout.sessions.retrieve(sessionId)))
    // The machine that was asked does not know yet what was paid: a page is complete by its payment.
    if (page.status === 'complete' && page.paymentIntentId === null)
      throw new ProviderFailure('stripe', 'unavailable', 'page_contradicts')
    return page
  }

  /** The customer of a saved card. Detached cards stay at Stripe without one. */
  async function holderOf(cardId: string): Promise<string | null> {
    const { customer } = await call('reads', () => sdk.paymentMethods.retrieve(cardId))
    return customer === null || typeof customer === 'string' ? customer : customer.id
  }

  async function listSavedCards(customerId: string): Promise<SavedCard[]> {
    try {
      const cards = pages((page) => sdk.customers.listPaymentMethods(customerId, { ...page, type: 'card' }))
      return (await toTheEnd(cards)).flatMap(({ id, card }) =>
        card
          ? [
              {
                cardId: id,
                brand: card.brand,
                last4: card.last4,
                expires: { month: card.exp_month, year: card.exp_year },
              },
            ]
          : [],
      )
    } catch (error) {
      // The customer was deleted at Stripe.
      if (isProviderFailure(error, 'resource_missing')) return []
      throw error
    }
  }

  return {
    getHostedPayment: retrieve,

    /** Reads the pages that were made between two times and are open, the newest first. */
    async *openPages(from: Date, to: Date): AsyncGenerator<OpenPage> {
      const created = { gte: seconds(from), lte: seconds(to) }
      const open = pages((page) => sdk.checkout.sessions.list({ ...page, created, status: 'open' }))
      for await (const sessions of open) {
        for (const { id, metadata, amount_total: amount, currency } of sessions) {
          yield {
            sessionId: id,
            orderId: orderIdIn(metadata) ?? null,
            mark: metadata?.mark ?? null,
            amountMinor: amount ?? 0,
            currency: (currency ?? '').toUpperCase(),
          }
        }
      }
    },

    /** The page on which a payment was made, or tried; null when there is none. */
    async pageOf(paymentIntentId: string): Promise<string | null> {
      const found = pages((page) => sdk.checkout.sessions.list({ ...page, payment_intent: paymentIntentId }))
      return (await toTheEnd(found))[0]?.id ?? null
    },

    /**
     * Creates the page of a payment. For 24 hours a repeated key with the same end returns the first one. With another
     * end it makes another page, since Stripe refuses a key that comes with other parameters: nobody has the address of
     * the first.
     */
    async createHostedPayment(order: {
      orderId: string
      amountMinor: number
      currency: string
      /** what is bought, as the page shows it */
      name: string
      customerId?: string | undefined
      mark: string
      locale: Stripe.Checkout.SessionCreateParams.Locale
      expiresAt: Date
      successUrl: string
      cancelUrl: string
      idempotencyKey: string
    }): Promise<HostedPayment> {
      const soonest = Math.ceil(Date.now() / 1000) + shortestLifeSeconds + onItsWaySeconds
      const endsAt = Math.max(soonest, Math.floor(order.expiresAt.getTime() / 1000))
      const metadata = { order_id: order.orderId, mark: order.mark }
      const parameters: Stripe.Checkout.SessionCreateParams = {
        mode: 'payment',
        // Apple Pay and Google Pay are cards. Other ways of paying are decided after the page, some days later.
        allowed_payment_method_types: ['card'],
        // Unless they are said, these two are as the account's settings have them. What is paid is what the order and its
        // invoice say, in their currency; and Link keeps cards for its own customers.
        adaptive_pricing: { enabled: false },
        wallet_options: { link: { display: 'never' } },
        client_reference_id: order.orderId,
        line_items: [
          {
            quantity: 1,
            price_data: {
              currency: order.currency.toLowerCase(),
              unit_amount: order.amountMinor,
              product_data: { name: order.name },
            },
          },
        ],
        locale: order.locale,
        expires_at: endsAt,
        success_url: order.successUrl,
        cancel_url: order.cancelUrl,
        metadata,
        // By these the payment is recognised as the order's.
        payment_intent_data: { metadata },
        ...(order.customerId ? { customer: order.customerId } : {}),
      }
      // Stripe refuses a key that comes with other parameters. Earlier builds left both to the account with this one.
      const session = await create(`${order.idempotencyKey}-${endsAt}:said`, (idempotencyKey) =>
        call('writes', () => sdk.checkout.sessions.create(parameters, { idempotencyKey })),
      )
      return toHosted(session)
    },

    /** Ends a page, so that nobody can pay there any more. Safe to repeat. */
    async endHostedPayment(sessionId: string, key: string): Promise<CancelResult> {
      const before = await retrieve(sessionId)
      if (before.status === 'open') {
        try {
          await create(key, (idempotencyKey) =>
            call('writes', () => sdk.checkout.sessions.expire(sessionId, {}, { idempotencyKey })),
          )
          return 'cancelled'
        } catch (error) {
          // Only an open session can be expired: the customer has paid meanwhile, or it has expired by itself.
          if (!isProviderFailure(error) || error.kind !== 'rejected') throw error
        }
      }
      const { status, paymentIntentId } = await retrieve(sessionId)
      // Stripe has refused to end the session: the customer could still pay there.
      if (status === 'open') throw new ProviderFailure('stripe', 'unavailable', 'page_still_open')
      if (status === 'expired' || paymentIntentId === null) return 'already_cancelled'
      const intent = await call('reads', () => sdk.paymentIntents.retrieve(paymentIntentId))
      const paid = statusIn('payment', paymentStatuses, intent.status, 'processing')
      if (paid === 'succeeded') return 'already_paid'
      // The page is over, and with it the only place for another try.
      return paid === 'canceled' || paid === 'requires_payment_method' ? 'already_cancelled' : 'processing'
    },

    /** The cards that a customer has saved, which Stripe keeps. */
    listSavedCards,

    /** Deletes a card for good. Safe to repeat. @returns false when it is another customer's card, or nobody's */
    async deleteSavedCard(customerId: string, cardId: string): Promise<boolean> {
      try {
        const holder = await holderOf(cardId)
        if (holder === null) return true
        if (holder !== customerId) return false
        await call('writes', () => sdk.paymentMethods.detach(cardId))
        return true
      } catch (error) {
        // Stripe refuses to detach a card twice: another request may have done it.
        if (isProviderFailure(error, 'http_400') && (await holderOf(cardId)) === null) return true
        if (!isProviderFailure(error, 'resource_missing')) throw error
        // One of Stripe's machines may not know it yet: the list of the customer's cards has it then.
        const isListed = (await listSavedCards(customerId)).some((card) => card.cardId === cardId)
        if (isListed) throw new ProviderFailure('stripe', 'unavailable', error.code)
        return false
      }
    },
  }
}

const toHosted = ({ id, status, payment_intent: intent, url }: Stripe.Checkout.Session): HostedPayment => ({
  sessionId: id,
  status: status === 'complete' ? 'complete' : status === 'expired' ? 'expired' : 'open',
  paymentIntentId: intent === null || typeof intent === 'string' ? intent : intent.id,
  url,
})
