/** A real OpenID provider (panva's certified oidc-provider), whose persons a test names. */

import { once } from 'node:events'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { type CryptoKey, exportJWK, generateKeyPair } from 'jose'
import Provider from 'oidc-provider'
import { portOf } from '../../shared/process/listen.ts'
import type { Fault } from '../../sim/simulator.ts'

export interface TestOpenIdProvider {
  issuer: string
  clientId: string
  clientSecret: string
  /** with which it signs its tokens */
  signingKey: CryptoKey
  /**
   * Lets a client come back to an address, and persons sign in: `claims` by their subjects. Who has none any more was
   * removed.
   * @param more.logoutUrl where it tells the client that a person has signed out
   */
  serve(
    redirectUrl: string,
    claims: ReadonlyMap<string, Record<string, unknown>>,
    more?: { refreshTokens?: boolean; logoutUrl?: string },
  ): void
  /** answers everything by this status until it is taken back by undefined */
  fail(status: number | undefined): void
  /**
   * Lets the next requests to a path fail, one fault after the other. @returns a function that takes back what is left
   */
  failNext(path: string, faults: readonly Fault[]): () => void
  stop(): Promise<void>
}

/** The settings with which an API trusts a provider. @param roles as OPERATOR_OPENID_ROLES */
export const trusting = (
  { issuer, clientId, clientSecret }: TestOpenIdProvider,
  roles = 'esim-admins=admin,service-desk=support',
) => ({
  OPERATOR_OPENID_ISSUER_URL: issuer,
  OPERATOR_OPENID_CLIENT_ID: clientId,
  OPERATOR_OPENID_CLIENT_SECRET: clientSecret,
  OPERATOR_OPENID_ROLES_CLAIM: 'groups',
  OPERATOR_OPENID_ROLES: roles,
})

/** @param host another name of this machine makes the provider another site than the API is */
export async function startOpenIdProvider(host = 'localhost'): Promise<TestOpenIdProvider> {
  let listener: RequestListener | undefined
  let failing: number | undefined
  const planted = new Map<string, Fault[]>()
  const server = createServer(async (request, response) => {
    const path = request.url?.replace(/\?.*/, '') ?? ''
    const isAnswered = await breakOff(planted.get(path)?.shift() ?? {}, response)
    if (isAnswered) return
    if (listener && failing === undefined) return listener(request, response)
    response.writeHead(failing ?? 503).end()
  }).listen(0, 'localhost')
  await once(server, 'listening')
  const issuer = `http://${host}:${portOf(server)}`
  const clientId = 'console'
  const clientSecret = 'a-secret-of-the-test-of-the-console'
  const { privateKey: signingKey } = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(signingKey)), use: 'sig', alg: 'RS256', kid: 'one' }
  return {
    issuer,
    clientId,
    clientSecret,
    signingKey,
    serve(redirectUrl, claims, { refreshTokens = false, logoutUrl } = {}) {
      const provider = new Provider(issuer, {
        clients: [
          {
            client_id: clientId,
            client_secret: clientSecret,
            redirect_uris: [redirectUrl],
            grant_types: ['authorization_code', ...(refreshTokens ? ['refresh_token'] : [])],
            ...(logoutUrl && { backchannel_logout_uri: logoutUrl, backchannel_logout_session_required: true }),
          },
        ],
        jwks: { keys: [jwk] },
        features: { backchannelLogout: { enabled: logoutUrl !== undefined } },
        issueRefreshToken: () => refreshTokens,
        // Its guard against addresses of private networks refuses this machine.
        fetch: (url, { method, headers, body, signal } = {}) =>
          fetch(url, {
            ...(method && { method }),
            ...(headers && { headers }),
            ...(body && { body }),
            ...(signal && { signal }),
          }),
        // Each works once, so that two who ask at the same time would end the session.
        rotateRefreshToken: () => true,
        cookies: { keys: ['the cookies of a test'] },
        claims: { openid: ['sub'], profile: ['name', 'groups'], email: ['email'] },
        pkce: { required: () => true },
        findAccount: (_context, id) =>
          claims.has(id) ? { accountId: id, claims: () => ({ sub: id, ...claims.get(id) }) } : undefined,
      })
      listener = provider.callback()
    },
    fail(status) {
      failing = status
    },
    failNext(path, faults) {
      planted.set(path, [...faults])
      return () => planted.delete(path)
    },
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** @returns whether the fault has answered the request, or cut its connection */
async function breakOff(
  { delayMs = 0, cut, status, headers, body }: Fault,
  response: ServerResponse,
): Promise<boolean> {
  if (delayMs > 0) await pause(delayMs)
  if (cut === 'before') return Boolean(response.socket?.destroy())
  if (cut === 'after') {
    Object.assign(response, {
      end: () => {
        response.socket?.destroy()
        return response
      },
    })
  }
  if (status === undefined) return false
  response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body ?? {}))
  return true
}
