/** Sign-in on the console: an operator key opens a session for a day. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { verifyApiKey } from '../../../db/api-keys.ts'
import { recordSecurityEvent } from '../../../db/security-log.ts'
import { closeSession } from '../../../db/web-sessions.ts'
import type { Limiter } from '../../http/limits.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { endedCookie, secretIn } from '../../sign-in/session-cookie.ts'
import { createWebSignIn } from '../../sign-in/web-sign-in.ts'
import { done } from './console-route.ts'

export function consoleSignInRoutes(api: ApiContext, limiter: Limiter): Route[] {
  const { sql, config } = api
  const signIn = createWebSignIn(api)
  return [
    defineRoute({
      method: 'post',
      path: '/console/sign-in',
      tag: 'console',
      summary: 'Signs an operator in by their key',
      promises: ['R4'],
      callers: ['public'],
      form: true,
      body: z.strictObject({ key: z.string().max(200) }),
      responses: done,
      async handle({ body, ip, requestId }) {
        const key = await verifyApiKey(sql, body.key.trim())
        if (!('refused' in key) && key.kind === 'operator') {
          const cookie = await signIn.openConsole(key.id, { ip, requestId })
          return { status: 303, headers: { Location: '/console', 'Set-Cookie': cookie } }
        }
        await limiter.assertMayFail(ip)
        await limiter.countFailure(ip)
        const reason = 'refused' in key ? `key_${key.refused}` : 'key_of_another_kind'
        api.metrics.authenticationFailures.inc({ reason })
        const event = { kind: 'authentication_failed', actor: 'anonymous', detail: reason, ip, requestId } as const
        await recordSecurityEvent(sql, api, { ...event, at: new Date() })
        throw new Problem('unauthenticated')
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/sign-out',
      tag: 'console',
      summary: 'Ends the session',
      callers: ['console'],
      form: true,
      body: z.strictObject({}),
      responses: done,
      async handle({ header }) {
        const secret = secretIn(header('cookie'), 'console', config.PUBLIC_URL)
        if (secret) await closeSession(sql, secret)
        return {
          status: 303,
          headers: { Location: '/console', 'Set-Cookie': endedCookie('console', config.PUBLIC_URL) },
        }
      },
    }),
  ]
}
