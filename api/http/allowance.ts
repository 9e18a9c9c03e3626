import type { Context } from '../../context.ts'
import type { Queryable } from '../../db/connection/database.ts'
import { type AllowanceSubject, spendAllowance } from '../../db/requests/allowances.ts'
import { type AllowanceKind, allowances } from '../../policy/allowances.ts'
import { Problem } from './problem.ts'

/**
 * Counts what a person makes us do; operators are not counted.
 * @param sql a transaction that is to be undone when it is too much
 * @throws Problem too_many_requests, with the time until it is allowed again
 */
export async function spend(
  context: Context,
  kind: AllowanceKind,
  subject: AllowanceSubject,
  sql: Queryable = context.sql,
): Promise<void> {
  const waitMs = await spendAllowance(sql, context, { kind, subject, at: new Date() })
  if (waitMs === undefined) return
  context.metrics.rateLimited.inc({ caller: kind })
  throw new Problem('too_many_requests', {
    detail: `At most ${allowances[kind].most} in ${Math.round(allowances[kind].withinMs / 60_000)} minutes for one person.`,
    headers: { 'Retry-After': String(Math.ceil(waitMs / 1000)) },
  })
}
