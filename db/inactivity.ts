/**
 * R1, an account is kept until it is unused for 3 years: inactive accounts, and the warnings that their persons got.
 */
import type { PendingQuery } from 'postgres'
import { periods } from '../policy/periods.ts'
import { plusDays, plusYears } from '../shared/calendar.ts'
import { violatedConstraint } from './connection/constraint.ts'
import type { Queryable } from './connection/database.ts'
import type { Accounts, Inactivity } from './connection/schema.ts'

export type InactivityRow = Pick<Inactivity, 'last_active_at' | 'first_warned_at' | 'deletes_at'>

export type Dormant = Pick<Accounts, 'id' | 'last_active_at'>

/**
 * Accounts last used at `until` or before that have no run, the longest unused first. The query reads one range of one
 * index.
 * @param page.lostSince an account whose run should have checked by then counts as one without a run
 * @returns the query, which can be awaited or explained
 */
export function listDormant(
  sql: Queryable,
  page: { until: Date; lostSince: Date; after: Dormant | undefined; limit: number },
): PendingQuery<Dormant[]> {
  const { until, lostSince, after, limit } = page
  return sql<Dormant[]>`
    select id, last_active_at from accounts
    where last_active_at <= ${until}
      ${after === undefined ? sql`` : sql`and (last_active_at, id) > (${after.last_active_at}, ${after.id})`}
      and not exists (select from inactivity i where i.account_id = accounts.id and i.check_by >= ${lostSince})
    order by last_active_at, id limit ${limit}`
}

/**
 * When the account was last used; every order counts, also one from the app backend. Undefined for a missing account.
 */
export async function lastUse(sql: Queryable, accountId: string): Promise<Date | undefined> {
  await sql`
    update accounts set last_active_at = used.at
    from (select max(created_at) as at from orders where account_id = ${accountId}) used
    where id = ${accountId} and last_active_at < used.at`
  const [row] = await sql<
    Pick<Accounts, 'last_active_at'>[]
  >`select last_active_at from accounts where id = ${accountId}`
  return row?.last_active_at
}

/**
 * Whether an account is used again, with the account locked, before it is deleted for inactivity. The check of its run
 * may be old, when no worker ran meanwhile. For a used account the row here is deleted.
 */
export async function isUsedAgain(tx: Queryable, accountId: string): Promise<boolean> {
  const known = await findInactivity(tx, accountId)
  const used = await lastUse(tx, accountId)
  if (known && used && used <= known.last_active_at) return false
  await deleteInactivity(tx, accountId)
  return true
}

/** The state that the account's last run stored. */
export async function findInactivity(sql: Queryable, accountId: string): Promise<InactivityRow | undefined> {
  const [row] = await sql<InactivityRow[]>`
    select last_active_at, first_warned_at, deletes_at from inactivity where account_id = ${accountId}`
  return row
}

/** Stores the state of the account's run. @returns false when the account was erased */
export async function putInactivity(
  sql: Queryable,
  accountId: string,
  row: InactivityRow & { check_by: Date },
): Promise<boolean> {
  try {
    await sql`insert into inactivity ${sql({ account_id: accountId, ...row } satisfies Inactivity)}
      on conflict (account_id) do update set ${sql({ ...row })}`
    return true
  } catch (error) {
    if (violatedConstraint(error) === 'inactivity_account_id_fkey') return false
    throw error
  }
}

/** Records when the run of an inactive account looks again at the latest. */
export async function noteNextCheck(sql: Queryable, accountId: string, checkBy: Date): Promise<void> {
  await sql`update inactivity set check_by = ${checkBy} where account_id = ${accountId}`
}

/** Deletes the row of an account that is used again. */
export async function deleteInactivity(sql: Queryable, accountId: string): Promise<void> {
  await sql`delete from inactivity where account_id = ${accountId}`
}

/**
 * After a restore: who would be deleted within the time of the warnings may have come back since the dump, and has that
 * time, and all warnings, anew. @returns how many accounts
 */
export async function warnAgain(tx: Queryable, at: Date): Promise<number> {
  const { inactivityYears, warningsBeforeDays } = periods.account
  const lastUsed = plusYears(plusDays(at, Math.max(...warningsBeforeDays)), -inactivityYears)
  const kept = await tx`update accounts set last_active_at = ${lastUsed} where last_active_at < ${lastUsed}`
  return kept.count
}
