/** R1: accounts that nobody uses, and how far their owners have been warned. */
import type { PendingQuery } from 'postgres'
import { violatedConstraint } from './connection/constraint.ts'
import type { Queryable } from './connection/database.ts'

export interface InactivityRow {
  last_active_at: Date
  first_warned_at: Date | null
  deletes_at: Date
}

export interface Dormant {
  id: string
  last_active_at: Date
}

/**
 * Accounts last used at `until` or before that no run looks after, the longest unused first. One range of one index.
 * @param page.lostSince a run that should have looked again by then is lost
 * @returns the query, which may be awaited or explained
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

/** When the account was last used; an order placed for it by whomever is a use. Undefined when there is no such account. */
export async function lastUse(sql: Queryable, accountId: string): Promise<Date | undefined> {
  await sql`
    update accounts set last_active_at = used.at
    from (select max(created_at) as at from orders where account_id = ${accountId}) used
    where id = ${accountId} and last_active_at < used.at`
  const [row] = await sql<{ last_active_at: Date }[]>`select last_active_at from accounts where id = ${accountId}`
  return row?.last_active_at
}

/**
 * The last question before an account goes for disuse, with the account locked: a worker may have been away since its run
 * asked. One that is used again is forgotten here.
 */
export async function isUsedAgain(tx: Queryable, accountId: string): Promise<boolean> {
  const known = await findInactivity(tx, accountId)
  const used = await lastUse(tx, accountId)
  if (known && used && used <= known.last_active_at) return false
  await forgetInactivity(tx, accountId)
  return true
}

/** What the last run for this account knew. */
export async function findInactivity(sql: Queryable, accountId: string): Promise<InactivityRow | undefined> {
  const [row] = await sql<InactivityRow[]>`
    select last_active_at, first_warned_at, deletes_at from inactivity where account_id = ${accountId}`
  return row
}

/** False when there is no such account any more. */
export async function putInactivity(
  sql: Queryable,
  accountId: string,
  row: InactivityRow & { check_by: Date },
): Promise<boolean> {
  try {
    await sql`insert into inactivity ${sql({ account_id: accountId, ...row })}
      on conflict (account_id) do update set ${sql({ ...row })}`
    return true
  } catch (error) {
    if (violatedConstraint(error) === 'inactivity_account_id_fkey') return false
    throw error
  }
}

export async function noteNextCheck(sql: Queryable, accountId: string, checkBy: Date): Promise<void> {
  await sql`update inactivity set check_by = ${checkBy} where account_id = ${accountId}`
}

/** Somebody uses the account again. */
export async function forgetInactivity(sql: Queryable, accountId: string): Promise<void> {
  await sql`delete from inactivity where account_id = ${accountId}`
}
