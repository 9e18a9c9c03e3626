/** A typed client of the API: its OpenAPI document gives the types of paths, parameters, bodies and problems. */
import type { Client } from 'openapi-fetch'
import type { components, paths } from './schema.d.ts'

export type { components, paths }
export type AmaClient = Client<paths>

export interface ClientOptions {
  /** the API's address without a path: `https://api.example.com` */
  baseUrl: string
  /** a service key, an operator key, or a person's Firebase ID token */
  token: string
}

/**
 * Creates a client. Calls return `{ data }` or `{ error }`, where `error` is an RFC 9457 problem, and throw only when the
 * API does not answer. An operation with an `Idempotency-Key` needs one: a repeated request with the same key is safe.
 */
export declare function createAmaClient(options: ClientOptions): AmaClient
