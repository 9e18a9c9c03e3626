/** Security event tokens of Cross-Account Protection (RISC): developers.google.com/identity/protocols/risc */
import { createHash, randomUUID } from 'node:crypto'
import type { Signer } from '../sign-in/signer.ts'
import { WebhookSender } from '../webhooks.ts'

const risc = 'https://schemas.openid.net/secevent/risc/event-type/'
const oauth = 'https://schemas.openid.net/secevent/oauth/event-type/'

const typeUris: Record<string, string> = {
  'sessions-revoked': `${risc}sessions-revoked`,
  'tokens-revoked': `${oauth}tokens-revoked`,
  'token-revoked': `${oauth}token-revoked`,
  'account-disabled': `${risc}account-disabled`,
  'account-enabled': `${risc}account-enabled`,
  'account-credential-change-required': `${risc}account-credential-change-required`,
  verification: `${risc}verification`,
}

/** it ends with a slash, unlike the issuer of ID tokens */
export const riscIssuer = 'https://accounts.google.com/'

export interface SecurityEvent {
  /** the last part of the type's URI, or several */
  type: string | string[]
  sub?: string
  /** of account-disabled: `hijacking` or `bulk-account` */
  reason?: string
  /** of token-revoked */
  refreshToken?: string
  /** of verification */
  state?: string
  forged?: boolean
  /** the event's time, milliseconds; default now */
  at?: number
}

export function createSecurityEvents(signer: Signer, clientIds: string[], url: string | undefined) {
  const sender = new WebhookSender({ retries: 2, retryDelayMs: 200 })
  let endpoint = url

  return {
    sender,
    configure({ url, ...change }: Record<string, unknown>): void {
      if (typeof url === 'string') endpoint = url
      sender.configure(change)
    },

    async notify(event: SecurityEvent): Promise<{ jti: string }> {
      if (!endpoint) throw new Error('no url to notify')
      const target = endpoint
      const jti = randomUUID()
      const events = Object.fromEntries([event.type].flat().map((type) => [uriOf(type), detailsOf(type, event)]))
      const claims = {
        iss: riscIssuer,
        aud: clientIds,
        jti,
        events,
        ...(event.at === undefined ? {} : { iat: Math.floor(event.at / 1000) }),
      }
      const body = await (event.forged ? signer.forge : signer.sign)(claims)
      sender.send(jti, () => ({ url: target, headers: { 'content-type': 'application/secevent+jwt' }, body }))
      return { jti }
    },
  }
}

function uriOf(type: string): string {
  const uri = typeUris[type]
  if (!uri) throw new Error('unknown event type')
  return uri
}

function detailsOf(type: string, { sub, reason, refreshToken = '', state = '' }: SecurityEvent): unknown {
  if (type === 'verification') return { state }
  if (type === 'token-revoked') {
    const once = createHash('sha512').update(refreshToken).digest()
    return {
      subject: {
        subject_type: 'oauth_token',
        token_type: 'refresh_token',
        token_identifier_alg: 'hash_base64_sha512_sha512',
        token: createHash('sha512').update(once).digest('base64'),
      },
    }
  }
  return { subject: { subject_type: 'iss-sub', iss: riscIssuer, sub }, ...(reason ? { reason } : {}) }
}
