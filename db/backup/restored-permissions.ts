/**
 * U4, promotions go only to those who asked, and C6, sign-in identifiers: permissions that people may have withdrawn
 * since the dump. Only the lost database knew of it, so a restore takes all of it for withdrawn (decision 0480):
 * consents to promotions, the sign-ins of the app, and the phones that get pushes. What operators have withdrawn they
 * know, and compare.
 */
import type { Queryable, Transaction } from '../connection/database.ts'
import { listSubjectsOfOpenTasks, raiseOperatorTask, resolveOperatorTask } from '../operator-tasks.ts'

/**
 * Kind of the operator task that holds back campaigns: closing it leaves the consents withdrawn. It is opened at the
 * time of the consents that its restore has withdrawn.
 */
const suspendedTask = 'promotions_suspended'
/** Kind of the operator task to compare who has access. */
const accessTask = 'restored_access'

/** Ends what may have been withdrawn since the dump, before any program can use the database. */
export async function suspendPermissions(
  tx: Transaction,
  { restoreId, at }: { restoreId: string; at: Date },
): Promise<void> {
  const suspended = await tx`
    with suspended as (
      update accounts set promotions = false, version = version + 1 where promotions returning id)
    insert into consents (account_id, purpose, granted, source, at)
    select id, 'promotions', false, 'restore', ${at} from suspended`
  if (suspended.count > 0)
    await raiseOperatorTask(tx, {
      kind: suspendedTask,
      subjectId: restoreId,
      at,
      attributes: { consents: suspended.count },
    })
  // A sign-in that a provider has reported as misused, or its owner has ended, must not come back.
  await tx`update accounts set signed_out_at = greatest(signed_out_at, ${at})`
  await tx`delete from link_tokens where purpose = 'sign_in'`
  // A phone may be another person's by now. The app hands in its token when it is opened.
  await tx`update devices set push_token = null, push_token_index = null where push_token_index is not null`
  const [access] = await tx<{ keys: number; operators: number; receivers: number }[]>`
    select (select count(*)::int from api_keys where revoked_at is null) as keys,
      (select count(*)::int from operators where disabled_at is null) as operators,
      (select count(*)::int from webhook_endpoints where state = 'enabled') as receivers`
  await raiseOperatorTask(tx, { kind: accessTask, subjectId: restoreId, at, attributes: { ...access } })
}

/** Whether a restore has withdrawn consents of which no operator has decided. */
export const arePromotionsSuspended = async (sql: Queryable): Promise<boolean> =>
  (await listSubjectsOfOpenTasks(sql, suspendedTask)).length > 0

/**
 * Gives back the consents that restores have withdrawn, except those that their person has changed since and those of a
 * restore whose task is closed, and lets campaigns go on. @returns their number
 */
export async function confirmPromotions(tx: Transaction, at: Date): Promise<number> {
  const confirmed = await tx`
    with confirmed as (
      update accounts set promotions = true, version = version + 1
      where not promotions and exists (
        select from (
          select source, at from consents where account_id = accounts.id and purpose = 'promotions'
          order by at desc limit 1) last
        join attention a on a.kind = ${suspendedTask} and a.resolved_at is null and a.opened_at = last.at
        where last.source = 'restore')
      returning id)
    insert into consents (account_id, purpose, granted, source, at)
    select id, 'promotions', true, 'restore', ${at} from confirmed`
  for (const subjectId of await listSubjectsOfOpenTasks(tx, suspendedTask))
    await resolveOperatorTask(tx, { kind: suspendedTask, subjectId, by: 'restore', at })
  return confirmed.count
}
