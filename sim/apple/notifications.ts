/** Server-to-server notifications: each is a JWS whose `events` claim is JSON text, not an object. */
import { randomUUID } from 'node:crypto'
import type { Signer } from '../sign-in/signer.ts'
import { WebhookSender } from '../webhooks.ts'
import type { AppleId } from './grants.ts'

/** The current documentation says `account-deleted`; older ones and reports of developers say `account-delete`. */
const types = ['email-disabled', 'email-enabled', 'consent-revoked', 'account-deleted', 'account-delete']

export function createNotifications(signer: Signer, issuer: string, url: string | undefined) {
  // Apple documents no retries and its staff's answers differ: this simulator retries a few times after a short delay.
  const sender = new WebhookSender({ retries: 3, retryDelayMs: 200 })
  let endpoint = url

  return {
    sender,
    configure({ url, ...change }: Record<string, unknown>): void {
      if (typeof url === 'string') endpoint = url
      sender.configure(change)
    },

    /**
     * @param how.forged signs with a key that Apple has not published; `at`: the event's time, milliseconds; `seconds`:
     * sends it in seconds
     */
    async notify(
      type: string,
      appleId: AppleId,
      clientId: string,
      { forged, at, seconds }: { forged: boolean; at: number; seconds: boolean },
    ): Promise<{ jti: string }> {
      if (!types.includes(type)) throw new Error('unknown notification type')
      if (!endpoint) throw new Error('no url to notify')
      const target = endpoint
      const jti = randomUUID()
      const event = {
        type,
        sub: appleId.sub,
        event_time: seconds ? Math.floor(at / 1000) : at,
        ...(type.startsWith('email-') && appleId.email
          ? { email: appleId.email, is_private_email: String(appleId.isPrivateEmail) }
          : {}),
      }
      const claims = { iss: issuer, aud: clientId, jti, events: JSON.stringify(event) }
      const payload = await (forged ? signer.forge : signer.sign)(claims, { expiresInSeconds: 86_400 })
      const body = JSON.stringify({ payload })
      sender.send(jti, () => ({ url: target, headers: { 'content-type': 'application/json' }, body }))
      return { jti }
    },
  }
}
