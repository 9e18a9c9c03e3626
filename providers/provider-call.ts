/** HTTP calls to outside parties, whose faults are certainly not applied or have an unknown outcome. */
import type { z } from 'zod'
import { type CallWatch, watched } from './call-watch.ts'
import { foreign, isForeign } from './codes/meaning.ts'
import { isProviderFailure, ProviderFailure } from './failure.ts'
import {
  badCertificate,
  connectionFault,
  type HttpRequest,
  replyTooLarge,
  sendRequest,
  timedOut,
} from './http-request.ts'
import { waitAskedFor } from './sent-time.ts'

export interface ProviderCall extends HttpRequest {
  provider: string
  /** whether the call changes something: only then can its outcome be unknown */
  changes: boolean
  /** a repetition would cost money: a 503 is then an unknown outcome, since gateways also answer it after forwarding */
  costs?: boolean
  /** whether the text of a refusal is the party's own; without it all are */
  isTheirs?: (text: string) => boolean
  watch?: CallWatch | undefined
}

export interface ProviderReply {
  status: number
  text: string
}

/**
 * Calls an outside party. It resolves with any status below 500 except redirects, 429, and a 401, 403 or 404 that is
 * not the party's.
 * @throws ProviderFailure for other statuses and network faults: `unavailable` (`unreachable`, `bad_certificate`,
 * `rate_limited`, `http_503`); `unknown_outcome` for a call that changes something, else `unavailable` (`timed_out`,
 * `reply_too_large`, `connection_lost`, `http_5xx`); `misconfigured` (`http_3xx`); `foreign_http_4xx` as in
 * codes/meaning.ts. The failure has no cause, since causes quote URLs and replies
 */
export async function callProvider(call: ProviderCall): Promise<ProviderReply> {
  return watched(call.watch, call.provider, send(call))
}

async function send(call: ProviderCall): Promise<ProviderReply> {
  const { provider } = call
  const unsure = call.changes ? 'unknown_outcome' : 'unavailable'
  const reply = await sendRequest(call).catch((error: unknown) => {
    const { code, sent } = connectionFault(error)
    // Theirs has expired, or our list of authorities is old: it does not go away by itself.
    if (code === badCertificate) throw new ProviderFailure(provider, 'unavailable', code, { needsOperator: true })
    if (!sent) throw new ProviderFailure(provider, 'unavailable', 'unreachable')
    throw new ProviderFailure(provider, unsure, code === timedOut || code === replyTooLarge ? code : 'connection_lost')
  })
  const { status, text } = reply
  const wait = waitAskedFor(reply.header('retry-after'))
  if (status === 429) throw new ProviderFailure(provider, 'unavailable', 'rate_limited', wait)
  if (status === 503 && !call.costs) throw new ProviderFailure(provider, 'unavailable', 'http_503', wait)
  if (status >= 500) throw new ProviderFailure(provider, unsure, `http_${status}`, wait)
  if (status >= 300 && status < 400) throw new ProviderFailure(provider, 'misconfigured', `http_${status}`)
  if (isForeign(status, call.isTheirs?.(text) ?? true)) throw foreign(provider, status, call.changes)
  return { status, text }
}

/** A catalogue has thousands of packages, each with its countries and networks. */
export const maxCatalogueBytes = 32 * 1024 ** 2

/** Reads a reply by its schema. @throws ProviderFailure `malformed_reply` */
export function readReply<T>(
  call: Pick<ProviderCall, 'provider' | 'changes'>,
  content: unknown,
  schema: z.ZodType<T>,
): T {
  const parsed = schema.safeParse(content)
  if (parsed.success) return parsed.data
  throw new ProviderFailure(call.provider, call.changes ? 'unknown_outcome' : 'unavailable', 'malformed_reply')
}

/** The readable ones of a list. @param onUnreadable is called with each other one */
export function readEach<T>(
  list: readonly unknown[],
  schema: z.ZodType<T>,
  onUnreadable: (entry: unknown) => void,
): T[] {
  return list.flatMap((each) => {
    const parsed = schema.safeParse(each)
    if (parsed.success) return [parsed.data]
    onUnreadable(each)
    return []
  })
}

/** Whether an entry that cannot be read has this code somewhere: it may be the one that is sought. */
export const mentions = (entry: unknown, code: string): boolean =>
  JSON.stringify([entry]).includes(JSON.stringify(code))

/** Translates the entries of a list by a function that fails with a ProviderFailure. @param onUnreadable as above */
export function translateEach<Entry, Result>(
  entries: readonly Entry[],
  translate: (entry: Entry) => readonly Result[],
  onUnreadable: (entry: Entry) => void,
): Result[] {
  return entries.flatMap((entry) => {
    try {
      return translate(entry)
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      onUnreadable(entry)
      return []
    }
  })
}

/**
 * Checks the reply to a call that has nothing to say: no text, or an empty object.
 * @throws ProviderFailure `malformed_reply` for another text, such as the page of a proxy
 */
export function checkEmpty(provider: string, text: string): void {
  if (!/^\s*(?:\{\s*\}\s*)?$/.test(text)) throw new ProviderFailure(provider, 'unknown_outcome', 'malformed_reply')
}

/**
 * Parses JSON; undefined for other text. The parser's error would quote the text. PostgreSQL takes no NUL and no half
 * of a surrogate pair: one in the name of one package would keep all others from being stored.
 */
export function jsonOf(text: string): unknown {
  try {
    return mayBeUnstorable.test(text) ? JSON.parse(text, storable) : JSON.parse(text)
  } catch {
    return undefined
  }
}

/** The escapes of NUL and of surrogates; JSON has no bare NUL, and UTF-8 no bare surrogate. */
const mayBeUnstorable = /\\u(?:0000|[dD][89a-fA-F])/

const storable = (_name: string, value: unknown): unknown =>
  typeof value === 'string' ? value.replaceAll('\0', '\ufffd').replaceAll(/\p{Cs}/gu, '\ufffd') : value
