/** U5: abuse is detected. Counts what one person, or one address, makes us do (`policy/allowances.ts`). */
import { type AllowanceKind, allowances } from '../../policy/allowances.ts'
import { periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { violatedConstraint } from '../connection/constraint.ts'
import type { Queryable } from '../connection/database.ts'
import type { Allowances } from '../connection/schema.ts'
import type { ColumnEncryption } from '../crypto/column-encryption.ts'

/** The counted party: an account; or, with `email`, an address in its normal form, for all callers together. */
export interface AllowanceSubject {
  /** whose erasure deletes the count, unless an address is counted: a new account would count it anew */
  accountId: string
  email?: string
}

/**
 * Counts one use. One statement, so that of many at once no more are allowed than of many in a row.
 * @returns undefined when it is allowed, or the milliseconds until it is again
 */
export async function spendAllowance(
  sql: Queryable,
  { cipher }: ColumnEncryption,
  spent: { kind: AllowanceKind; subject: AllowanceSubject; at: Date },
): Promise<number | undefined> {
  const { kind, subject, at } = spent
  const { most, withinMs } = allowances[kind]
  const { accountId, email } = subject
  const key = cipher.fingerprint('allowance', email ?? accountId)
  const over = plusMs(at, -withinMs)
  const table = sql(email === undefined ? 'allowances' : 'address_allowances')
  try {
    const counted = await sql`
      insert into ${table} as known ${
        email === undefined
          ? sql`(subject, kind, account_id, window_start, used) values (${key}, ${kind}, ${accountId}, ${at}, 1)`
          : sql`(subject, kind, window_start, used) values (${key}, ${kind}, ${at}, 1)`
      }
      on conflict (subject, kind) do update set
        used = case when known.window_start <= ${over} then 1 else known.used + 1 end,
        window_start = case when known.window_start <= ${over} then ${at} else known.window_start end
      where known.window_start <= ${over} or known.used < ${most}`
    if (counted.count === 1) return undefined
  } catch (error) {
    // The account was erased: its caller learns that elsewhere.
    if (violatedConstraint(error) === 'allowances_account_id_fkey') return undefined
    throw error
  }
  const [row] = await sql<Pick<Allowances, 'window_start'>[]>`
    select window_start from ${table} where subject = ${key} and kind = ${kind}`
  return row ? Math.max(1, row.window_start.getTime() + withinMs - at.getTime()) : 1
}

/** Deletes counts that say nothing any more. @returns their number; less than `limit` when none are left */
export async function deleteAllowances(sql: Queryable, at: Date, limit: number): Promise<number> {
  const before = plusMs(at, -periods.allowanceMs)
  const gone = await sql`
    delete from allowances where ctid = any(array(
      select ctid from allowances where window_start < ${before} limit ${limit}))`
  if (gone.count === limit) return limit
  const goneToo = await sql`
    delete from address_allowances where ctid = any(array(
      select ctid from address_allowances where window_start < ${before} limit ${limit - gone.count}))`
  return gone.count + goneToo.count
}
