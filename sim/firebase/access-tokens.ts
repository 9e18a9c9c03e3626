/**
 * Google's OAuth token endpoint for service accounts (RFC 7523): it exchanges a signed assertion for a bearer token.
 */
import { createPublicKey, generateKeyPairSync, randomBytes } from 'node:crypto'
import type { Request, Router } from 'express'
import { jwtVerify } from 'jose'
import { rawBody } from '../simulator.ts'

/** The content of a key file from the Google console. `privateKey` is PKCS #8 in PEM. */
export interface ServiceAccount {
  clientEmail: string
  privateKey: string
}

export function newServiceAccount(projectId: string): ServiceAccount {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    clientEmail: `backend@${projectId}.iam.gserviceaccount.com`,
    privateKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

export function createAccessTokens(account: ServiceAccount) {
  const publicKey = createPublicKey(account.privateKey)
  const tokens = new Map<string, { until: number; scopes: string[] }>()
  let issued = 0

  return {
    routes(router: Router): void {
      router.post('/token', async (request, response) => {
        const form = new URLSearchParams(rawBody(request))
        if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
          return void response.status(400).json({ error: 'unsupported_grant_type' })
        }
        let scopes: string[]
        try {
          const { payload } = await jwtVerify(form.get('assertion') ?? '', publicKey, {
            algorithms: ['RS256'],
            issuer: account.clientEmail,
            audience: 'https://oauth2.googleapis.com/token',
            requiredClaims: ['scope', 'exp', 'iat'],
          })
          scopes = String(payload.scope).split(' ')
        } catch {
          return void response.status(400).json({ error: 'invalid_grant', error_description: 'Invalid JWT Signature.' })
        }
        const token = `ya29.${randomBytes(24).toString('base64url')}`
        tokens.set(token, { until: Date.now() + 3_600_000, scopes })
        issued += 1
        response.json({ access_token: token, expires_in: 3599, token_type: 'Bearer' })
      })
    },
    /** Whether a request has a token, and one for what it asks. */
    judge(request: Request): 'right' | 'bare-401' | 'bare-403' {
      const token = tokens.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '')
      if (!token || token.until <= Date.now()) return 'bare-401'
      return token.scopes.includes(scopeOf(request.path)) ? 'right' : 'bare-403'
    },
    issued: () => issued,
    /** Refuses all tokens issued so far. */
    revokeAll: () => tokens.clear(),
    reset() {
      issued = 0
    },
  }
}

/**
 * The narrowest scope that allows a call: firebase.google.com/docs/reference/fcm/rest/v1/projects.messages/send, and
 * docs.cloud.google.com/identity-platform/docs/reference/rest/v1/projects.accounts.
 */
const scopeOf = (path: string): string =>
  `https://www.googleapis.com/auth/${path.endsWith('/messages:send') ? 'firebase.messaging' : 'identitytoolkit'}`
