/** P4: push notifications through FCM (external facts: firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode). */
import { getMessaging, type TokenMessage } from 'firebase-admin/messaging'
import { ProviderFailure } from '../failure.ts'
import { errorCode, type FirebaseSettings, openFirebase, transportFailure } from './app.ts'
import { type DeadToken, pushTokenStatusOf } from './push-token-status.ts'

export interface Push {
  token: string
  title: string
  body: string
  /** for the app: opaque ids and states, nothing about the person */
  data: Record<string, string>
  /**
   * The same for every attempt at the same news, at most 64 bytes (APNs' limit): FCM knows no idempotency, so a repeat
   * replaces the first on the screen, and the app finds the key in `data.dedupe_key`
   */
  collapseKey: string
  platform: 'ios' | 'android'
}

export type PushOutcome = { outcome: 'sent'; messageId: string } | { outcome: 'token_dead'; reason: DeadToken }

const provider = 'fcm'

/** answers after which the token may be dead, or FCM may have meant something else entirely */
const perhapsDead = [
  'messaging/registration-token-not-registered',
  'messaging/invalid-registration-token',
  'messaging/invalid-argument',
  'messaging/mismatched-credential',
]

const failures: Record<string, [ProviderFailure['kind'], string]> = {
  'messaging/message-rate-exceeded': ['unavailable', 'quota_exceeded'],
  'messaging/device-message-rate-exceeded': ['unavailable', 'device_rate_exceeded'],
  'messaging/server-unavailable': ['unavailable', 'http_503'],
  'messaging/third-party-auth-error': ['misconfigured', 'third_party_auth_error'],
  'messaging/authentication-error': ['misconfigured', 'unauthenticated'],
  'messaging/payload-size-limit-exceeded': ['rejected', 'payload_too_large'],
  'messaging/internal-error': ['unknown_outcome', 'http_500'],
}

/** Needs no name: activation data, card numbers of eSIMs and addresses all give themselves away by their form. */
const forbidden = [/LPA:/i, /\b1\$[^$\s]+\$/, /\b89\d{16,18}\b/, /\S@\S/]

/** Close it, or its sockets keep the process up. */
export function createPush(settings: FirebaseSettings) {
  const firebase = openFirebase(provider, settings)
  const messaging = getMessaging(firebase.app)

  /**
   * The SDK takes any 404 for a dead token and any 403 for a foreign one, and keeps the raw reply to itself. So the
   * token is tried again, alone and without delivery, and only what FCM then says about it in so many words counts.
   */
  async function confirm(token: string, sdkCode: string): Promise<PushOutcome> {
    const url = `https://fcm.googleapis.com/v1/projects/${firebase.projectId}/messages:send`
    const reply = await firebase.post(url, { message: { token }, validate_only: true })
    const verdict = pushTokenStatusOf(reply)
    if (verdict.token === 'dead') return { outcome: 'token_dead', reason: verdict.reason }
    if (verdict.token === 'unknown') throw new ProviderFailure(provider, verdict.kind, verdict.code, verdict.options)
    // the token is good after all: what was refused is the message, or the refusal has passed
    if (sdkCode === 'messaging/invalid-argument') throw new ProviderFailure(provider, 'rejected', 'invalid_argument')
    throw new ProviderFailure(provider, 'unavailable', 'refusal_not_confirmed')
  }

  return {
    /**
     * Sends one notification. `token_dead` only where FCM says so of the token itself. Otherwise throws
     * ProviderFailure; `unknown_outcome` may have been delivered. The SDK repeats a 503 and a cut connection up to four
     * times by itself, so one call can take over a minute.
     */
    async send(push: Push): Promise<PushOutcome> {
      const told = JSON.stringify([push.title, push.body, push.data])
      if (forbidden.some((form) => form.test(told))) {
        throw new ProviderFailure(provider, 'rejected', 'personal_data')
      }
      if (Buffer.byteLength(push.collapseKey) > 64) throw new ProviderFailure(provider, 'rejected', 'long_collapse_key')
      await firebase.authorise()
      try {
        return { outcome: 'sent', messageId: await messaging.send(messageOf(push)) }
      } catch (error) {
        const code = errorCode(error)
        if (perhapsDead.includes(code)) return confirm(push.token, code)
        const known = failures[code]
        if (known) throw new ProviderFailure(provider, ...known)
        throw transportFailure(provider, error) ?? new ProviderFailure(provider, 'unknown_outcome', 'unexpected_reply')
      }
    },

    close: () => firebase.close(),
  }
}

export type PushSender = ReturnType<typeof createPush>

function messageOf({ token, title, body, data, collapseKey, platform }: Push): TokenMessage {
  const message = { token, notification: { title, body }, data: { ...data, dedupe_key: collapseKey } }
  if (platform === 'android') {
    return { ...message, android: { priority: 'high', collapseKey, notification: { tag: collapseKey } } }
  }
  const headers = { 'apns-collapse-id': collapseKey, 'apns-priority': '10' }
  return { ...message, apns: { headers, payload: { aps: { sound: 'default' } } } }
}
