/** The authorisation codes and tokens Apple has given out. */
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

/** developer.apple.com, generate-and-validate-tokens: single use, five minutes */
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

    /** Uses the code up; undefined if it is unknown, used, too old or another client's. */
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

    /** Revokes what the client was given; a token it never had is nothing to revoke. */
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

export type Grants = ReturnType<typeof createGrants>
