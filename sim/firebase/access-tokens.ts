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
  const validUntil = new Map<string, number>()
  let issued = 0

  return {
    routes(router: Router): void {
      router.post('/token', async (request, response) => {
        const form = new URLSearchParams(rawBody(request))
        if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
          return void response.status(400).json({ error: 'unsupported_grant_type' })
        }
        try {
          await jwtVerify(form.get('assertion') ?? '', publicKey, {
            algorithms: ['RS256'],
            issuer: account.clientEmail,
            audience: 'https://oauth2.googleapis.com/token',
            requiredClaims: ['scope', 'exp', 'iat'],
          })
        } catch {
          return void response.status(400).json({ error: 'invalid_grant', error_description: 'Invalid JWT Signature.' })
        }
        const token = `ya29.${randomBytes(24).toString('base64url')}`
        validUntil.set(token, Date.now() + 3_600_000)
        issued += 1
        response.json({ access_token: token, expires_in: 3599, token_type: 'Bearer' })
      })
    },
    accepts: (request: Request): boolean =>
      (validUntil.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '') ?? 0) > Date.now(),
    issued: () => issued,
    /** Refuses all tokens issued so far. */
    revokeAll: () => validUntil.clear(),
    reset() {
      issued = 0
    },
  }
}
