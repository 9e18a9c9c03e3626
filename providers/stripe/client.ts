/** Stripe's SDK, and the only way to call it: every fault becomes a ProviderFailure. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import Stripe from 'stripe'
import { assertOutsideTransaction } from '../../shared/transaction-scope.ts'
import { type CallWatch, watched } from '../call-watch.ts'
import {
  codeFrom,
  documented,
  foreign,
  isForeign,
  isListed,
  lookUp,
  undocumented,
  type ValueMeaning,
} from '../codes/meaning.ts'
import { stripeCodes, stripeDeclineCodes, stripeErrorTypes } from '../codes/stripe.ts'
import { ProviderFailure, type ProviderFailureKind, withinLimits } from '../failure.ts'
import { connectionFault, guardRequests } from '../http-request.ts'
import { waitAskedFor } from '../sent-time.ts'

export interface StripeSettings {
  secretKey: string
  webhookSecret: string
  publishableKey: string
  /** default `https://api.stripe.com`; only scheme, host and port are used */
  apiBase?: string | undefined
  /**
   * The API version of an account with access to the redaction preview: `2026-04-22.preview` or later. Without it
   * redaction fails as misconfigured.
   */
  redactionApiVersion?: string | undefined
  /** for each request, in milliseconds; default 10 s */
  timeoutMs?: number | undefined
  watch?: CallWatch | undefined
}

/** A lost reply to a call that writes leaves an unknown outcome. */
export type Effect = 'reads' | 'writes'

export interface StripeReply {
  object: string
  lastResponse: { statusCode: number; headers: Record<string, string>; requestId: string }
}

export type StripeClient = ReturnType<typeof createStripeClient>

/** The SDK with our limits, and calls that report to the watch and sort their failures. */
export function createStripeClient(settings: StripeSettings) {
  const base = new URL(settings.apiBase ?? 'https://api.stripe.com')
  const protocol = base.protocol === 'http:' ? 'http' : 'https'
  const sdk = new Stripe(settings.secretKey, {
    protocol,
    host: base.hostname,
    port: base.port || (protocol === 'http' ? 80 : 443),
    // Temporal retries with the same key; retries of the SDK would multiply the attempts.
    maxNetworkRetries: 0,
    timeout: settings.timeoutMs ?? 10_000,
    telemetry: false,
    httpAgent: guardRequests(new (protocol === 'http' ? HttpAgent : HttpsAgent)({ keepAlive: true })),
  })

  /** Calls Stripe. @throws ProviderFailure, without any text of Stripe */
  async function call<T extends StripeReply>(effect: Effect, request: () => Promise<T>): Promise<T> {
    assertOutsideTransaction('Stripe')
    const ask = () => watched(settings.watch, 'stripe', send(effect, request))
    return effect === 'reads' ? withinLimits(ask) : ask()
  }

  async function send<T extends StripeReply>(effect: Effect, request: () => Promise<T>): Promise<T> {
    const reply = await request().catch((error: unknown) => {
      throw toFailure(error, effect)
    })
    // The SDK only checks for an `error` field: it would take a proxy's bare 503 for an object.
    const { statusCode: status, headers, requestId } = reply.lastResponse
    if (status >= 400) {
      // A refusal without Stripe's words is not Stripe's.
      if (isForeign(status, false)) throw foreign('stripe', status, effect === 'writes', detailsOf(requestId))
      throw failureOfStatus({ status, headers, requestId, code: undefined, type: undefined }, effect)
    }
    if (typeof reply.object !== 'string') throw failure(doubtful(effect), 'invalid_reply')
    return reply
  }

  /**
   * Creates or changes an object under an idempotency key. Stripe repeats the first answer to a key for 24 hours or
   * longer, even a 500 or a refusal: that of a refund, though its dispute has been won since. Then the next key is
   * derived from the spent one, always in the same order, after `find` has checked whether a 500 took effect.
   */
  async function create<T>(
    key: string,
    attempt: (key: string) => Promise<T>,
    find?: () => Promise<T | undefined>,
  ): Promise<T> {
    let last: ProviderFailure | undefined
    for (const suffix of suffixes) {
      try {
        return await attempt(`${key}${suffix}`)
      } catch (error) {
        if (!(error instanceof ProviderFailure && replays.has(error))) throw error
        last = error
        const found = error.kind === 'rejected' ? undefined : await find?.()
        if (found !== undefined) return found
      }
    }
    throw last
  }

  /** A status of Stripe's as its table has it. One that no table has counts as `otherwise`, and operators see it. */
  function statusIn<Status extends string>(
    what: string,
    table: Readonly<Record<Status, unknown>>,
    given: string | null,
    otherwise: NoInfer<Status>,
  ): Status {
    if (given !== null && isListed(table, given)) return given
    if (given !== null) settings.watch?.unlisted?.('stripe', `${what}_${codeFrom(given, 'unreadable')}`)
    return otherwise
  }

  /**
   * Shows operators what Stripe waits for: a reason that its table leaves to them, or that no table has.
   * @param what precedes the reason in the code that operators see
   */
  function noteReason(what: string, table: Readonly<Record<string, ValueMeaning>>, reason: string): void {
    if (lookUp(table, reason)?.acts !== 'nobody')
      settings.watch?.unlisted?.('stripe', `${what}_${codeFrom(reason, 'unreadable')}`)
  }

  return { sdk, call, create, statusIn, noteReason }
}

