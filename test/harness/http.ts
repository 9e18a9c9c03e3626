/** A client of the API without types of its routes; what a test does not check field by field has a form. */
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { countVerified } from './checks/verified.ts'

export interface Answer {
  status: number
  headers: Headers
  /**
   * `any`: hundreds of places read a field of it, by paths that tests put together. Typed by its path it were the union
   * of the answer and all its problems, which each of these places would have to tell apart.
   */
  // biome-ignore lint/suspicious/noExplicitAny: tests check answers field by field
  body: any
  text: string
}

export interface Request {
  /** sent as JSON; a string is sent unchanged */
  body?: unknown
  /** override the defaults, such as a POST's random Idempotency-Key; null omits a header */
  headers?: Record<string, string | null>
}

export type Caller = ReturnType<typeof createCaller>

/** @param token a key or an ID token; undefined calls without credentials */
export function createCaller(url: string, token?: string) {
  const call = (method: string, path: string, request: Request = {}): Promise<Answer> =>
    send(url, method, path, token, request)
  return {
    token,
    call,
    get: (path: string, headers: Request['headers'] = {}) => call('GET', path, { headers }),
    post: (path: string, body?: unknown, headers: Request['headers'] = {}) => call('POST', path, { body, headers }),
    put: (path: string, body?: unknown, headers: Request['headers'] = {}) => call('PUT', path, { body, headers }),
    patch: (path: string, body?: unknown, headers: Request['headers'] = {}) => call('PATCH', path, { body, headers }),
    delete: (path: string, headers: Request['headers'] = {}) => call('DELETE', path, { headers }),
  }
}

/** The id of an object that was made, in answers of the API and of outside parties. */
export const withId = z.object({ id: z.string() })

/**
 * The body of an answer. @throws with the whole answer when its status is another one
 * @param form the body's; without it a test checks the fields
 */
export function expectStatus(answer: Answer, status: number): Answer['body']
export function expectStatus<Body>(answer: Answer, status: number, form: z.ZodType<Body>): Body
export function expectStatus(answer: Answer, status: number, form: z.ZodType = z.any()): unknown {
  countVerified()
  if (answer.status !== status) throw new Error(`expected ${status}, got ${answer.status}: ${answer.text}`)
  return form.parse(answer.body)
}

async function send(
  url: string,
  method: string,
  path: string,
  token: string | undefined,
  { body, headers = {} }: Request,
): Promise<Answer> {
  const all: Record<string, string | null> = {
    'content-type': body === undefined ? null : 'application/json',
    authorization: token === undefined ? null : `Bearer ${token}`,
    'idempotency-key': method === 'POST' ? randomUUID() : null,
    ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])),
  }
  const response = await fetch(url + path, {
    method,
    headers: Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== null),
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') ?? false
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : undefined }
}
