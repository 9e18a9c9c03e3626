/** The sessions of the operator who is signed in: seen, and ended where a browser was lost or left open. */
import type { ApiContext } from '../../../context.ts'
import { endOtherSessions, listOwnSessions } from '../../../db/web-sessions.ts'
import { isFresh } from '../../http/auth.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { renderSessions } from '../../pages/console/sign-in/sessions.tsx'
import { sessionToEnd } from '../../views/session-fields.ts'
import { done, frameOf, goTo, headers } from './console-route.ts'

const path = '/console/sessions'

export function consoleSessionRoutes(api: ApiContext): Route[] {
  const { sql } = api

  return [
    defineRoute({
      method: 'get',
      path,
      tag: 'console',
      summary: 'The open sessions of the operator',
      promises: ['R4'],
      callers: ['console'],
      permission: 'look',
      responses: { 200: html },
      async handle({ caller }) {
        const asOf = new Date()
        const sessions = await listOwnSessions(sql, caller.sessionId, asOf)
        const shown = { sessions, mayEnd: isFresh(caller, asOf) }
        return { status: 200, headers, raw: renderSessions(frameOf(api, caller), shown) }
      },
    }),
    defineRoute({
      method: 'post',
      path: `${path}/end`,
      tag: 'console',
      summary: 'Ends one of the other sessions of the operator, or all of them',
      promises: ['R4'],
      callers: ['console'],
      permission: 'look',
      unrecorded: 'ends sessions of the operator alone; the security log has it',
      freshSignIn: true,
      form: true,
      body: sessionToEnd,
      responses: done,
      async handle({ body: { session }, caller }) {
        await endOtherSessions(sql, caller.sessionId, session)
        return goTo(path)
      },
    }),
  ]
}
