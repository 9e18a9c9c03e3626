/** One HTTP exchange with an eSIM provider, its faults sorted into what is surely not applied and what perhaps is. */
import type { z } from 'zod'
import { ProviderFailure } from './failure.ts'

export interface ProviderCall {
  provider: string
  method: 'GET' | 'POST'
  url: string
  headers?: Record<string, string>
  body?: string | FormData | URLSearchParams
  timeoutMs: number
  /** whether the call changes something there: only then can its outcome be unknown */
  changes: boolean
}

export interface ProviderReply {
  status: number
  text: string
}

/** Before any byte of the request was sent. */
const NEVER_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
])

/**
 * Answers any status below 500 but 429.
 * @throws ProviderFailure for the rest and for network faults. It has no cause: causes quote URLs and replies.
 */
export async function exchange(call: ProviderCall): Promise<ProviderReply> {
  const { provider, method, url, headers = {}, body } = call
  const unsure = call.changes ? 'unknown_outcome' : 'unavailable'
  let response: Response
  let text: string
  try {
    const signal = AbortSignal.timeout(call.timeoutMs)
    response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal,
      ...(body === undefined ? {} : { body }),
    })
    text = await response.text()
  } catch (error) {
    if (error instanceof Error && error.name === 'TimeoutError') {
      throw new ProviderFailure(provider, unsure, 'timed_out')
    }
    if (NEVER_SENT.has(networkCode(error))) throw new ProviderFailure(provider, 'unavailable', 'unreachable')
    throw new ProviderFailure(provider, unsure, 'connection_lost')
  }
  const { status } = response
  if (status === 429) throw new ProviderFailure(provider, 'unavailable', 'rate_limited', retryAfter(response))
  if (status === 503) throw new ProviderFailure(provider, 'unavailable', 'http_503', retryAfter(response))
  if (status >= 500) throw new ProviderFailure(provider, unsure, `http_${status}`)
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

function networkCode(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause ? String(cause.code) : ''
}

/** Retry-After comes in seconds or as a date. */
function retryAfter(response: Response): { retryAfterMs?: number } {
  const header = response.headers.get('retry-after')
  if (!header) return {}
  const milliseconds = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now()
  return milliseconds > 0 ? { retryAfterMs: milliseconds } : {}
}
