/** A person is signed out everywhere: in the app on all phones, and on the web. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { accountExists } from '../../../db/accounts.ts'
import { recordSecurityEvent } from '../../../db/security-log.ts'
import { endAllSignIns } from '../../../db/sign-in-events.ts'
import { actAndRecord, assertReasonIsOfOperator } from '../../acts/recorded-acts.ts'
import { actorOf } from '../../http/caller.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'
import { accountParams } from '../../views/account-fields.ts'
import { actReason } from '../../views/operator-words.ts'
import { createAccountActs } from '../console/account-acts.ts'

const signedOut = z
  .object({ signedOutAt: z.iso.datetime().describe('no sign-in from before this time opens anything any more') })
  .meta({ id: 'SignedOut' })

export function signOutRoutes(api: ApiContext): Route[] {
  const { sql } = api
  const accounts = createAccountActs(api)

  return [
    defineRoute({
      method: 'post',
      path: '/v1/accounts/{id}/sign-out',
      tag: 'accounts',
      summary: 'Sign a person out everywhere',
      description:
        'For a phone that was lost, or an account in other hands. It ends the sign-ins until now, in the app on all phones and on the web, and a change of address that is under way. ID tokens of these sign-ins are refused (`unauthenticated`), that of the caller as well: let the person sign in again. A device gets no push messages until it is registered again.',
      promises: ['R4'],
      callers: ['service', 'person', 'operator'],
      scope: 'accounts',
      account: 'id',
      freshSignIn: true,
      params: accountParams,
      body: actReason.optional(),
      responses: { 200: { description: 'The sign-ins are ended', schema: signedOut } },
      async handle({ params: { id }, body, caller, ip, requestId }) {
        assertReasonIsOfOperator(caller, body)
        if (!(await accountExists(sql, id))) throw new Problem('not_found')
        const at = new Date()
        if (caller.kind === 'operator') {
          const entry = { ...accounts.entryOf('sign-out', id), reason: body?.reason ?? null }
          await actAndRecord(api, caller, undefined, entry, (ids) =>
            accounts.acts['sign-out'].perform(id, actorOf(caller), ids),
          )
        } else await endAllSignIns(sql, id, at)
        const event = { kind: 'signed_out', actor: actorOf(caller), accountId: id, ip, requestId, at } as const
        await recordSecurityEvent(sql, api, event)
        return { status: 200, body: { signedOutAt: at.toISOString() } }
      },
    }),
  ]
}
