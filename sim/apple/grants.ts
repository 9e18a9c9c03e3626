/** The authorisation codes and tokens that Apple has issued. */
import { randomBytes } from 'node:crypto'

export interface AppleId {
  sub: string
  email: string | undefined
  isPrivateEmail: boolean
}

interface Code {
  appleId: AppleId
  clientId: string
  nonce: string | undefined
  expiresAt: number
  used: boolean
}

export interface Grant {
  at: string
  sub: string
  clientId: string
  refreshToken: string
  accessToken: string
  revokedAt: string | null
}

/** a code can be used once within five minutes: developer.apple.com, generate-and-validate-tokens */
const codeLifetimeMs = 5 * 60_000

export function createGrants() {
  const codes = new Map<string, Code>()
  let grants: Grant[] = []

  return {
    newCode(appleId: AppleId, clientId: string, nonce: string | undefined, ageSeconds = 0): string {
      const code = `c${randomBytes(24).toString('hex')}.0.test`
      const expiresAt = Date.now() + codeLifetimeMs - ageSeconds * 1000
      codes.set(code, { appleId, clientId, nonce, expiresAt, used: false })
      return code
    },

    /** Redeems a code. @returns undefined if it is unknown, used, too old or of another client */
    redeem(code: string, clientId: string): { grant: Grant; appleId: AppleId; nonce: string | undefined } | undefined {
      const found = codes.get(code)
      if (!found || found.used || found.expiresAt < Date.now() || found.clientId !== clientId) return undefined
      found.used = true
      const grant: Grant = {
        at: new Date().toISOString(),
        sub: found.appleId.sub,
        clientId,
        refreshToken: `r${randomBytes(24).toString('hex')}.0.test`,
        accessToken: `a${randomBytes(24).toString('hex')}.0.test`,
        revokedAt: null,
      }
      grants.push(grant)
      return { grant, appleId: found.appleId, nonce: found.nonce }
    },

    /** A new access token of a grant that is not revoked. @returns undefined for any other refresh token */
    refresh(token: string, clientId: string): Grant | undefined {
      const grant = grants.find(
        ({ refreshToken, clientId: owner, revokedAt }) =>
          refreshToken === token && owner === clientId && revokedAt === null,
      )
      if (grant) grant.accessToken = `a${randomBytes(24).toString('hex')}.0.test`
      return grant
    },

    /** Revokes a client's grant by one of its tokens; a token of another client changes nothing. */
    revoke(token: string, clientId: string): void {
      const grant = grants.find(
        (candidate) =>
          candidate.clientId === clientId && (candidate.refreshToken === token || candidate.accessToken === token),
      )
      if (grant) grant.revokedAt ??= new Date().toISOString()
    },

    all: (): Grant[] => grants,
    reset() {
      codes.clear()
      grants = []
    },
  }
}
