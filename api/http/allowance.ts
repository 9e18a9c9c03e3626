import type { Context } from '../../context.ts'
import { type AllowanceSubject, spendAllowance } from '../../db/requests/allowances.ts'
import { type AllowanceKind, allowances } from '../../policy/allowances.ts'
import type { Claim } from './idempotency.ts'
import { Problem } from './problem.ts'

/** Counts a request once; one that is refused is no claim of its key. @throws Problem too_many_requests */
export async function spendOnce(
  context: Context,
  claim: Pick<Claim, 'repeated' | 'release'>,
  kind: AllowanceKind,
  subject: AllowanceSubject,
): Promise<void> {
  if (claim.repeated) return
  try {
    await spend(context, kind, subject)
  } catch (error) {
    await claim.release()
    throw error
  }
}

/**
 * Counts what a person makes us do; operators are not counted.
 * @throws Problem too_many_requests, with the time until it is allowed again
 */
export async function spend(context: Context, kind: AllowanceKind, subject: AllowanceSubject): Promise<void> {
  const waitMs = await spendAllowance(context.sql, context, { kind, subject, at: new Date() })
  if (waitMs === undefined) return
  context.metrics.rateLimited.inc({ caller: kind })
  throw new Problem('too_many_requests', {
    detail: `At most ${allowances[kind].most} in ${Math.round(allowances[kind].withinMs / 60_000)} minutes for one person.`,
    headers: { 'Retry-After': String(Math.ceil(waitMs / 1000)) },
  })
}
