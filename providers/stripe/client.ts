/** Stripe's SDK, and the only way to call it: every fault becomes a ProviderFailure. */
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import Stripe from 'stripe'
import { assertOutsideTransaction } from '../../shared/transaction-scope.ts'
import { type CallWatch, watched } from '../call-watch.ts'
import { ProviderFailure, type ProviderFailureKind } from '../failure.ts'
import { connectionFault, limitReplies } from '../http-request.ts'

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

type Reply = {
  object: string
  lastResponse: { statusCode: number; headers: Record<string, string>; requestId: string }
}

export type StripeClient = ReturnType<typeof createStripeClient>

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
    httpAgent: limitReplies(new (protocol === 'http' ? HttpAgent : HttpsAgent)({ keepAlive: true })),
  })

  /** Calls Stripe. @throws ProviderFailure, without any text of Stripe */
  async function call<T extends Reply>(effect: Effect, request: () => Promise<T>): Promise<T> {
    assertOutsideTransaction('Stripe')
    return watched(settings.watch, 'stripe', send(effect, request))
  }

  async function send<T extends Reply>(effect: Effect, request: () => Promise<T>): Promise<T> {
    const reply = await request().catch((error: unknown) => {
      throw toFailure(error, effect)
    })
    // The SDK only checks for an `error` field: it would take a proxy's bare 503 for an object.
    const { statusCode: status, headers, requestId } = reply.lastResponse
    if (status >= 400) {
      const { kind, code, retryAfterMs } = failureOfStatus({ status, headers, requestId, code: undefined }, effect)
      // A refusal without Stripe's words is not Stripe's.
      throw new ProviderFailure('stripe', kind === 'rejected' ? doubtful(effect) : kind, code, {
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      })
    }
    if (typeof reply.object !== 'string') throw failure(doubtful(effect), 'invalid_reply')
    return reply
  }

  /**
   * Creates an object under an idempotency key. Stripe repeats the first answer to a key for 24 hours, even a 500. Then the
   * next key is derived from the spent one, always in the same order, after `find` has checked whether it took effect.
   */
  async function create<T>(
    key: string,
    attempt: (key: string) => Promise<T>,
    find?: () => Promise<T | undefined>,
  ): Promise<T> {
    for (const suffix of ['', ':again', ':again2']) {
      try {
        return await attempt(`${key}${suffix}`)
      } catch (error) {
        if (!(error instanceof ProviderFailure && error.code === replayedFault)) throw error
        const found = await find?.()
        if (found !== undefined) return found
      }
    }
    throw failure('unknown_outcome', replayedFault)
  }

  return { sdk, call, create }
}

const replayedFault = 'replayed_server_error'

/** Refusals that only an operator can clear. */
const operatorCodes = [
  'api_key_expired',
  'balance_insufficient',
  'livemode_mismatch',
  'platform_api_key_expired',
  'secret_key_required',
  'testmode_charges_only',
]

function toFailure(error: unknown, effect: Effect): unknown {
  if (!(error instanceof Stripe.errors.StripeError)) return error
  if (error instanceof Stripe.errors.StripeConnectionError) {
    const { code, sent } = connectionFault(error.detail)
    // The SDK retries after a lost connection: an earlier attempt may have reached Stripe.
    const perhaps = sent || error.message.includes('retried')
    return failure(perhaps ? doubtful(effect) : 'unavailable', code)
  }
  const { statusCode: status, headers, requestId, rawType } = error
  const code = error.code ?? (rawType === 'idempotency_error' ? rawType : undefined)
  if (status === undefined) return failure(doubtful(effect), 'invalid_reply', { requestId })
  return failureOfStatus({ status, headers: headers ?? {}, requestId, code }, effect)
}

interface Refused {
  status: number
  headers: Record<string, string>
  requestId: string | undefined
  code: string | undefined
}

function failureOfStatus({ status, headers, requestId, code: given }: Refused, effect: Effect): ProviderFailure {
  const code = given && /^[a-z0-9_]{1,64}$/.test(given) ? given : `http_${status}`
  const details = { requestId, retryAfterSeconds: Number(headers['retry-after']) }
  if (status === 409 || status === 429 || code === 'rate_limit') return failure('unavailable', code, details)
  if (status >= 500) {
    const replayed = headers['idempotent-replayed'] === 'true'
    return failure(doubtful(effect), replayed ? replayedFault : `http_${status}`, details)
  }
  const kind = status === 401 || status === 403 || operatorCodes.includes(code) ? 'misconfigured' : 'rejected'
  return failure(kind, code, details)
}

const doubtful = (effect: Effect): ProviderFailureKind => (effect === 'writes' ? 'unknown_outcome' : 'unavailable')

function failure(
  kind: ProviderFailureKind,
  code: string,
  details: { requestId?: string | undefined; retryAfterSeconds?: number } = {},
): ProviderFailure {
  const { requestId, retryAfterSeconds } = details
  return new ProviderFailure('stripe', kind, code, {
    ...(retryAfterSeconds ? { retryAfterMs: retryAfterSeconds * 1000 } : {}),
    // Stripe's support finds the request by this id. The SDK's error is left out, since it contains Stripe's texts.
    ...(requestId && /^\w{1,64}$/.test(requestId) ? { cause: new Error(`Stripe request ${requestId}`) } : {}),
  })
}
