/** HTTP requests over kept connections. Node's `fetch` takes four times the processor time, and an order makes five calls. */
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { assertOutsideTransaction } from '../shared/transaction-scope.ts'

export interface HttpRequest {
  method: 'GET' | 'POST'
  url: string | URL
  headers?: Record<string, string>
  body?: string | FormData | URLSearchParams
  /** until the last byte of the reply, in milliseconds */
  timeoutMs: number
}

export interface HttpReply {
  status: number
  text: string
  /** a header, by its name in lower case */
  header(name: string): string | undefined
}

const timedOut = 'timed_out'
const noConnection = 'no_connection'
/** Node's error codes for a connection that was never established, so that no byte of the request was sent. */
const neverSent = new Set([noConnection, 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

/** Sends a request. It resolves with any status and follows no redirect. @throws errors for `connectionFault` */
export function sendRequest(request: HttpRequest): Promise<HttpReply> {
  // Thrown synchronously, since callers take a rejection for a fault of the network.
  assertOutsideTransaction(new URL(request.url).host)
  return send(request)
}

async function send({ method, url, headers, body, timeoutMs }: HttpRequest): Promise<HttpReply> {
  const content = body === undefined ? undefined : await encoded(body)
  const target = new URL(url)
  return new Promise((resolve, reject) => {
    const open = target.protocol === 'https:' ? requestTls : requestPlain
    const request = open(target, { method, headers: { ...content?.headers, ...headers } })
    const timer = setTimeout(() => {
      const code = request.socket?.connecting === false ? timedOut : noConnection
      reject(Object.assign(new Error(code), { code }))
      request.destroy()
    }, timeoutMs)
    request.on('close', () => clearTimeout(timer))
    request.on('error', reject)
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => {
        text += chunk
      })
      response.on('error', reject)
      response.on('end', () => {
        const header = (name: string) => {
          const value = response.headers[name]
          return typeof value === 'string' ? value : undefined
        }
        resolve({ status: response.statusCode ?? 0, text, header })
      })
    })
    request.end(content?.bytes)
  })
}

/**
 * Reads the error of a broken request, ours or one inside an SDK's error.
 * @returns `code`: `timed_out`, Node's code in lower case, or `connection_lost` without one; `sent`: whether the request
 *   may have been sent
 */
export function connectionFault(error: unknown): { code: string; sent: boolean } {
  const given = error !== null && typeof error === 'object' && 'code' in error ? error.code : undefined
  const code = typeof given === 'string' && /^\w{1,64}$/.test(given) ? given : 'connection_lost'
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
