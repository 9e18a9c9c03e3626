/**
 * A simulator of Sign in with Apple (appleid.apple.com): keys, code exchange, revocation, server-to-server
 * notifications.
 *
 * Actions: `sign-in` ({ sub?, email?, emailVerified?, private?, clientId?, nonce?, ageSeconds?, expiresInSeconds?,
 * forged?, issuer?, booleans?: 'text' | 'boolean' } → { sub, idToken, code }), `notify` ({ type, sub?, clientId?,
 * forged?, at?, seconds? } → { jti }), `rotate-keys`, `webhooks` ({ url?, drop?, copies?, delayMs?, hold? }), `release`
 * ({ order? }).
 */
import { createPublicKey, generateKeyPairSync, randomInt, randomUUID } from 'node:crypto'
import type { Request, Response, Router } from 'express'
import { decodeProtectedHeader, jwtVerify } from 'jose'
import { type AppleId, createGrants, type Grant } from './apple/grants.ts'
import { createNotifications } from './apple/notifications.ts'
import { createSigner } from './sign-in/signer.ts'
import { type RunningSimulator, rawBody, startSimulator } from './simulator.ts'
import type { Delivery } from './webhooks.ts'

export interface AppleOptions {
  port?: number
  teamId?: string
  keyId?: string
  /** the team's bundle ids and services ids; the first is the default of `sign-in` */
  clientIds?: string[]
  /** the key registered with Apple, PKCS #8 in PEM (P-256); by default a new one is made and returned */
  privateKeyPem?: string
  /** the target of notifications */
  webhookUrl?: string
}

export interface AppleState {
  grants: Grant[]
  deliveries: Delivery[]
}

export interface AppleReplies {
  'sign-in': { sub: string; idToken: string; code: string }
  notify: { jti: string }
}

export interface RunningApple extends RunningSimulator<AppleState, AppleReplies> {
  teamId: string
  keyId: string
  clientIds: string[]
  privateKeyPem: string
}

const issuer = 'https://appleid.apple.com'
/** at most six months: developer.apple.com, creating-a-client-secret */
const longestSecretSeconds = 15_777_000

