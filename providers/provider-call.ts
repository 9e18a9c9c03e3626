/** One HTTP exchange with an outside party, its faults sorted into what is surely not applied and what perhaps is. */
import type { z } from 'zod'
import { ProviderFailure } from './failure.ts'
import { connectionFault, type HttpReply, type HttpRequest, sendRequest } from './http-request.ts'

export interface ProviderCall extends HttpRequest {
  provider: string
  /** whether the call changes something there: only then can its outcome be unknown */
  changes: boolean
  /** done twice it costs money: a 503 counts as other 5xx do, since gateways say it of a connection that broke midway */
  costs?: boolean
}

export interface ProviderReply {
  status: number
  text: string
}

/**
 * Answers any status below 500 but redirects and 429.
 * @throws ProviderFailure for the rest and for network faults: `unavailable` (`unreachable`, `rate_limited`, `http_503`),
 * `unknown_outcome` where the call changes something and `unavailable` where not (`timed_out`, `connection_lost`,
 * `http_5xx`), `misconfigured` (`http_3xx`: the party lives elsewhere). It has no cause: causes quote URLs and replies.
 */
export async function callProvider(call: ProviderCall): Promise<ProviderReply> {
  const { provider } = call
  const unsure = call.changes ? 'unknown_outcome' : 'unavailable'
  const reply = await sendRequest(call).catch((error: unknown) => {
    const { code, sent } = connectionFault(error)
    if (!sent) throw new ProviderFailure(provider, 'unavailable', 'unreachable')
    throw new ProviderFailure(provider, unsure, code === 'timed_out' ? code : 'connection_lost')
  })
  const { status, text } = reply
  if (status === 429) throw new ProviderFailure(provider, 'unavailable', 'rate_limited', retryAfter(reply))
  if (status === 503 && !call.costs) throw new ProviderFailure(provider, 'unavailable', 'http_503', retryAfter(reply))
  if (status >= 500) throw new ProviderFailure(provider, unsure, `http_${status}`, retryAfter(reply))
  if (status >= 300 && status < 400) throw new ProviderFailure(provider, 'misconfigured', `http_${status}`)
  return { status, text }
}

/** A reply's content by its schema. @throws ProviderFailure `malformed_reply` */
export function readReply<T>(
  call: Pick<ProviderCall, 'provider' | 'changes'>,
  content: unknown,
  schema: z.ZodType<T>,
): T {
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  throw new ProviderFailure(call.provider, call.changes ? 'unknown_outcome' : 'unavailable', 'malformed_reply')
}

/** undefined for what is not JSON; the parser's own error would quote the text. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Retry-After comes in seconds or as a date. */
function retryAfter(reply: HttpReply): { retryAfterMs?: number } {
  const header = reply.header('retry-after')
  if (!header) return {}
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return milliseconds > 0 ? { retryAfterMs: milliseconds } : {}
}
