/** Sign-in on the console at the company's OpenID provider. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { saveOpenIdOperator } from '../../../db/operator/openid-operators.ts'
import { openIdColumns } from '../../../db/operator/openid-sessions.ts'
import { recordSecurityEvent } from '../../../db/security-log.ts'
import { closeSession } from '../../../db/web-sessions.ts'
import { roleByClaim } from '../../../policy/operators/openid-roles.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, html, type Route } from '../../http/route.ts'
import { renderLeadingOn, renderSignedIn } from '../../pages/console/sign-in/sign-in.tsx'
import type { From, RefuseSignIn } from '../../sign-in/console-sign-in.ts'
import { secretIn } from '../../sign-in/session-cookie.ts'
import { beginAttempt, findAttempt } from '../../sign-in/sign-in-attempt.ts'
import { createWebSignIn } from '../../sign-in/web-sign-in.ts'
import { headers } from './console-route.ts'

const path = '/console/sign-in/openid'

export function openIdSignInRoutes(api: ApiContext, refusal: RefuseSignIn): Route[] {
  const { sql, config, operatorSignIn } = api
  const signIn = createWebSignIn(api)

  return [
    defineRoute({
      // A link of another site could begin with a GET, and sign in the operator who is signed in at the provider.
      method: 'post',
      path,
      tag: 'console',
      summary: 'Leads an operator to the OpenID provider to sign in there',
      promises: ['R4'],
      callers: ['public'],
      form: true,
      body: z.strictObject({}),
      responses: { 200: html },
      problems: ['not_found'],
      async handle({ header }) {
        if (!operatorSignIn) throw new Problem('not_found')
        const { attempt, cookie } = beginAttempt(api, header('cookie'), new Date())
        const address = await operatorSignIn.addressFor(attempt).catch(unavailable)
        // The provider's navigation back brings no strict cookie: the session that is replaced is known only here.
        const replaced = secretIn(header('cookie'), 'console', config.PUBLIC_URL)
        if (replaced) await closeSession(sql, replaced)
        // A redirect would end at the policy of our page, which lets its forms lead to this site alone.
        return {
          status: 200,
          headers: { ...headers, 'Set-Cookie': cookie },
          raw: renderLeadingOn(config.SUPPORT_MAIL, address),
        }
      },
    }),
    defineRoute({
      method: 'get',
      path: `${path}/callback`,
      tag: 'console',
      summary: 'Signs an operator in whom the OpenID provider sends back',
      promises: ['R4'],
      callers: ['public'],
      // RFC 6749, 4.1.2: a client ignores parameters that it does not know.
      foreignQuery: true,
      query: z.object({
        code: z.string().max(4_000).optional(),
        state: z.string().max(200).optional(),
        iss: z.string().max(2_000).optional(),
        error: z.string().max(200).optional(),
      }),
      responses: { 200: html },
      problems: ['not_found', 'unauthenticated', 'role_insufficient'],
      async handle({ query, header, ip, requestId }) {
        if (!operatorSignIn) throw new Problem('not_found')
        const from = { ip, requestId }
        const at = new Date()
        const found = findAttempt(api, header('cookie'), query.state, at)
        if (!found) {
          // Not counted against the address: any site can send a browser here, and nobody can guess a sign-in this way.
          api.metrics.authenticationFailures.inc({ reason: 'operator_openid_no_attempt' })
          throw new Problem('unauthenticated')
        }
        const ended = { 'Set-Cookie': found.spent }
        const person = await operatorSignIn.personOf(query, found.attempt).catch(async (error: unknown) => {
          if (!isProviderFailure(error) || error.kind !== 'rejected') return unavailable(error)
          api.log.warn({ code: error.code }, 'a sign-in at the OpenID provider was refused')
          throw await refusal('operator_openid_rejected', 'anonymous', from, ended)
        })
        const role = roleByClaim(person.claims, config.OPERATOR_OPENID_ROLES_CLAIM, config.OPERATOR_OPENID_ROLES)
        if (!role) {
          await refusal('operator_openid_no_role', 'anonymous', from)
          throw new Problem('role_insufficient', { headers: ended })
        }
        const { issuer, subject, name, email } = person
        const operator = await saveOpenIdOperator(api, { issuer, subject, name, email, role, at })
        if (!operator) throw await refusal('operator_disabled', 'anonymous', from, ended)
        if (operator.isChanged) await recordChange(`${operator.id} ${role}`, from, at)
        const kept = await openIdColumns(api, person)
        const cookie = await signIn.openConsole({ operatorId: operator.id }, undefined, from, kept)
        // A redirect would still be the provider's navigation, with which browsers send no strict cookie.
        return {
          status: 200,
          headers: { ...headers, 'Set-Cookie': [cookie, found.spent] },
          raw: renderSignedIn(config.SUPPORT_MAIL),
        }
      },
    }),
  ]

  async function recordChange(detail: string, from: From, at: Date): Promise<void> {
    await recordSecurityEvent(sql, api, { kind: 'operator_saved', actor: 'openid', detail, ...from, at })
  }

  function unavailable(error: unknown): never {
    if (!isProviderFailure(error)) throw error
    api.log.error({ error }, 'the OpenID provider cannot be used')
    throw new Problem('unavailable', { headers: { 'Retry-After': '10' } })
  }
}
