/** A typed client of the API; index.d.ts has its types. */
import createFetchClient from 'openapi-fetch'

export function createAmaClient({ baseUrl, token }) {
  return createFetchClient({ baseUrl, headers: { authorization: `Bearer ${token}` } })
}
