/** Airalo's refusals, and the format of its requests and times. */
import { createHmac } from 'node:crypto'
import type { Request } from 'express'
import { jsonFields } from '../fields.ts'
import { rawBody } from '../simulator.ts'

const REASONS: Record<number, string> = {
  11: 'Insufficient Airalo Credit',
  13: 'The requested operator is currently undergoing maintenance. Please try again later.',
  14: 'Invalid checksum',
  23: 'The requested top-up has been disabled by the operator.',
  33: 'Insufficient stock of eSIMs remaining. Please try your request again later.',
  34: 'The requested eSIM package is invalid or it is currently out of stock. Please try again later.',
  43: 'Bad request. Please check your input and try again.',
  53: "Something unexpected happened. We're working to resolve the issue. Please try again later.",
  73: 'The eSIM has been recycled. It can no longer be used or topped up.',
}

/** An answer that is not a success; any code below a route can throw it. */
export class Refusal extends Error {
  readonly status: number
  readonly body: unknown
  readonly headers: Record<string, string>
  constructor(status: number, body: unknown, headers: Record<string, string> = {}) {
    super(`${status}`)
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** 422 with a business code. */
export const refused = (code: number): Refusal => new Refusal(422, { code, reason: REASONS[code] ?? 'Unknown' })

/** 422 with the faults of the form's fields. */
export const invalid = (fields: Record<string, string>): Refusal =>
  new Refusal(422, { data: fields, meta: { message: 'the parameter is invalid' } })

export const notFound = (): Refusal => new Refusal(404, { data: [], meta: { message: 'messages.resource_not_found' } })

export const unauthenticated = (): Refusal =>
  new Refusal(401, { data: [], meta: { message: 'This action is unauthorized.' } })

const tooMany = (seconds: number): Refusal =>
  new Refusal(429, { message: 'Too Many Attempts.' }, { 'Retry-After': String(seconds) })

/**
 * The fields of a form or of a JSON object, with every value of a repeated field (`x[]`). The documentation shows
 * forms, the vendor's client libraries send JSON.
 */
export async function formFields(request: Request): Promise<Map<string, string[]>> {
  const type = request.get('content-type') ?? ''
  const fields = new Map<string, string[]>()
  if (isJson(request)) {
    for (const [name, value] of Object.entries(jsonBody(request))) {
      if (Array.isArray(value)) fields.set(`${name}[]`, value.map(String))
      else if (value !== null) fields.set(name, [String(value)])
    }
    return fields
  }
  if (!/multipart\/form-data|x-www-form-urlencoded/.test(type)) return fields
  let form: FormData
  try {
    form = await new Response(rawBody(request), { headers: { 'content-type': type } }).formData()
  } catch {
    throw refused(43)
  }
  for (const [name, value] of form) fields.set(name, [...(fields.get(name) ?? []), String(value)])
  return fields
}

const isJson = (request: Request): boolean => /application\/json/.test(request.get('content-type') ?? '')

function jsonBody(request: Request): Record<string, unknown> {
  const fields = jsonFields(request)
  if (!fields) throw refused(43)
  return fields
}

/** The vendor's SDKs sign their requests: a signature is optional, but a wrong one is refused. */
export function checkSignature(request: Request, fields: Map<string, string[]>, secret: string): void {
  const shown = request.get('airalo-signature')
  if (shown === undefined) return
  const payload = isJson(request)
    ? jsonBody(request)
    : Object.fromEntries([...fields].map(([name, values]) => [name, values[0]]))
  if (shown !== sign(JSON.stringify(payload).replaceAll('/', '\\/'), secret)) throw refused(14)
}

export const sign = (text: string, secret: string): string => createHmac('sha512', secret).update(text).digest('hex')

/** `YYYY-MM-DD HH:mm:ss`, UTC. */
export const apiTime = (milliseconds: number): string =>
  new Date(milliseconds).toISOString().slice(0, 19).replace('T', ' ')

/** Limits the requests of each key within a sliding window of one minute of real time. */
export function createLimiter() {
  const windowMs = 60_000
  const seen = new Map<string, number[]>()
  return {
    /** @throws Refusal (429) when the key exceeds its limit */
    take(key: string, limit: number | undefined): void {
      if (limit === undefined) return
      const now = Date.now()
      const recent = (seen.get(key) ?? []).filter((at) => now - at < windowMs)
      if (recent.length >= limit) throw tooMany(Math.ceil((windowMs - (now - (recent[0] ?? now))) / 1000))
      seen.set(key, [...recent, now])
    },
    reset: () => seen.clear(),
  }
}
