/** A person ends their sessions in other browsers; the page of their data lists them. */
import type { ApiContext } from '../../../context.ts'
import { endOtherSessions } from '../../../db/web-sessions.ts'
import { defineRoute, elsewhere, html, type Route } from '../../http/route.ts'
import { noticeCookie } from '../../sign-in/notice-cookie.ts'
import { sessionToEnd } from '../../views/session-fields.ts'

export function sessionRoutes({ sql, config }: ApiContext): Route[] {
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
  ]
}
