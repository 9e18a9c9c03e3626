/**
 * Rows that may be out of step with their run (activities/out-of-step/others.ts). All of them, in a few columns: most
 * are in step and stay in the list, so that a limit could hide the others in each comparison.
 */
import type { Queryable } from '../connection/database.ts'
import type { BulkActions, Campaigns, EmailChanges, Policies, PrivacyRequests, Refunds } from '../connection/schema.ts'

/** Bulk actions that were started, and were not over before a time. */
export const listBulkActionsSince = (sql: Queryable, since: Date): Promise<Pick<BulkActions, 'id' | 'state'>[]> =>
  sql<Pick<BulkActions, 'id' | 'state'>[]>`select id, state from bulk_actions
    where started_at is not null and (ended_at is null or ended_at > ${since})`

/** Campaigns that are no drafts, and were not over before a time. */
export const listCampaignsSince = (sql: Queryable, since: Date): Promise<Pick<Campaigns, 'id' | 'state'>[]> =>
  sql<Pick<Campaigns, 'id' | 'state'>[]>`select id, state from campaigns
    where state <> 'draft' and (ended_at is null or ended_at > ${since})`

/** The versions of policies that were withdrawn after a time. */
export async function listPoliciesWithdrawnSince(sql: Queryable, since: Date): Promise<string[]> {
  const rows = await sql<Pick<Policies, 'version'>[]>`
    select version from policies where state = 'withdrawn' and ended_at > ${since}`
  return rows.map(({ version }) => version)
}

export type AnswerOrExtension = Pick<PrivacyRequests, 'id' | 'answer_id' | 'answer_kind' | 'extended_because'> & {
  by_mail: boolean
}

/** Open privacy requests with an answer that was stored before a time, or with an extension. */
export const listAnswersAndExtensions = (sql: Queryable, before: Date): Promise<AnswerOrExtension[]> =>
  sql<
    AnswerOrExtension[]
  >`select id, case when answer_stored_at < ${before} then answer_id end as answer_id, answer_kind, extended_because,
      answer is not null as by_mail
    from privacy_requests
    where state = 'open' and (extended_because is not null or answer_stored_at < ${before}) order by answer_by`

export type DecidedChange = Pick<
  EmailChanges,
  'id' | 'state' | 'old_confirmed_at' | 'old_waived_by' | 'new_confirmed_at'
>

/** Changes of address with a confirmation, or that were decided; their runs delete the addresses at the end. */
export const listDecidedChanges = (sql: Queryable): Promise<DecidedChange[]> =>
  sql<DecidedChange[]>`select id, state, old_confirmed_at, old_waived_by, new_confirmed_at from email_changes
    where old_email is not null and state <> 'draft'
      and (state <> 'open' or coalesce(old_confirmed_at, new_confirmed_at) is not null)`

/** Orders with a partial refund that was reserved before a time, and neither made nor released. */
export async function listOrdersWithReserved(sql: Queryable, before: Date): Promise<Refunds['order_id'][]> {
  const rows = await sql<Pick<Refunds, 'order_id'>[]>`
    select distinct order_id from refunds where state = 'requested' and created_at < ${before}`
  return rows.map(({ order_id: orderId }) => orderId)
}
