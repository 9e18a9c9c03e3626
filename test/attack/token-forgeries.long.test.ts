/**
 * Forged sign-in tokens by each class of error of the token library. The forger can publish keys: what the library
 * throws for the token alone is shown first, then what the API answers. A class that a new version adds fails the test.
 */
import { createServer, type Server } from 'node:http'
import {
  CompactEncrypt,
  CompactSign,
  type CryptoKey,
  createLocalJWKSet,
  errors,
  exportJWK,
  generateKeyPair,
  type JWK,
  type JWTHeaderParameters,
  jwtVerify,
  SignJWT,
} from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { portOf } from '../../shared/process/listen.ts'
import { altered } from '../harness/altered.ts'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'

const projectId = 'ama-esim-forged'
const issuer = `https://securetoken.google.com/${projectId}`
let harness: ApiHarness
let keyServer: Server
/** what the issuer publishes, as text: not every test publishes JSON */
let published = '{"keys":[]}'
let fetches = 0
let firebase: { privateKey: CryptoKey; jwk: JWK }
let second: JWK
let foreignKey: CryptoKey

beforeAll(async () => {
  const made = await generateKeyPair('RS256')
  const other = await generateKeyPair('RS256')
  foreignKey = (await generateKeyPair('RS256')).privateKey
  firebase = { privateKey: made.privateKey, jwk: { ...(await exportJWK(made.publicKey)), ...forSigning, kid: 'one' } }
  second = { ...(await exportJWK(other.publicKey)), ...forSigning, kid: 'two' }
  published = JSON.stringify({ keys: [firebase.jwk, second] })
  keyServer = createServer((_request, response) => {
    fetches += 1
    response.setHeader('content-type', 'application/json').end(published)
  })
  await new Promise<void>((resolve) => void keyServer.listen(0, '127.0.0.1', resolve))
  const port = portOf(keyServer)
  harness = await startApiHarness({
    env: { FIREBASE_PROJECT_ID: projectId, FIREBASE_CERTS_URL: `http://127.0.0.1:${port}/keys` },
  })
})
afterAll(async () => {
  await harness.stop()
  keyServer.close()
})

const forSigning = { use: 'sig', alg: 'RS256' }
const now = (): number => Math.floor(Date.now() / 1000)
const claims = (change: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: issuer,
  aud: projectId,
  sub: 'somebody',
  iat: now(),
  exp: now() + 3_600,
  auth_time: now(),
  firebase: { sign_in_provider: 'password' },
  ...change,
})
const header: JWTHeaderParameters = { alg: 'RS256', kid: 'one' }
const without = (name: string): Record<string, unknown> => {
  const { [name]: _, ...rest } = claims()
  return rest
}
const signed = (payload: Record<string, unknown>, by = firebase.privateKey, head: JWTHeaderParameters = header) =>
  new SignJWT(payload).setProtectedHeader(head).sign(by)
/** A header and claims that nobody signed. */
const unsigned = (head: unknown, payload: unknown = claims(), signature = 'c2lnbmVk'): string =>
  `${[head, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.${signature}`

type Forgery = [what: string, token: () => string | Promise<string>]

