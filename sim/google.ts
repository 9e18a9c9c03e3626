/**
 * A simulator of Google sign-in, token revocation and security events, and of the issuer of Firebase ID tokens.
 *
 * Actions: `sign-in` ({ sub?, email?, emailVerified?, clientId?, nonce?, offline?, expiresInSeconds?, forged?, issuer?
 * } → { sub, idToken, refreshToken? }), `firebase-sign-in` ({ uid?, email?, emailVerified?, provider?,
 * authTimeSecondsAgo?, expiresInSeconds?, projectId?, forged? } → { uid, idToken }), `notify` (see SecurityEvent),
 * `rotate-keys`, `webhooks` ({ url?, drop?, copies?, delayMs?, hold? }), `release` ({ order? }).
 */
import { randomBytes, randomInt } from 'node:crypto'
import type { Router } from 'express'
import { createSecurityEvents, riscIssuer, type SecurityEvent } from './google/security-events.ts'
import { createSigner } from './sign-in/signer.ts'
import { type RunningSimulator, rawBody, startSimulator } from './simulator.ts'
import type { Delivery } from './webhooks.ts'

export interface GoogleOptions {
  port?: number
  /** the app's OAuth client ids; the first is the default of `sign-in` */
  clientIds?: string[]
  /** the Firebase project */
  projectId?: string
  /** the target of security events */
  webhookUrl?: string
}

export interface GoogleState {
  refreshTokens: { token: string; sub: string; revokedAt: string | null }[]
  deliveries: Delivery[]
}

export interface GoogleReplies {
  /** `refreshToken`: of a sign-in with `offline` */
  'sign-in': { sub: string; idToken: string; refreshToken?: string }
  'firebase-sign-in': { uid: string; idToken: string }
  notify: { jti: string }
}

export interface RunningGoogle extends RunningSimulator<GoogleState, GoogleReplies> {
  clientIds: string[]
  projectId: string
  /** the JWK set of Google ID tokens and security events */
  certsUrl: string
  /** the JWK set of Firebase ID tokens */
  firebaseCertsUrl: string
  revokeUrl: string
}

const certsPath = '/oauth2/v3/certs'
const firebaseCertsPath = '/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com'

export async function startGoogle(options: GoogleOptions = {}): Promise<RunningGoogle> {
  const { clientIds = ['1029384756-ama.apps.googleusercontent.com'], projectId = 'ama-esim-sandbox' } = options
  const [google, firebase] = [createSigner('google'), createSigner('securetoken')]
  const events = createSecurityEvents(google, clientIds, options.webhookUrl)
  const refreshTokens = new Map<string, { sub: string; revokedAt: string | null }>()

  const simulator = await startSimulator(
    {
      name: 'google',
      refusal: ({ code, status = 400 }) => ({
        status,
        body: { error: code, error_description: 'Refused by the simulator' },
      }),
      routes,
      state: () => ({
        refreshTokens: [...refreshTokens].map(([token, rest]) => ({ token, ...rest })),
        deliveries: events.sender.deliveries,
      }),
      reset() {
        refreshTokens.clear()
        events.sender.reset()
      },
      actions: {
        'sign-in': signIn,
        'firebase-sign-in': firebaseSignIn,
        notify: (input) => events.notify(eventOf(input)),
        'rotate-keys': () => Promise.all([google.rotate(), firebase.rotate()]).then(() => undefined),
        webhooks: (input) => events.configure(input),
        release: (input) => events.sender.release(input),
      },
    },
    options.port,
  )
  const { url } = simulator
  return {
    ...simulator,
    clientIds,
    projectId,
    certsUrl: url + certsPath,
    firebaseCertsUrl: url + firebaseCertsPath,
    revokeUrl: `${url}/revoke`,
  }

  async function signIn(input: Record<string, unknown>) {
    const { emailVerified = true, clientId = clientIds[0], issuer = 'https://accounts.google.com' } = input
    const sub = typeof input.sub === 'string' ? input.sub : `1${String(randomInt(1e14)).padStart(20, '0')}`
    const claims = {
      iss: issuer,
      azp: clientId,
      aud: clientId,
      sub,
      ...(input.email === undefined ? {} : { email: input.email, email_verified: emailVerified }),
      ...(input.nonce === undefined ? {} : { nonce: input.nonce }),
    }
    const idToken = await (input.forged === true ? google.forge : google.sign)(claims, {
      expiresInSeconds: Number(input.expiresInSeconds ?? 3600),
    })
    if (input.offline !== true) return { sub, idToken }
    const refreshToken = `1//${randomBytes(32).toString('base64url')}`
    refreshTokens.set(refreshToken, { sub, revokedAt: null })
    return { sub, idToken, refreshToken }
  }

  async function firebaseSignIn(input: Record<string, unknown>) {
    const { provider = 'password', projectId: project = projectId } = input
    const uid = typeof input.uid === 'string' ? input.uid : randomBytes(14).toString('base64url')
    const authTime = Math.floor(Date.now() / 1000) - Number(input.authTimeSecondsAgo ?? 0)
    const claims = {
      iss: `https://securetoken.google.com/${project}`,
      aud: project,
      sub: uid,
      user_id: uid,
      auth_time: authTime,
      ...(input.email === undefined ? {} : { email: input.email, email_verified: input.emailVerified !== false }),
      firebase: { identities: {}, sign_in_provider: provider },
    }
    const idToken = await (input.forged === true ? firebase.forge : firebase.sign)(claims, {
      expiresInSeconds: Number(input.expiresInSeconds ?? 3600),
    })
    return { uid, idToken }
  }

  function routes(router: Router): void {
    router.get(certsPath, async (_request, response) => void response.json(await google.jwks()))
    router.get(firebaseCertsPath, async (_request, response) => void response.json(await firebase.jwks()))
    router.get('/.well-known/risc-configuration', (_request, response) => {
      response.json({ issuer: riscIssuer, jwks_uri: simulator.url + certsPath })
    })
    router.post('/revoke', (request, response) => {
      const token = new URLSearchParams(rawBody(request)).get('token') ?? ''
      const found = refreshTokens.get(token)
      if (!found || found.revokedAt) {
        return void response.status(400).json({ error: 'invalid_token', error_description: 'Token expired or revoked' })
      }
      found.revokedAt = new Date().toISOString()
      response.json({})
    })
  }
}

function eventOf({ type, forged, at, ...about }: Record<string, unknown>): SecurityEvent {
  const text = (name: string): Record<string, string> =>
    about[name] === undefined ? {} : { [name]: String(about[name]) }
  return {
    type: Array.isArray(type) ? type.map(String) : String(type),
    forged: forged === true,
    ...(at === undefined ? {} : { at: Number(at) }),
    ...text('sub'),
    ...text('reason'),
    ...text('refreshToken'),
    ...text('state'),
  }
}
