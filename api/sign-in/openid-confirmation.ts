/**
 * Asks the OpenID provider, while an operator works, whether their account there still exists, and what they may do
 * now.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Context } from '../../context.ts'
import { saveOpenIdOperator } from '../../db/operator/openid-operators.ts'
import {
  confirmSession,
  endSession,
  endSessionsOf,
  isOperatorOf,
  takeTurnToAsk,
} from '../../db/operator/openid-sessions.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import { findSession, sessionIdOf, type WebSession } from '../../db/web-sessions.ts'
import { roleByClaim } from '../../policy/operators/openid-roles.ts'
import { periods } from '../../policy/periods.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { noLongerGranted, type OpenIdPerson, type OperatorSignIn } from '../../providers/operator-sign-in.ts'
import { plusMs } from '../../shared/calendar.ts'
import { Problem } from '../http/problem.ts'

/** Longer than the provider is waited for. */
const turnMs = 20_000
const answeredWithinMs = 12_000
const lookAgainMs = 100

/** Asks the company's OpenID provider whether an operator's sign-in is still granted. */
export function createOpenIdConfirmation(context: Context) {
  const { sql, config, operatorSignIn } = context
  const { confirmEveryMs, confirmWithinMs } = periods.operatorConfirmation

  /**
   * Has the provider asked when its last answer is too old. While it does not answer, the session stays for a short
   * time.
   * @returns the session as it is then; undefined when it has ended
   * @throws Problem unavailable when the provider has not answered for too long
   */
  return async function confirmed(
    secret: string,
    session: WebSession,
    from: { ip: string | undefined; requestId: string },
  ): Promise<WebSession | undefined> {
    const { confirmedAt, operator } = session
    if (!confirmedAt || !operator || Date.now() - confirmedAt.getTime() < confirmEveryMs) return session
    // The settings name no provider any more.
    if (!operatorSignIn) return undefined
    const id = sessionIdOf(secret)
    const at = new Date()
    const due = { answeredSince: plusMs(at, -confirmEveryMs), askedSince: plusMs(at, -turnMs), at }
    const token = await takeTurnToAsk(context, id, due)
    if (token !== undefined) await ask(operatorSignIn, token, { id, operatorId: operator.id, from, at })
    for (const giveUpAt = Date.now() + answeredWithinMs; ; await delay(lookAgainMs)) {
      const found = await findSession(sql, secret, new Date())
      if (!found?.confirmedAt) return found
      const age = Date.now() - found.confirmedAt.getTime()
      if (age < confirmWithinMs) return found
      // The provider was asked without an answer, or another process asks and gets none.
      if (token !== undefined || Date.now() >= giveUpAt)
        throw new Problem('unavailable', { headers: { 'Retry-After': '10' } })
    }
  }

  async function ask(
    provider: OperatorSignIn,
    refreshToken: string,
    {
      id,
      operatorId,
      from,
      at,
    }: { id: string; operatorId: string; from: { ip: string | undefined; requestId: string }; at: Date },
  ): Promise<void> {
    const ended = (detail: string) =>
      recordSecurityEvent(sql, context, {
        kind: 'authentication_failed',
        actor: `operator:${operatorId}`,
        detail,
        ...from,
        at,
      })
    let person: OpenIdPerson
    try {
      person = await provider.personNow(refreshToken)
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      if (error.code !== noLongerGranted) {
        context.log.error({ error }, 'the OpenID provider could not be asked about an operator')
        return
      }
      await endSession(sql, id)
      await ended('operator_openid_ended')
      return
    }
    if (!(await isOperatorOf(context, operatorId, person))) {
      await endSession(sql, id)
      await ended('operator_openid_another_person')
      return
    }
    const role = roleByClaim(person.claims, config.OPERATOR_OPENID_ROLES_CLAIM, config.OPERATOR_OPENID_ROLES)
    if (!role) {
      await endSessionsOf(sql, operatorId)
      await ended('operator_openid_no_role')
      return
    }
    const { issuer, subject, name, email } = person
    // An operator who was disabled here has no session any more, even when the provider confirms them.
    const saved = await saveOpenIdOperator(context, { issuer, subject, name, email, role, at })
    if (saved?.isChanged) {
      const event = { kind: 'operator_saved', actor: 'openid', detail: `${operatorId} ${role}` } as const
      await recordSecurityEvent(sql, context, { ...event, ...from, at })
    }
    await confirmSession(context, id, { refreshToken: person.refreshToken, at })
  }
}
