/** A person ends their sessions in other browsers, or all their sign-ins; the page of their data lists the sessions. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { recordSecurityEvent } from '../../../db/security-log.ts'
import { endAllSignIns } from '../../../db/sign-in-events.ts'
import { endOtherSessions } from '../../../db/web-sessions.ts'
import { defineRoute, elsewhere, html, type Route } from '../../http/route.ts'
import { noticeCookie } from '../../sign-in/notice-cookie.ts'
import { signOutHeaders } from '../../sign-in/session-cookie.ts'
import { sessionToEnd } from '../../views/session-fields.ts'

export function sessionRoutes(api: ApiContext): Route[] {
  const { sql, config } = api

  return [
    defineRoute({
      method: 'post',
      path: '/account/sessions/end',
      tag: 'pages',
      summary: "Ends one of a person's other sessions, or all of them",
      promises: ['R4'],
      callers: ['visitor'],
      freshSignIn: true,
      form: true,
      body: sessionToEnd,
      responses: {
        303: elsewhere,
        200: html,
      },
      async handle({ caller, body: { session } }) {
        await endOtherSessions(sql, caller.sessionId, session)
        const cookie = noticeCookie('sessions_ended', config.PUBLIC_URL)
        return { status: 303, headers: { Location: '/account/data', 'Set-Cookie': cookie } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/account/sessions/end-everywhere',
      tag: 'pages',
      summary: 'Ends all sign-ins of a person, those of the app and the own session as well',
      promises: ['R4'],
      callers: ['visitor'],
      freshSignIn: true,
      form: true,
      body: z.strictObject({}),
      responses: {
        303: elsewhere,
        200: html,
      },
      async handle({ caller: { accountId }, ip, requestId }) {
        const at = new Date()
        await endAllSignIns(sql, accountId, at)
        await recordSecurityEvent(sql, api, { kind: 'signed_out', actor: 'person', accountId, ip, requestId, at })
        const { 'Set-Cookie': ended, ...forgotten } = signOutHeaders('visitor', config.PUBLIC_URL)
        const cookies = [ended, noticeCookie('signed_out_everywhere', config.PUBLIC_URL)]
        return { status: 303, headers: { Location: '/account', ...forgotten, 'Set-Cookie': cookies } }
      },
    }),
  ]
}
