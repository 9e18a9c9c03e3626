/** Each call to the operators' OpenID provider, and a provider that says to everybody what it was asked to say. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import type { Context } from '../../../../context.ts'
import { portOf } from '../../../../shared/process/listen.ts'
import type { Call } from './call.ts'

const clientId = 'console'
const logoutEvent = 'http://schemas.openid.net/event/backchannel-logout'

/** It answers under any name: its issuer is the name by which it was asked. */
export async function startOpenId() {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true })
  const { kty, n, e } = await exportJWK(privateKey)
  const jwks = { keys: [{ kty, n, e, use: 'sig', alg: 'RS256', kid: 'one' }] }
  /** the nonce of each sign-in, by its code */
  const nonces = new Map<string, string>()
  const tokenOf = (issuer: string, claims: Record<string, unknown>): Promise<string> =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .setIssuer(issuer)
      .setAudience(clientId)
      .setSubject('somebody')
      .setIssuedAt()
      .setExpirationTime('5m')
      .sign(privateKey)

  const server = createServer(async (request, response) => {
    const issuer = `https://${request.headers.host}`
    const answer = (body: object) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    let body = ''
    for await (const chunk of request) body += chunk
    if (request.url === '/jwks') return answer(jwks)
    if (request.url === '/token') {
      const nonce = nonces.get(new URLSearchParams(body).get('code') ?? '')
      const id_token = await tokenOf(issuer, nonce === undefined ? {} : { nonce })
      return answer({ access_token: randomUUID(), token_type: 'Bearer', expires_in: 60, id_token })
    }
    return answer({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  const signInOf = ({ operatorSignIn }: Context) => {
    if (!operatorSignIn) throw new Error('these ports have no OpenID provider')
    return operatorSignIn
  }
  const attempt = () => ({ state: randomUUID(), nonce: randomUUID(), verifier: 'v'.repeat(43) })
  /** What is not the provider's own answer refuses the sign-in, and the operator begins again. */
  const shared = { keeps: true, refusedBy: ['answers 404', 'malformed'] } as const
  const calls = {
    addressFor: { ...shared, arrange: async () => ({ attempt: (ports) => signInOf(ports).addressFor(attempt()) }) },
    personOf: {
      ...shared,
      // What the provider says of itself, the tokens for the code, and the keys.
      requests: 3,
      async arrange() {
        const signIn = attempt()
        const code = randomUUID()
        nonces.set(code, signIn.nonce)
        return {
          attempt: async (ports) => {
            const { subject } = await signInOf(ports).personOf({ code, state: signIn.state }, signIn)
            if (subject !== 'somebody') throw new Error('it is somebody else')
          },
        }
      },
    },
    personNow: {
      ...shared,
      requests: 3,
      arrange: async () => ({ attempt: (ports) => signInOf(ports).personNow(randomUUID()) }),
    },
    logoutIn: {
      ...shared,
      requests: 2,
      arrange: async () => ({
        async attempt(ports) {
          const issuer = ports.config.OPERATOR_OPENID_ISSUER_URL ?? ''
          const jti = randomUUID()
          await signInOf(ports).logoutIn(await tokenOf(issuer, { jti, events: { [logoutEvent]: {} } }))
        },
      }),
    },
  } satisfies Record<string, Call>

  return {
    url: `http://127.0.0.1:${portOf(server)}`,
    calls,
    async stop(): Promise<void> {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
