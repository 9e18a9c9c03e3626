/** One HTTP request over kept connections. Node's `fetch` takes four times the processor time; an order makes five. */
import { request as requestPlain } from 'node:http'
import { request as requestTls } from 'node:https'
import { assertOutsideTransaction } from '../shared/transaction-scope.ts'

export interface HttpRequest {
  method: 'GET' | 'POST'
  url: string | URL
  headers?: Record<string, string>
  body?: string | FormData | URLSearchParams
  /** for everything, the reply's last byte included, milliseconds */
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
/** What Node says of a connection that never came about, so that no byte of the request was sent. */
const neverSent = new Set([noConnection, 'ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'])

/** Answers any status and follows no redirect. @throws what `connectionFault` tells apart */
export function sendRequest(request: HttpRequest): Promise<HttpReply> {
  // Thrown at once, since what the promise rejects with is read as a fault of the network.
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
 * What broke a request, from the error of Node's that says so, ours or inside an SDK's: `timed_out` or its code in lower
 * case, `connection_lost` where it has none, and whether the request may have been sent.
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
