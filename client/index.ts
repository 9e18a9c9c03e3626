/** The API for programs that call it: paths, parameters, bodies and problems typed by its own OpenAPI document. */
import createFetchClient, { type Client } from 'openapi-fetch'
import type { paths } from './schema.ts'

export type AmaClient = Client<paths>

export interface ClientOptions {
  /** where the API is, without a path: `https://api.example.com` */
  baseUrl: string
  /** a service key, an operator key, or a person's Firebase ID token */
  token: string
}

/**
 * Calls answer `{ data }` or `{ error }`, where `error` is an RFC 9457 problem, and throw only when nothing was answered.
 * Whatever asks for an `Idempotency-Key` has to be given one: repeat a request under the same to repeat it safely.
 */
export function createAmaClient({ baseUrl, token }: ClientOptions): AmaClient {
  return createFetchClient<paths>({ baseUrl, headers: { authorization: `Bearer ${token}` } })
}
