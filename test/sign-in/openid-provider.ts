/** A real OpenID provider (panva's certified oidc-provider), whose persons a test names. */

import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import Provider from 'oidc-provider'

export interface TestOpenIdProvider {
  issuer: string
  clientId: string
  clientSecret: string
  /** Lets a client come back to an address, and persons sign in: `claims` by their subjects. */
  serve(redirectUrl: string, claims: ReadonlyMap<string, Record<string, unknown>>): void
  /** answers everything by this status until it is taken back by undefined */
  fail(status: number | undefined): void
  stop(): Promise<void>
}

/** @param host another name of this machine makes the provider another site than the API is */
export async function startOpenIdProvider(host = 'localhost'): Promise<TestOpenIdProvider> {
  let listener: RequestListener | undefined
  let failing: number | undefined
  const server = createServer((request, response) => {
    if (listener && failing === undefined) return listener(request, response)
    response.writeHead(failing ?? 503).end()
  }).listen(0, 'localhost')
  await once(server, 'listening')
  const issuer = `http://${host}:${(server.address() as AddressInfo).port}`
  const clientId = 'console'
  const clientSecret = 'a-secret-of-the-test-of-the-console'
  return {
    issuer,
    clientId,
    clientSecret,
    serve(redirectUrl, claims) {
      const provider = new Provider(issuer, {
        clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUrl] }],
        cookies: { keys: ['the cookies of a test'] },
        claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email'] },
        pkce: { required: () => true },
        findAccount: (_context, id) => ({ accountId: id, claims: () => ({ sub: id, ...claims.get(id) }) }),
      })
      listener = provider.callback()
    },
    fail(status) {
      failing = status
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
