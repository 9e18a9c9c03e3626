/**
 * P4, push messages go through Apple and Google: push notifications by FCM. Source:
 * firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode
 */
import { getMessaging, type Messaging, type TokenMessage } from 'firebase-admin/messaging'
import { z } from 'zod'
import { reportFailure } from '../call-watch.ts'
import { fcmCodes, legacyFcmCodes, sdkMessagingCodes } from '../codes/firebase.ts'
import { codeFrom, documented, foreign, lookUp, undocumented } from '../codes/meaning.ts'
import { ProviderFailure } from '../failure.ts'
import { jsonOf } from '../provider-call.ts'
import { errorCode, type FirebaseSettings, openFirebase, transportFailure } from './app.ts'
import { type DeadToken, fcmCodeIn, pushTokenStatusOf } from './push-token-status.ts'

export interface Push {
  token: string
  title: string
  body: string
  /** for the app: opaque ids and states, nothing about the person */
  data: Record<string, string>
  /**
   * The same for every attempt at one message, at most 64 bytes (APNs' limit). FCM has no idempotency: a repeated
   * message replaces the first on the screen, and the app finds the key in `data.dedupe_key`.
   */
  collapseKey: string
  platform: 'ios' | 'android'
}

export type PushOutcome = { outcome: 'sent'; messageId: string } | { outcome: 'token_dead'; reason: DeadToken }

const provider = 'fcm'

/** The forms of activation codes, ICCIDs and e-mail addresses, which a push message must not contain. */
const forbidden = [/LPA:/i, /\b1\$[^$\s]+\$/, /\b89\d{16,18}\b/, /\S@\S/]

/** Opens a connection to FCM. It must be closed, since its sockets keep the process alive. */
export function createPush(settings: FirebaseSettings) {
  const firebase = openFirebase(provider, settings)
  const messaging = oneRequestEach(getMessaging(firebase.app), settings.timeoutMs)

  /**
   * The SDK takes every 404 for a dead token and every 403 for another project's, and hides the raw reply. Hence the
   * token is tried again in a dry run, and only an explicit statement of FCM about the token counts.
   */
  async function confirm(token: string, sdkCode: string): Promise<PushOutcome> {
    const url = `https://fcm.googleapis.com/v1/projects/${firebase.projectId}/messages:send`
    const reply = await firebase.post(url, { message: { token }, validate_only: true })
    const verdict = pushTokenStatusOf(reply)
    if (verdict.token === 'dead') return { outcome: 'token_dead', reason: verdict.reason }
    if (verdict.token === 'unknown') throw verdict.failure
    // The token is good: FCM refused the message, or the refusal was temporary.
    if (sdkCode === 'messaging/invalid-argument')
      throw new ProviderFailure(provider, 'rejected', 'invalid_argument', { needsOperator: true })
    throw new ProviderFailure(provider, 'unavailable', 'refusal_not_confirmed')
  }

  return {
    /**
     * Sends one notification by one request.
     * @returns `token_dead` only when FCM says so about the token itself
     * @throws ProviderFailure; after `unknown_outcome` the notification may have been delivered
     */
    async send(push: Push): Promise<PushOutcome> {
      const content = JSON.stringify([push.title, push.body, push.data])
      if (forbidden.some((form) => form.test(content))) {
        throw new ProviderFailure(provider, 'rejected', 'personal_data')
      }
      if (Buffer.byteLength(push.collapseKey) > 64) throw new ProviderFailure(provider, 'rejected', 'long_collapse_key')
      await firebase.authorise()
      try {
        const messageId = await messaging.send(messageOf(push))
        settings.watch?.answered(provider)
        return { outcome: 'sent', messageId }
      } catch (error) {
        const code = errorCode(error)
        const known = lookUp(sdkMessagingCodes, code)
        if (known === 'confirm') return confirm(push.token, code)
        const failure =
          known === 'foreign'
            ? foreign(provider, 401, true)
            : known
              ? documented(provider, known, true)
              : (transportFailure(provider, error) ?? unknownRefusal(error))
        reportFailure(settings.watch, provider, failure)
        throw failure
      }
    },

    close: () => firebase.close(),
  }
}

export type PushSender = ReturnType<typeof createPush>

/** The failure for what the SDK has no code for: it gives the reply only in its message. */
function unknownRefusal(error: unknown): ProviderFailure {
  const message = error instanceof Error ? error.message : ''
  const reply = jsonOf(message.slice(message.indexOf(rawReply) + rawReply.length, message.lastIndexOf('"')))
  const given = refusal.safeParse(reply).data?.error
  if (!given) return new ProviderFailure(provider, 'unknown_outcome', 'unexpected_reply')
  const code = fcmCodeIn(reply) ?? given.status
  const meaning = code === undefined ? undefined : (lookUp(fcmCodes, code) ?? lookUp(legacyFcmCodes, code))
  if (meaning) return documented(provider, meaning, true)
  // FCM has not delivered a message that it refuses with 4xx.
  return undocumented(provider, codeFrom(code, `http_${given.code}`), given.code >= 500)
}

/** The SDK's words before the reply, and a quotation mark behind it. */
const rawReply = 'Raw server response: "'
/** Google's error object: google.rpc.Status */
const refusal = z.object({ error: z.object({ code: z.int(), status: z.string().optional() }) })

interface SdkClient {
  retry?: { maxRetries?: number }
  send(request: object): unknown
}

/**
 * Ends the SDK's own repetitions, for which it has no setting: up to five requests in one call, for minutes, and also
 * after a lost reply, when the push may have been delivered (docs/decisions/0005-mail-at-least-once.md).
 * @param timeoutMs instead of the SDK's own 15 seconds, for which it has no setting either
 * @throws when another version of the SDK keeps its limit elsewhere
 */
function oneRequestEach(messaging: Messaging, timeoutMs: number | undefined): Messaging {
  const handler: { httpClient?: SdkClient } | undefined = Reflect.get(messaging, 'messagingRequestHandler')
  const client = handler?.httpClient
  if (client?.retry?.maxRetries === undefined)
    throw new Error('firebase-admin repeats requests, and its limit is not here')
  client.retry.maxRetries = 0
  if (timeoutMs !== undefined) {
    const { send } = client
    client.send = (request) => send.call(client, { ...request, timeout: timeoutMs })
  }
  return messaging
}

function messageOf({ token, title, body, data, collapseKey, platform }: Push): TokenMessage {
  const message = { token, notification: { title, body }, data: { ...data, dedupe_key: collapseKey } }
  if (platform === 'android') {
    return { ...message, android: { priority: 'high', collapseKey, notification: { tag: collapseKey } } }
  }
  const headers = { 'apns-collapse-id': collapseKey, 'apns-priority': '10' }
  return { ...message, apns: { headers, payload: { aps: { sound: 'default' } } } }
}
