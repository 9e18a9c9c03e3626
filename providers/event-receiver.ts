/**
 * Sends an event to an endpoint of the app backend, signed by the convention of standardwebhooks.com. Source of what
 * answers mean: spec/standard-webhooks.md, "Operational considerations".
 */
import { isIP } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { Agent, request } from 'undici'
import { assertOutsideTransaction } from '../shared/transaction-scope.ts'
import { connectionFault } from './http-request.ts'
import { createPublicLookup, isPublicAddress, privateAddress } from './public-lookup.ts'

export interface Delivery {
  /** the same each time that the event is sent: the receiver knows by it what it has had */
  id: string
  url: string
  /** JSON */
  body: string
  /** all that are valid now: a receiver accepts a delivery that one of them has signed */
  secrets: readonly string[]
  at: Date
}

/** How a delivery ended: a status of 200 to 299 is its receipt, anything else is none. */
export type DeliveryOutcome =
  | { delivered: true }
  | {
      delivered: false
      /** `http_503`, `timed_out`, `econnrefused`, `private_address`, ... */
      code: string
      /** 410: the endpoint is gone for good */
      gone: boolean
      /** another 4xx: it answers, and does not want this event */
      refused: boolean
      retryAfterMs?: number
    }

/** The convention recommends 15 to 30 seconds. */
const defaultTimeoutMs = 15_000
/** An answer is not read: this much is taken off the wire, so that the connection can be kept. */
const answerBytes = 1_024
/** 4xx that say nothing of the event: timed out, gone, too many */
const notRefusals: readonly number[] = [408, 410, 429]

/**
 * Why events cannot be sent to a URL, or undefined when they can. A name is looked up at each connection, since the
 * owner of the name can point it elsewhere.
 */
export function faultOfUrl(text: string, { internal }: { internal: boolean }): string | undefined {
  if (!URL.canParse(text)) return 'must be a URL'
  const { protocol, hostname, username, password, hash } = new URL(text)
  if (username || password) return 'must not hold a name or a password: deliveries are signed'
  if (hash) return 'must not have a fragment'
  const literal = hostname.replace(/^\[|\]$/g, '')
  if (internal) {
    const isHere = literal === 'localhost' || literal === '::1' || literal.startsWith('127.')
    return protocol === 'https:' || (protocol === 'http:' && isHere) ? undefined : 'must be https'
  }
  if (protocol !== 'https:') return 'must be https'
  if (isIP(literal) && !isPublicAddress(literal)) return 'must be an address of the internet'
  return undefined
}

/** @param options.internal addresses of this machine and its network are allowed: in development and tests only */
export function createEventReceivers(options: { internal: boolean; timeoutMs?: number }) {
  const { timeoutMs = defaultTimeoutMs } = options
  // No limit of connections: endpoints of one host would wait for each other. Batches limit those of each endpoint.
  const agent = new Agent({
    connect: { timeout: timeoutMs, ...(options.internal ? {} : { lookup: createPublicLookup() }) },
  })

  return {
    faultOf: (url: string): string | undefined => faultOfUrl(url, options),

    /** Sends once. It follows no redirect, and never rejects. */
    async deliver({ id, url, body, secrets, at }: Delivery): Promise<DeliveryOutcome> {
      if (faultOfUrl(url, options) !== undefined)
        return { delivered: false, code: privateAddress, gone: false, refused: false }
      assertOutsideTransaction(new URL(url).host)
      const signatures = secrets.map((secret) => new Webhook(secret).sign(id, at, body))
      const signal = AbortSignal.timeout(timeoutMs)
      try {
        const answer = await request(url, {
          dispatcher: agent,
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'user-agent': 'ama-esim-events/1',
            'webhook-id': id,
            'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
            'webhook-signature': signatures.join(' '),
          },
          body,
          signal,
          headersTimeout: timeoutMs,
          bodyTimeout: timeoutMs,
        })
        await answer.body.dump({ limit: answerBytes, signal }).catch(() => undefined)
        return outcomeOf(answer.statusCode, answer.headers['retry-after'])
      } catch (error) {
        return { delivered: false, code: codeOf(error), gone: false, refused: false }
      }
    },

    close: (): Promise<void> => agent.destroy(),
  }
}

function outcomeOf(status: number, retryAfter: string | string[] | undefined): DeliveryOutcome {
  if (status >= 200 && status < 300) return { delivered: true }
  const refused = status >= 400 && status < 500 && !notRefusals.includes(status)
  const pauseMs = typeof retryAfter === 'string' ? pauseOf(retryAfter) : 0
  return {
    delivered: false,
    code: `http_${status}`,
    gone: status === 410,
    refused,
    // A refusal is of one event: it does not make the others wait.
    ...(!refused && pauseMs > 0 && { retryAfterMs: pauseMs }),
  }
}

/** Retry-After has seconds or a date (RFC 9110, sections 10.2.3 and 5.6.7). */
function pauseOf(retryAfter: string): number {
  if (/^\d{1,6}$/.test(retryAfter)) return Number(retryAfter) * 1000
  return /^\w{3}, \d{2} \w{3} \d{4} [\d:]{8} GMT$/.test(retryAfter) ? Date.parse(retryAfter) - Date.now() : 0
}

function codeOf(error: unknown): string {
  const name = error instanceof Error ? error.name : ''
  if (/Timeout/.test(name) || name === 'AbortError') return 'timed_out'
  return connectionFault(error).code
}