/** The forgeries by the class that the library throws. */
const forgeries: Record<string, Forgery[]> = {
  JWTClaimValidationFailed: [
    ['of another issuer', () => signed(claims({ iss: 'https://securetoken.google.com/another' }))],
    ['of an issuer that ends differently', () => signed(claims({ iss: `${issuer}/` }))],
    ['for another audience', () => signed(claims({ aud: 'another' }))],
    ['for a list of other audiences', () => signed(claims({ aud: ['another', `${projectId} `] }))],
    ['without a subject', () => signed(without('sub'))],
    ['without a time of sign-in', () => signed(without('auth_time'))],
    ['without an expiry', () => signed(without('exp'))],
    ['without a time of issue', () => signed(without('iat'))],
    ['that is not valid yet', () => signed(claims({ nbf: now() + 3_600 }))],
    ['whose expiry is text', () => signed(claims({ exp: '9999999999' }))],
    ['whose time of issue is text', () => signed(claims({ iat: 'now' }))],
  ],
  JWTExpired: [
    ['that expired an hour ago', () => signed(claims({ exp: now() - 3_600 }))],
    ['that expired before 1970', () => signed(claims({ exp: -1 }))],
  ],
  JOSEAlgNotAllowed: [
    ['with no algorithm', () => unsigned({ alg: 'none' }, claims(), '')],
    ['with no algorithm in capital letters', () => unsigned({ alg: 'NONE', kid: 'one' })],
    ['with a symmetric algorithm', () => unsigned({ alg: 'HS256', kid: 'one' })],
    [
      'signed symmetrically with the published key as the secret',
      () =>
        new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .sign(new TextEncoder().encode(JSON.stringify(firebase.jwk).padEnd(32, ' '))),
    ],
    ['with another padding', () => unsigned({ alg: 'PS256', kid: 'one' })],
    ['with a longer hash', () => unsigned({ alg: 'RS512', kid: 'one' })],
    ['with an elliptic algorithm', () => unsigned({ alg: 'ES256', kid: 'one' })],
    ['with an algorithm in small letters', () => unsigned({ alg: 'rs256', kid: 'one' })],
  ],
  JOSENotSupported: [
    ['with a critical extension that nobody knows', () => unsigned({ ...header, crit: ['x'], x: 1 })],
    ['with its expiry as a critical extension', () => unsigned({ ...header, crit: ['exp'], exp: 1 })],
  ],
  JWSInvalid: [
    ['of two parts', () => 'a.b'],
    ['of dots', () => '..'],
    [
      'that is encrypted for the issuer',
      async () => {
        const { publicKey } = await generateKeyPair('RSA-OAEP-256')
        return new CompactEncrypt(Buffer.from(JSON.stringify(claims())))
          .setProtectedHeader({ alg: 'RSA-OAEP-256', enc: 'A256GCM' })
          .encrypt(publicKey)
      },
    ],
    ['with a header that is a list', () => unsigned([])],
    ['with a header that is null', () => unsigned(null)],
    ['without an algorithm', () => unsigned({ kid: 'one' })],
    ['with an algorithm that is a number', () => unsigned({ alg: 1, kid: 'one' })],
    ['with a critical extension that is empty', () => unsigned({ ...header, crit: [] })],
    ['with a critical extension that is missing', () => unsigned({ ...header, crit: ['b64'] })],
  ],
  JWTInvalid: [
    ['whose claims are a list', () => compact('[]')],
    ['whose claims are text', () => compact('"claims"')],
    ['whose claims are no JSON', () => compact('{')],
    ['whose claims are empty', () => compact('')],
  ],
  JWKSNoMatchingKey: [
    ['with the name of no key', () => unsigned({ ...header, kid: 'nobody' })],
    ['with a path as the name of its key', () => unsigned({ ...header, kid: '../../dev/null' })],
    ['with the name of a key in other letters', () => unsigned({ ...header, kid: 'ONE' })],
  ],
  JWKSMultipleMatchingKeys: [['without the name of its key', () => unsigned({ alg: 'RS256' })]],
  JWSSignatureVerificationFailed: [
    ['by another key', () => signed(claims(), foreignKey)],
    [
      'with the name of the other published key',
      () => signed(claims(), firebase.privateKey, { ...header, kid: 'two' }),
    ],
    ['with its own key in the header', async () => signed(claims(), foreignKey, await withKey('jwk'))],
    ['with the address of its keys in the header', async () => signed(claims(), foreignKey, await withKey('jku'))],
    ['with its certificate in the header', async () => signed(claims(), foreignKey, await withKey('x5c'))],
    ['with other claims under its signature', async () => swapped(await signed(claims({ sub: 'me' })), claims())],
    ['with an altered signature', async () => otherSignature(await signed(claims()))],
    ['with an empty signature', async () => `${(await signed(claims())).split('.').slice(0, 2).join('.')}.`],
    ['with a signature that is cut', async () => (await signed(claims())).slice(0, -8)],
  ],
}

/** Classes that no token causes, and why; those of published keys are tested below. */
const noForgery: Record<string, string> = {
  JOSEError: 'the base of all classes; thrown itself when the keys are answered by another status than 200',
  JWEDecryptionFailed: 'no token is decrypted: an encrypted one is refused as JWSInvalid',
  JWEInvalid: 'no token is decrypted: an encrypted one is refused as JWSInvalid',
  JWKInvalid: 'of a published key',
  JWKSInvalid: 'of published keys',
  JWKSTimeout: 'our own fetch of the keys ends first (providers/http-request.ts)',
}

