/**
 * HTTP requests over kept connections. Node's `fetch` takes four times the processor time, and an order makes five
 * calls.
 */
import type { ClientRequest, Agent as HttpAgent } from 'node:http'
import type { Socket } from 'node:net'
import { Agent, type Dispatcher } from 'undici'
import { textPropertyOf } from '../shared/keys-of.ts'
import { assertOutsideTransaction } from '../shared/transaction-scope.ts'

export interface HttpRequest {
  method: 'GET' | 'POST'
  url: string | URL
  headers?: Record<string, string>
  body?: string | FormData | URLSearchParams
  /** until the last byte of the reply, in milliseconds */
  timeoutMs: number
  /** the longest reply that is read; default 4 MiB */
  maxReplyBytes?: number
}

export interface HttpReply {
  status: number
  text: string
  /** a header, by its name in lower case */
  header(name: string): string | undefined
}

/** A reply is read whole: six of 100 MB each took 2 GB. */
const defaultMaxReplyBytes = 4 * 1024 ** 2

export const timedOut = 'timed_out'
export const replyTooLarge = 'reply_too_large'
export const badCertificate = 'bad_certificate'
const noConnection = 'no_connection'
/**
 * Node's error codes for a certificate that is not accepted: nodejs.org/api/tls.html, "X509 certificate error codes".
 * TLS sends no byte of the request before it has accepted the certificate.
 */
const certificateCodes =
  /^(?:CERT_|CRL_|UNABLE_TO_|ERROR_IN_C|SELF_SIGNED_CERT|DEPTH_ZERO_SELF|INVALID_(?:CA|PURPOSE)$|PATH_LENGTH_|HOSTNAME_MISMATCH$|ERR_TLS_CERT_ALTNAME)/
/** Error codes for a connection that was never established, so that no byte of the request was sent. */
const neverSent = new Set([
  noConnection,
  badCertificate,
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
])

/** Each request has a time limit of its own instead of undici's. */
const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0 })

/** Sends a request. It resolves with any status and follows no redirect. @throws errors for `connectionFault` */
export function sendRequest(request: HttpRequest): Promise<HttpReply> {
  // Thrown synchronously, since callers take a rejection for a fault of the network.
  assertOutsideTransaction(new URL(request.url).host)
  return send(request)
}

async function send(request: HttpRequest): Promise<HttpReply> {
  const { method, headers, body, timeoutMs, maxReplyBytes = defaultMaxReplyBytes } = request
  const content = body === undefined ? undefined : await encoded(body)
  const { origin, pathname, search } = new URL(request.url)
  return new Promise((resolve, reject) => {
    let controller: Dispatcher.DispatchController | undefined
    let hasEnded = false
    let status = 0
    let replyHeaders: Record<string, string | string[] | undefined> = {}
    const chunks: Buffer[] = []
    let size = 0

    const end = (): void => {
      hasEnded = true
      clearTimeout(timer)
    }
    const fail = (error: Error): void => {
      if (hasEnded) return
      end()
      // Undici names a controller once it writes to an established connection.
      reject(controller ? error : coded(connectionFault(error).code === badCertificate ? badCertificate : noConnection))
      controller?.abort(error)
    }
    const timer = setTimeout(() => fail(coded(timedOut)), timeoutMs)

    // `dispatch` instead of `request`, which does not tell whether a request that failed was begun.
    agent.dispatch(
      {
        origin,
        path: pathname + search,
        method,
        headers: { ...content?.headers, ...headers },
        body: content?.bytes ?? null,
      },
      {
        onRequestStart(started) {
          controller = started
          if (hasEnded) started.abort(coded(noConnection))
        },
        onResponseStart(_controller, statusCode, received) {
          status = statusCode
          replyHeaders = received
        },
        onResponseData(_controller, chunk) {
          size += chunk.length
          if (size > maxReplyBytes) fail(coded(replyTooLarge))
          else chunks.push(chunk)
        },
        onResponseEnd() {
          if (hasEnded) return
          end()
          const header = (name: string) => {
            const value = replyHeaders[name]
            return typeof value === 'string' ? value : undefined
          }
          resolve({ status, text: Buffer.concat(chunks).toString(), header })
        },
        onResponseError: (_controller, error) => fail(error),
      },
    )
  })
}

const coded = (code: string): Error => Object.assign(new Error(code), { code })

/**
 * For an SDK that sends requests through this agent: ends replies of more than `defaultMaxReplyBytes`, which the SDK
 * would read whole, and gives a request that failed before its connection was there the code `no_connection`, since
 * Node's code for a cut TLS handshake is that for a lost reply. @returns the same agent
 */
export function guardRequests<Kind extends HttpAgent>(kept: Kind): Kind {
  // Node calls `addRequest` for each request of an agent; it is what packages of agents override.
  const agent: object = kept
  const addRequest: AddRequest = Reflect.get(agent, 'addRequest')
  const guarded: AddRequest = (request, ...rest) => {
    request.prependListener('error', (error: NodeJS.ErrnoException) => {
      if (isConnecting(request.socket) && connectionFault(error).sent) error.code = noConnection
    })
    request.once('response', (reply) => {
      let size = 0
      const { push } = reply
      // A listener for the data would start the flow before the SDK listens.
      reply.push = (chunk: Buffer | null, encoding) => {
        size += chunk?.length ?? 0
        if (size <= defaultMaxReplyBytes) return push.call(reply, chunk, encoding)
        reply.destroy(coded(replyTooLarge))
        return false
      }
    })
    addRequest.call(kept, request, ...rest)
  }
  return Object.assign(kept, { addRequest: guarded })
}

/** Node documents `connecting`; a TLS socket says `secureConnecting` until its handshake is done. */
const isConnecting = (socket: (Socket & { secureConnecting?: boolean }) | null): boolean =>
  socket !== null && (socket.connecting || socket.secureConnecting === true)

type AddRequest = (request: ClientRequest, ...rest: unknown[]) => void

/**
 * Reads the error of a broken request, ours or one inside an SDK's error.
 * @returns `code`: `timed_out`, `reply_too_large`, `bad_certificate`, Node's code in lower case, or `connection_lost`
 *   without one; `sent`: whether the request may have been sent
 */
export function connectionFault(error: unknown): { code: string; sent: boolean } {
  const given = textPropertyOf(error, 'code')
  const known = given !== undefined && /^\w{1,64}$/.test(given) ? given : 'connection_lost'
  const code = certificateCodes.test(known) ? badCertificate : known
  return { code: code.toLowerCase(), sent: !neverSent.has(code) }
}

async function encoded(body: string | FormData | URLSearchParams) {
  if (typeof body === 'string') return { bytes: body, headers: {} }
  const form = new Response(body)
  return {
    bytes: Buffer.from(await form.arrayBuffer()),
    headers: { 'content-type': form.headers.get('content-type') ?? '' },
  }
}