/** Answers that Stripe has kept under a key: each is that to an earlier request, and another key may get another one. */
const replays = new WeakSet<ProviderFailure>()
/**
 * Each attempt of an activity spends one key at most. With the longest waits between them (`retry.money`) these are
 * spent by an outage of four hours; three were by one of seven seconds.
 */
const suffixes = ['', ':again', ...Array.from({ length: 30 }, (_, index) => `:again${index + 2}`)]
const replayedFault = 'replayed_server_error'

function toFailure(error: unknown, effect: Effect): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error
  if (error instanceof Stripe.errors.StripeConnectionError) {
    const { code, sent } = connectionFault(error.detail)
    // The SDK retries after a lost connection: an earlier attempt may have reached Stripe.
    const perhaps = sent || error.message.includes('retried')
    return failure(perhaps ? doubtful(effect) : 'unavailable', code)
  }
  const { statusCode: status, headers, requestId, rawType: type, code } = error
  if (status === undefined) return failure(doubtful(effect), 'invalid_reply', requestId)
  return failureOfStatus({ status, headers: headers ?? {}, requestId, code, type }, effect)
}

interface Refused {
  status: number
  headers: Record<string, string>
  requestId: string | undefined
  code: string | undefined
  type: string | undefined
}

function failureOfStatus(refused: Refused, effect: Effect): ProviderFailure {
  const isReplay = refused.headers['idempotent-replayed'] === 'true'
  const failed = meaningOf(refused, isReplay, effect)
  if (isReplay) replays.add(failed)
  return failed
}

function meaningOf(
  { status, headers, requestId, code: given, type }: Refused,
  isReplay: boolean,
  effect: Effect,
): ProviderFailure {
  const hasCode = Boolean(given)
  const changes = effect === 'writes'
  const bare = `http_${status}`
  const details = { ...detailsOf(requestId), ...waitAskedFor(headers['retry-after']) }
  if (status >= 500) return new ProviderFailure('stripe', doubtful(effect), isReplay ? replayedFault : bare, details)
  const code = codeFrom(given, bare)
  const listed = lookUp(stripeCodes, code) ?? lookUp(stripeDeclineCodes, code)
  if (listed) return documented('stripe', listed, changes, details)
  if (status === 401 || status === 403) return new ProviderFailure('stripe', 'misconfigured', code, details)
  // Nothing was applied: too many requests, or another request with the same key is under way.
  if (status === 409 || status === 429)
    return new ProviderFailure('stripe', 'unavailable', code, { ...details, needsOperator: hasCode })
  const ofType = hasCode || type === undefined ? undefined : lookUp(stripeErrorTypes, type)
  if (ofType)
    return documented('stripe', { ...ofType, code: type === 'idempotency_error' ? type : bare }, changes, details)
  return undocumented('stripe', hasCode ? code : codeFrom(type, bare), changes, details)
}

const doubtful = (effect: Effect): ProviderFailureKind => (effect === 'writes' ? 'unknown_outcome' : 'unavailable')

const failure = (kind: ProviderFailureKind, code: string, requestId?: string): ProviderFailure =>
  new ProviderFailure('stripe', kind, code, detailsOf(requestId))

/** Stripe's support finds the request by its id. The SDK's error is left out, since it contains Stripe's texts. */
const detailsOf = (requestId: string | undefined): { cause?: Error } =>
  requestId && /^\w{1,64}$/.test(requestId) ? { cause: new Error(`Stripe request ${requestId}`) } : {}