const compact = (payload: string): Promise<string> =>
  new CompactSign(new TextEncoder().encode(payload)).setProtectedHeader(header).sign(firebase.privateKey)
const swapped = (token: string, payload: unknown): string => {
  const [head, , signature] = token.split('.')
  return `${head}.${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${signature}`
}
const otherSignature = (token: string): string => {
  const [head, payload, signature = ''] = token.split('.')
  return `${head}.${payload}.${altered(signature)}`
}
async function withKey(parameter: 'jwk' | 'jku' | 'x5c'): Promise<JWTHeaderParameters> {
  const values = { jwk: firebase.jwk, jku: 'https://attacker.example/keys', x5c: ['MIIB'] }
  return { ...header, [parameter]: values[parameter] }
}

const call = (token: string) => harness.call('GET', '/v1/accounts/00000000-0000-4000-8000-000000000001', { token })
async function securityEvents(): Promise<number> {
  const [row] = await harness.api.sql<{ count: number }[]>`select count(*)::int as count from security_log`
  return row?.count ?? Number.NaN
}
const isOpen = (status: number): boolean => status === 403 || status === 200

test('every class of error of the token library has a forgery, or the reason why no token causes it', () => {
  expect([...Object.keys(forgeries), ...Object.keys(noForgery)].sort()).toEqual(Object.keys(errors).sort())
})

test('the token from which the forgeries are made is accepted', async () => {
  expect(isOpen((await call(await signed(claims()))).status)).toBe(true)
})

const all = Object.entries(forgeries).flatMap(([name, tokens]) =>
  tokens.map(([what, token]) => ({ name, what, token })),
)

test.each(all)('a token $what is a counted 401: $name', async ({ name, token }) => {
  const made = await token()
  const keys = createLocalJWKSet(JSON.parse(published))
  const rules = {
    algorithms: ['RS256'],
    issuer,
    audience: projectId,
    requiredClaims: ['exp', 'iat', 'sub', 'auth_time'],
  }
  const thrown: unknown = await jwtVerify(made, keys, rules).catch((error: unknown) => error)
  expect(thrown instanceof Error && thrown.constructor.name).toBe(name)

  const before = await securityEvents()
  const answer = await call(made)
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated'])
  expect(answer.text).not.toContain(made)
  const after = await securityEvents()
  // Every app sends an expired token now and then.
  expect(after - before).toBe(name === 'JWTExpired' ? 0 : 1)
})

test.each<[string, Record<string, unknown>]>([
  ['an empty subject', { sub: '' }],
  ['a subject that is a number', { sub: 7 }],
  ['a subject that is an object', { sub: { toString: 'somebody' } }],
  ['a time of sign-in in the future', { auth_time: 32_503_680_000 }],
  ['a time of sign-in that is null', { auth_time: null }],
  ['a time of sign-in that is text', { auth_time: '1' }],
  ['a time of sign-in that no calendar has', { auth_time: -1e300 }],
])('a token of the issuer with %s is refused', async (_what, change) => {
  const answer = await call(await signed(claims(change)))
  expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated'])
})

test.each<[string, string]>([
  ['no JSON', 'no JSON'],
  ['null', 'null'],
  ['keys that are no list', '{"keys":{}}'],
  ['a key that is broken', JSON.stringify({ keys: [{ kty: 'RSA', kid: 'new', alg: 'RS256', use: 'sig' }] })],
])('while the issuer publishes %s its tokens get a 503 and no one else’s is let in', async (_what, text) => {
  const kept = published
  published = text
  try {
    // Keys that are fetched already would still be used.
    const fresh = await startApiHarness({ env: { ...keysOf(), FIREBASE_PROJECT_ID: projectId } })
    try {
      const before = fetches
      const token = await signed(claims(), firebase.privateKey, { ...header, kid: 'new' })
      const { status } = await fresh.call('GET', '/v1/orders', { token })
      expect(status).toBe(503)
      expect(fetches).toBeGreaterThan(before)
    } finally {
      await fresh.stop()
    }
  } finally {
    published = kept
  }
})

const keysOf = (): Record<string, string> => ({ FIREBASE_CERTS_URL: String(harness.env.FIREBASE_CERTS_URL) })
