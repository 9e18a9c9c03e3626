/**
 * The algorithms by which the operators' OpenID provider signs: those of its ID tokens are those of its logout tokens
 * (OpenID Connect Back-Channel Logout 1.0, section 2.6, step 3).
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { expect, test } from 'vitest'
import { createOperatorSignIn } from '../../providers/operator-sign-in.ts'
import { portOf } from '../../shared/process/listen.ts'
import { failureOf } from '../providers/failing.ts'

const clientId = 'console'
const clientSecret = 'a-secret-of-the-test-of-the-algorithms'
const claims = { jti: 'one', events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }

/** @param announced what the provider says of its ID tokens */
async function startProvider(algorithm: string, announced: string[] | undefined) {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), use: 'sig', alg: algorithm, kid: 'one' }
  const server = createServer(async (request, response) => {
    const answer = (body: object) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    if (request.url === '/jwks') return answer({ keys: [jwk] })
    if (request.url === '/token')
      return answer({ access_token: 'a', token_type: 'Bearer', id_token: await complete({}).sign(privateKey) })
    return answer({
      issuer,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      ...(announced && { id_token_signing_alg_values_supported: announced }),
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const issuer = `http://127.0.0.1:${portOf(server)}`
  const complete = (more: Record<string, unknown>) =>
    new SignJWT(more)
      .setProtectedHeader({ alg: algorithm, kid: 'one' })
      .setIssuer(issuer)
      .setAudience(clientId)
      .setSubject('somebody')
      .setIssuedAt()
      .setExpirationTime('5m')
  const redirectUrl = 'https://console.example/callback'
  return {
    issuer,
    signIn: createOperatorSignIn({ issuerUrl: issuer, clientId, clientSecret, scope: 'openid', redirectUrl }),
    logoutToken: () => complete(claims).sign(privateKey),
    async stop() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

test.each([
  ['RS256', undefined],
  ['ES256', ['RS256', 'ES256']],
  ['PS256', ['PS256']],
  ['EdDSA', ['EdDSA', 'HS256', 'none']],
])('a provider that signs by %s and announces %o signs operators in, and out', async (algorithm, announced) => {
  const provider = await startProvider(algorithm, announced)
  try {
    expect(await provider.signIn.personNow('r')).toMatchObject({ subject: 'somebody' })
    expect(await provider.signIn.logoutIn(await provider.logoutToken())).toMatchObject({ subject: 'somebody' })
  } finally {
    await provider.stop()
  }
})

test('a logout token is refused by an algorithm that is not announced, without one, and by the secret', async () => {
  const provider = await startProvider('ES256', ['RS256', 'HS256', 'none'])
  try {
    const now = Math.floor(Date.now() / 1000)
    const whole = { ...claims, iss: provider.issuer, aud: clientId, sub: 'somebody', iat: now, exp: now + 60 }
    const bySecret = new SignJWT(whole)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(clientSecret))
    for (const token of [await provider.logoutToken(), await bySecret, new UnsecuredJWT(whole).encode()])
      expect(await failureOf(provider.signIn.logoutIn(token))).toBe('rejected invalid_token')
  } finally {
    await provider.stop()
  }
})
