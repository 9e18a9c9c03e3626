/** Webhooks of Apple, Google and the OpenID provider about the people who sign in with them. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { endLoggedOut } from '../../../db/operator/openid-sessions.ts'
import { recordSecurityEvent } from '../../../db/security-log.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import { plusMs } from '../../../shared/calendar.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { createSignInEvents } from '../../runs/sign-in-events.ts'
import type { WebhookInbox } from '../../runs/webhook-inbox.ts'

const appleBody = z.object({ payload: z.string().min(1).max(16_384) })

/** In bytes. The body is a signed token, so that nothing can be verified before it is read. */
const maxBytes = 32 * 1024
/** How far the clocks may differ. */
const clockToleranceMs = 10_000

export function signInWebhookRoutes(api: ApiContext, inbox: WebhookInbox): Route[] {
  const { apple, google, operatorSignIn } = api
  const signInEvents = createSignInEvents(api)

  return [
    defineRoute({
      method: 'post',
      path: '/v1/webhooks/apple',
      tag: 'webhooks',
      summary: 'Notifications from Apple about people who sign in with it',
      promises: ['C6', 'G3'],
      callers: ['public'],
      rawBody: { mediaType: 'application/json', maxBytes },
      unlimited: true,
      responses: { 200: { description: 'Received', schema: z.object({ received: z.boolean() }) } },
      problems: ['webhook_refused'],
      async handle({ raw }) {
        const notification = await verified(() => apple.parseNotification(payloadOf(raw)))
        await inbox.handle({ source: 'apple', eventId: notification.eventId }, () =>
          signInEvents.fromApple(notification),
        )
        return { status: 200, body: { received: true } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/webhooks/google',
      tag: 'webhooks',
      summary: 'Security events from Google (Cross-Account Protection)',
      promises: ['U5', 'C6'],
      callers: ['public'],
      rawBody: { mediaType: 'application/secevent+jwt', maxBytes },
      unlimited: true,
      responses: { 202: { description: 'Received' } },
      problems: ['webhook_refused'],
      async handle({ raw }) {
        const event = await verified(() => google.parseSecurityEvent(raw.toString('utf8').trim()))
        await inbox.handle({ source: 'google', eventId: event.eventId }, () => signInEvents.fromGoogle(event))
        return { status: 202 }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/webhooks/openid',
      tag: 'webhooks',
      summary: 'Logout tokens from the OpenID provider, for operators (OpenID Connect Back-Channel Logout 1.0)',
      promises: ['R4'],
      callers: ['public'],
      rawBody: { mediaType: 'application/x-www-form-urlencoded', maxBytes },
      unlimited: true,
      responses: { 200: { description: 'The sessions are ended' } },
      problems: ['webhook_refused', 'not_found'],
      async handle({ raw, ip, requestId }) {
        if (!operatorSignIn) throw new Problem('not_found')
        const tokens = new URLSearchParams(raw.toString('utf8')).getAll('logout_token')
        const logout = await verified(() => operatorSignIn.logoutIn(tokens.length === 1 ? String(tokens[0]) : ''))
        const { issuer, tokenId, at } = logout
        await inbox.handle({ source: 'openid', eventId: `${issuer} ${tokenId}` }, async () => {
          const ended = await endLoggedOut(api, { ...logout, until: plusMs(at, clockToleranceMs) })
          for (const operatorId of new Set(ended)) {
            const event = { kind: 'operator_action', actor: `operator:${operatorId}` } as const
            const detail = 'console sign-out at the OpenID provider'
            await recordSecurityEvent(api.sql, api, { ...event, detail, ip, requestId, at: new Date() })
          }
          return 'handled'
        })
        return { status: 200 }
      },
    }),
  ]
}

function payloadOf(raw: Buffer): string {
  try {
    return appleBody.parse(JSON.parse(raw.toString('utf8'))).payload
  } catch {
    throw new Problem('webhook_refused', { detail: 'Reason: malformed_webhook' })
  }
}

/** When the sender's public keys cannot be fetched, the error stays an outage, after which the sender tries again. */
async function verified<Event>(parse: () => Promise<Event>): Promise<Event> {
  try {
    return await parse()
  } catch (error) {
    if (isProviderFailure(error) && error.kind === 'rejected')
      throw new Problem('webhook_refused', { detail: `Reason: ${error.code}` })
    throw error
  }
}
