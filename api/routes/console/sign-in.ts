/** Sign-in on the console: a person by password and authenticator, or an operator key where the settings permit it. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { verifyApiKey } from '../../../db/api-keys.ts'
import { verifyOperator } from '../../../db/operator/operators.ts'
import { closeSession } from '../../../db/web-sessions.ts'
import { periods } from '../../../policy/periods.ts'
import { NoTurn } from '../../../shared/turns.ts'
import type { Limiter } from '../../http/limits.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type RefusedForm, type Route } from '../../http/route.ts'
import { renderConsoleSignIn } from '../../pages/console/sign-in/sign-in.tsx'
import { createSignInRefusal, type From } from '../../sign-in/console-sign-in.ts'
import { keysMaySignIn, secretIn, signOutHeaders } from '../../sign-in/session-cookie.ts'
import { createWebSignIn } from '../../sign-in/web-sign-in.ts'
import { done, waysToSignIn } from './console-route.ts'
import { openIdSignInRoutes } from './openid-sign-in.ts'

export function consoleSignInRoutes(api: ApiContext, limiter: Limiter): Route[] {
  const { sql, config } = api
  const signIn = createWebSignIn(api)

  async function open(owner: { keyId: string } | { operatorId: string }, cookies: string | undefined, from: From) {
    const replaces = secretIn(cookies, 'console', config.PUBLIC_URL)
    const cookie = await signIn.openConsole(owner, replaces, from)
    return { status: 303 as const, headers: { Location: '/console', 'Set-Cookie': cookie } }
  }

  const showFormAgain = (_request: unknown, refused: RefusedForm): string =>
    renderConsoleSignIn(config.SUPPORT_MAIL, waysToSignIn(api), refused)
  const refusal = createSignInRefusal(api, limiter)
  const tooMany = (seconds: number): Problem =>
    new Problem('too_many_requests', { headers: { 'Retry-After': String(seconds) } })

  return [
    ...openIdSignInRoutes(api, refusal),
    defineRoute({
      method: 'post',
      path: '/console/sign-in/person',
      tag: 'console',
      summary: 'Signs an operator in by their password and the code of their authenticator',
      promises: ['R4'],
      callers: ['public'],
      form: true,
      body: z.strictObject({
        email: z.string().max(320),
        password: z.string().max(200),
        code: z.string().max(20),
      }),
      responses: done,
      showFormAgain,
      async handle({ body: { email, password, code }, header, ip, requestId }) {
        // Before the password is checked, since that is slow.
        limiter.assertMayFail(ip)
        const checked = await verifyOperator(api, {
          email,
          password: password.trim(),
          code: code.replaceAll(/\s/g, ''),
          at: new Date(),
        }).catch((error: unknown) => {
          if (!(error instanceof NoTurn)) throw error
          api.metrics.authenticationFailures.inc({ reason: 'operator_unchecked' })
          throw tooMany(5)
        })
        if (!('refused' in checked)) return open({ operatorId: checked.id }, header('cookie'), { ip, requestId })
        const actor = checked.id === undefined ? 'anonymous' : `operator:${checked.id}`
        const refused = await refusal(`operator_${checked.refused}`, actor, { ip, requestId })
        throw checked.refused === 'guessed' ? tooMany(periods.guessedCodesMs / 1000) : refused
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/sign-in',
      tag: 'console',
      summary: 'Signs an operator in by a key, where the settings permit it',
      promises: ['R4'],
      callers: ['public'],
      form: true,
      body: z.strictObject({ key: z.string().max(200) }),
      responses: done,
      showFormAgain,
      async handle({ body, header, ip, requestId }) {
        if (!keysMaySignIn(config)) throw await refusal('key_not_for_console', 'anonymous', { ip, requestId })
        const key = await verifyApiKey(sql, body.key.trim())
        if (!('refused' in key) && key.kind === 'operator')
          return open({ keyId: key.id }, header('cookie'), { ip, requestId })
        throw await refusal('refused' in key ? `key_${key.refused}` : 'key_of_another_kind', 'anonymous', {
          ip,
          requestId,
        })
      },
    }),
    defineRoute({
      method: 'post',
      path: '/console/sign-out',
      tag: 'console',
      summary: 'Ends the session',
      callers: ['console'],
      permission: 'look',
      unrecorded: 'ends the session of the operator alone; the security log has it',
      form: true,
      body: z.strictObject({}),
      responses: done,
      async handle({ header }) {
        const secret = secretIn(header('cookie'), 'console', config.PUBLIC_URL)
        if (secret) await closeSession(sql, secret)
        return {
          status: 303,
          headers: { Location: '/console', ...signOutHeaders('console', config.PUBLIC_URL) },
        }
      },
    }),
  ]
}
