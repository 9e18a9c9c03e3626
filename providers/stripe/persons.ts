/**
 * Customers at Stripe and the removal of personal data: a customer at once, transactions after 90 days by redaction
 * jobs. Redaction is a public preview without SDK methods, hence by raw requests. Source:
 * docs.stripe.com/privacy/redaction
 */

import { type RedactionStatus, redactionStatuses } from '../codes/stripe-values.ts'
import { isProviderFailure, ProviderFailure } from '../failure.ts'
import type { StripeClient, StripeReply } from './client.ts'
import { isPageId } from './hosted.ts'
import { createPages, toTheEnd } from './pages.ts'

/** Most ids in one redaction job, customers, payments and pages together. */
export const redactionBatchSize = 10

export interface Redaction {
  redactionId: string
  status: RedactionStatus
  /** why a job has failed, by the codes of codes/stripe-values.ts */
  problems: { code: string; objectId: string | null }[]
}

/** Stripe ends a session with saved cards then (`expires_at`): docs.stripe.com/api/customer_sessions/object */
export const customerSessionMs = 30 * 60_000

const path = '/v1/privacy/redaction_jobs'

export function createPersons({ sdk, call, create, statusIn }: StripeClient, redactionApiVersion: string | undefined) {
  async function ask<T extends StripeReply>(
    method: 'GET' | 'POST',
    suffix: string,
    parameters?: object,
    idempotencyKey?: string,
  ): Promise<T> {
    if (!redactionApiVersion) throw notEnabled('redaction_not_configured')
    const options = { apiVersion: redactionApiVersion, ...(idempotencyKey ? { idempotencyKey } : {}) }
    try {
      const send = (): Promise<T> => sdk.rawRequest(method, `${path}${suffix}`, parameters, options)
      return await call(method === 'GET' ? 'reads' : 'writes', send)
    } catch (error) {
      // Without access to the preview the path does not exist, in Stripe's own words: a bare 404 is a proxy's.
      if (isProviderFailure(error, 'http_404') && error.kind === 'rejected') {
        throw notEnabled('redaction_not_available')
      }
      throw error
    }
  }

  /**
   * A job, and what its validation has found: the job's own `validation_errors` are optional, and only the first ten.
   */
  async function job(
    method: 'GET' | 'POST',
    suffix: string,
    parameters?: object,
    idempotencyKey?: string,
  ): Promise<Redaction> {
    const { id, status: given } = await ask<RawJob>(method, suffix, parameters, idempotencyKey)
    const status = statusIn('redaction', redactionStatuses, given, 'redacting')
    // Of a job that was cancelled too: the answer to the cancellation may have been lost.
    const isRefused = ['failed', 'canceling', 'canceled'].includes(status)
    const found = isRefused ? await errorsOf(id) : []
    const problems = found.map(({ code, erroring_object }) => ({ code, objectId: erroring_object?.id ?? null }))
    return { redactionId: id, status, problems }
  }

  function errorsOf(id: string): Promise<RawError[]> {
    // `ask` is a call already.
    const pages = createPages((_effect, request) => request())
    return toTheEnd(
      pages((page) => {
        const query = new URLSearchParams({ ...page, limit: String(page.limit) })
        return ask<RawErrors>('GET', `/${id}/validation_errors?${query}`)
      }),
    )
  }

  /** Stripe keeps a record of deleted customers. */
  async function customerState(customerId: string): Promise<'live' | 'deleted' | 'unknown'> {
    try {
      const { deleted } = await call('reads', () => sdk.customers.retrieve(customerId))
      return deleted ? 'deleted' : 'live'
    } catch (error) {
      if (isProviderFailure(error, 'resource_missing')) return 'unknown'
      throw error
    }
  }

  return {
    /** Creates a customer without name, e-mail address and phone number. @returns the customer's id */
    async createCustomer(input: { idempotencyKey: string; accountRef: string }): Promise<string> {
      const customer = await create(input.idempotencyKey, (idempotencyKey) =>
        call('writes', () => sdk.customers.create({ metadata: { account_ref: input.accountRef } }, { idempotencyKey })),
      )
      return customer.id
    },

    /** Lets PaymentSheet show and save the customer's cards until `customerSessionMs`. @returns a client secret */
    async createCustomerSession(customerId: string, key: string): Promise<string> {
      const features = {
        payment_method_save: 'enabled',
        payment_method_redisplay: 'enabled',
        payment_method_remove: 'enabled',
      } as const
      const components = { mobile_payment_element: { enabled: true, features } }
      const session = await create(key, (idempotencyKey) =>
        call('writes', () => sdk.customerSessions.create({ customer: customerId, components }, { idempotencyKey })),
      )
      return session.client_secret
    },

    /**
     * Deletes a customer with their cards; payments stay. Stripe answers 404 when the customer was deleted before, and
     * then still has a record of it: docs.stripe.com/api/customers/retrieve
     * @returns `unknown` when Stripe has no record of the customer
     */
    async deleteCustomer(customerId: string): Promise<'deleted' | 'already_deleted' | 'unknown'> {
      try {
        await call('writes', () => sdk.customers.del(customerId))
        return 'deleted'
      } catch (error) {
        if (!isProviderFailure(error, 'resource_missing')) throw error
      }
      const state = await customerState(customerId)
      if (state === 'live') throw new ProviderFailure('stripe', 'unavailable', 'resource_missing')
      return state === 'deleted' ? 'already_deleted' : state
    },

    customerState,

    /**
     * Creates a redaction job, which Stripe then validates. Poll it by `getRedaction` and run it by `runRedaction` once
     * it is `ready`. A `failed` job must be cancelled, since it keeps its objects locked.
     * @param ids.paymentIntentIds also ids of pages, on which people type their e-mail address and name: they are objects
     * of their own (docs.stripe.com/privacy/redaction, "Create a redaction job")
     */
    async redact(ids: { paymentIntentIds: string[]; customerIds: string[] }, key: string): Promise<Redaction> {
      if (ids.paymentIntentIds.length + ids.customerIds.length > redactionBatchSize) {
        throw new ProviderFailure('stripe', 'rejected', 'too_many_objects')
      }
      const named = (kind: string, is: (id: string) => boolean) => {
        const found = ids.paymentIntentIds.filter(is)
        return found.length > 0 ? { [kind]: found } : {}
      }
      const objects = {
        ...named('payment_intents', (id) => !isPageId(id)),
        ...named('checkout_sessions', isPageId),
        ...(ids.customerIds.length > 0 ? { customers: ids.customerIds } : {}),
      }
      return create(key, (attemptKey) => job('POST', '', { objects, validation_behavior: 'error' }, attemptKey))
    },

    getRedaction: (redactionId: string): Promise<Redaction> => job('GET', `/${redactionId}`),

    /** Runs a job, which cannot be undone. A job that is not `ready` is rejected. */
    runRedaction: (redactionId: string, key: string): Promise<Redaction> =>
      create(key, (attemptKey) => job('POST', `/${redactionId}/run`, {}, attemptKey)),

    cancelRedaction: (redactionId: string, key: string): Promise<Redaction> =>
      create(key, (attemptKey) => job('POST', `/${redactionId}/cancel`, {}, attemptKey)),
  }
}

/** The owner's decision, which receipts show: no operator has to act. */
const notEnabled = (code: string): ProviderFailure =>
  new ProviderFailure('stripe', 'misconfigured', code, { needsOperator: false })

interface RawJob extends StripeReply {
  id: string
  status: string
}

interface RawErrors extends StripeReply {
  data: RawError[]
  has_more: boolean
}

interface RawError {
  id: string
  code: string
  erroring_object?: { id: string } | null
}