export async function startApple(options: AppleOptions = {}): Promise<RunningApple> {
  const { teamId = 'TEAM123456', keyId = 'KEY1234567', clientIds = ['app.ama-esim.ios', 'app.ama-esim.web'] } = options
  const privateKeyPem = options.privateKeyPem ?? newKey()
  const publicKey = createPublicKey(privateKeyPem)
  const signer = createSigner('apple')
  const grants = createGrants()
  const notifications = createNotifications(signer, issuer, options.webhookUrl)
  const people = new Map<string, AppleId>()

  const simulator = await startSimulator(
    {
      name: 'apple',
      refusal: ({ code, status = 400 }) => ({ status, body: { error: code } }),
      routes,
      state: () => ({ grants: grants.all(), deliveries: notifications.sender.deliveries }),
      reset() {
        grants.reset()
        people.clear()
        notifications.sender.reset()
      },
      actions: {
        'sign-in': signIn,
        notify: ({ type, sub, clientId = clientIds[0], forged, at, seconds }) =>
          notifications.notify(String(type), personOf(sub), String(clientId), {
            forged: forged === true,
            at: Number(at ?? Date.now()),
            seconds: seconds === true,
          }),
        'rotate-keys': () => signer.rotate(),
        webhooks: (input) => notifications.configure(input),
        release: (input) => notifications.sender.release(input),
      },
    },
    options.port,
  )
  return { ...simulator, teamId, keyId, clientIds, privateKeyPem }

  function personOf(sub: unknown): AppleId {
    const id = typeof sub === 'string' ? sub : newSub()
    const known = people.get(id) ?? { sub: id, email: undefined, isPrivateEmail: false }
    people.set(id, known)
    return known
  }

  async function signIn(input: Record<string, unknown>) {
    const person = personOf(input.sub)
    if (input.private === true) {
      // The domain of new ones: developer.apple.com/news, 15 June 2026.
      person.email ??= `${randomUUID().slice(0, 10)}@private.icloud.com`
      person.isPrivateEmail = true
    }
    if (typeof input.email === 'string') person.email = input.email
    const clientId = typeof input.clientId === 'string' ? input.clientId : (clientIds[0] ?? '')
    const nonce = typeof input.nonce === 'string' ? input.nonce : undefined
    return {
      sub: person.sub,
      idToken: await idToken(person, clientId, nonce, input),
      code: grants.newCode(person, clientId, nonce, Number(input.ageSeconds ?? 0)),
    }
  }

  function idToken(person: AppleId, clientId: string, nonce: string | undefined, input: Record<string, unknown> = {}) {
    // Apple sends these two claims as booleans or as text.
    const truth = (value: boolean) => (input.booleans === 'boolean' ? value : String(value))
    const claims = {
      iss: input.issuer ?? issuer,
      aud: clientId,
      sub: person.sub,
      auth_time: Math.floor(Date.now() / 1000),
      nonce_supported: true,
      ...(nonce === undefined ? {} : { nonce }),
      ...(person.email
        ? {
            email: person.email,
            email_verified: truth(input.emailVerified !== false),
            is_private_email: truth(person.isPrivateEmail),
          }
        : {}),
    }
    const expiresInSeconds = Number(input.expiresInSeconds ?? 86_400)
    return (input.forged === true ? signer.forge : signer.sign)(claims, { expiresInSeconds })
  }

  function routes(router: Router): void {
    router.get('/auth/keys', async (_request, response) => void response.json(await signer.jwks()))
    router.post('/auth/token', async (request, response) => {
      const form = await authenticated(request, response)
      if (!form) return
      const clientId = form.get('client_id') ?? ''
      if (form.get('grant_type') === 'refresh_token') {
        const grant = grants.refresh(form.get('refresh_token') ?? '', clientId)
        if (!grant) return refuse(response, 'invalid_grant')
        const { accessToken: access_token, sub } = grant
        const id_token = await idToken(personOf(sub), clientId, undefined)
        return void response.json({ access_token, token_type: 'Bearer', expires_in: 3600, id_token })
      }
      if (form.get('grant_type') !== 'authorization_code') return refuse(response, 'unsupported_grant_type')
      const redeemed = grants.redeem(form.get('code') ?? '', clientId)
      if (!redeemed) return refuse(response, 'invalid_grant')
      response.json({
        access_token: redeemed.grant.accessToken,
        token_type: 'Bearer',
        expires_in: 3600,
        refresh_token: redeemed.grant.refreshToken,
        id_token: await idToken(redeemed.appleId, clientId, redeemed.nonce),
      })
    })
    router.post('/auth/revoke', async (request, response) => {
      const form = await authenticated(request, response)
      if (!form) return
      const token = form.get('token')
      if (!token) return refuse(response, 'invalid_request')
      grants.revoke(token, form.get('client_id') ?? '')
      // Apple answers 200 also for a token that is unknown or already revoked.
      response.status(200).end()
    })
  }

  async function authenticated(request: Request, response: Response): Promise<URLSearchParams | undefined> {
    const form = new URLSearchParams(rawBody(request))
    const clientId = form.get('client_id') ?? ''
    try {
      const secret = form.get('client_secret') ?? ''
      if (!clientIds.includes(clientId) || decodeProtectedHeader(secret).kid !== keyId)
        throw new Error('unknown client')
      const { payload } = await jwtVerify(secret, publicKey, {
        algorithms: ['ES256'],
        issuer: teamId,
        subject: clientId,
        audience: issuer,
        requiredClaims: ['iat', 'exp'],
      })
      if (Number(payload.exp) - Number(payload.iat) > longestSecretSeconds) throw new Error('valid for too long')
      return form
    } catch {
      refuse(response, 'invalid_client')
      return undefined
    }
  }
}

function refuse(response: Response, error: string): void {
  response.status(400).json({ error })
}

const newKey = (): string =>
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()

const newSub = (): string =>
  `00${randomInt(1000, 9999)}.${randomUUID().replaceAll('-', '')}.${String(randomInt(10_000)).padStart(4, '0')}`
