/** The common parts of all ways to sign in on the console. */
import type { ApiContext } from '../../context.ts'
import { recordSecurityEvent } from '../../db/security-log.ts'
import type { Limiter } from '../http/limits.ts'
import { Problem } from '../http/problem.ts'

export interface From {
  ip: string | undefined
  requestId: string
}

export type RefuseSignIn = ReturnType<typeof createSignInRefusal>

/** Creates a function that counts and records a refused sign-in. */
export function createSignInRefusal(api: ApiContext, limiter: Limiter) {
  /**
   * @param actor as the security log names who it was, if it is known
   * @param headers of the refusal
   */
  return async (
    reason: string,
    actor: string,
    { ip, requestId }: From,
    headers?: Record<string, string>,
  ): Promise<Problem> => {
    api.metrics.authenticationFailures.inc({ reason })
    limiter.countFailure(ip)
    const event = { kind: 'authentication_failed', actor, detail: reason, ip, requestId } as const
    await recordSecurityEvent(api.sql, api, { ...event, at: new Date() })
    return new Problem('unauthenticated', { headers })
  }
}
