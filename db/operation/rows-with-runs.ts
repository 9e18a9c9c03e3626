/**
 * Rows that say that a run works on them (activities/housekeeping/rows-without-run.ts). Orders that are not delivered
 * are in db/order/payment-sweeps.ts, drafts beside their aggregates.
 */
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import type {
  BulkActions,
  Campaigns,
  Deletions,
  EmailChanges,
  KeyRotations,
  Orders,
  Policies,
  PrivacyRequests,
  Restores,
} from '../connection/schema.ts'

type OpenRequest = Pick<PrivacyRequests, 'id' | 'account_id' | 'kind' | 'received_at' | 'extended_because'>

/** Privacy requests that are not answered. */
export const listOpenRequests = (sql: Queryable): Promise<OpenRequest[]> =>
  sql<OpenRequest[]>`select id, account_id, kind, received_at, extended_because from privacy_requests
    where state = 'open' order by received_at`

type UnendedChange = Pick<EmailChanges, 'id' | 'account_id' | 'expires_at' | 'state'>

/** Changes of address that are open, or decided and not ended: their addresses are still here. */
export const listUnendedChanges = (sql: Queryable): Promise<UnendedChange[]> =>
  sql<UnendedChange[]>`select id, account_id, expires_at, state from email_changes
    where state <> 'draft' and old_email is not null order by requested_at`

type OpenRotation = Pick<KeyRotations, 'id' | 'purpose' | 'to_key'>

export const listOpenRotations = (sql: Queryable): Promise<OpenRotation[]> =>
  sql<OpenRotation[]>`select id, purpose, to_key from key_rotations where status <> 'draft' and ended_at is null`

/** Versions of the policy that wait to take effect, and withdrawn ones. */
export const listAnnouncedPolicies = (
  sql: Queryable,
  withdrawnSince: Date,
): Promise<Pick<Policies, 'version' | 'state'>[]> =>
  sql<Pick<Policies, 'version' | 'state'>[]>`select version, state from policies
    where state = 'posted' or (state = 'withdrawn' and posted_at is not null and ended_at > ${withdrawnSince})`

type OpenBulkAction = Pick<BulkActions, 'id' | 'state' | 'started_by' | 'act' | 'order_count'>

export const listOpenBulkActions = (sql: Queryable): Promise<OpenBulkAction[]> =>
  sql<OpenBulkAction[]>`select id, state, started_by, act, order_count from bulk_actions
    where state in ('running', 'paused') order by started_at`

export const listOpenCampaigns = (sql: Queryable): Promise<Pick<Campaigns, 'id' | 'state'>[]> =>
  sql<Pick<Campaigns, 'id' | 'state'>[]>`select id, state from campaigns
    where state in ('sending', 'paused') order by created_at`

type OpenDeletion = Pick<Deletions, 'account_ref' | 'reason'>

/** Deletions with a step to do, or with refunds to look at. What was left to operators alone needs no run. */
export const listUnfinishedDeletions = (sql: Queryable, at: Date): Promise<OpenDeletion[]> =>
  sql<OpenDeletion[]>`select account_ref, reason from deletions d where completed_at is null and (
      exists (select from deletion_steps s where s.receipt_id = d.receipt_id and s.state = 'pending')
      or (erased_at > ${plusDays(at, -periods.stripeRedactionAfterDays)}
        and exists (select from deletion_seals s where s.receipt_id = d.receipt_id and s.settlements is not null)))
    order by erased_at`

/** Restores that keep the API closed, or that have payments or eSIMs left to settle. */
export async function listUnfinishedRestores(sql: Queryable): Promise<Restores['id'][]> {
  const rows = await sql<Pick<Restores, 'id'>[]>`
    select id from restores r where opened_at is null
      or exists (select from restored_items i
        where i.restore_id = r.id and i.outcome = 'to_settle' and i.plan is not null)
    order by restored_at`
  return rows.map(({ id }) => id)
}

export type FollowedOrder = Pick<Orders, 'id' | 'created_at'>

/**
 * A page of delivered orders whose eSIMs a run follows, the oldest first, after the given one. A top-up that is
 * delivered needs no run.
 */
export const listFollowedOrders = (
  sql: Queryable,
  page: { after: FollowedOrder | undefined; limit: number },
): Promise<FollowedOrder[]> =>
  sql<FollowedOrder[]>`
    select id, created_at from orders
    where status = 'delivered' and ended_at is null and parent_order_id is null
      ${page.after ? sql`and (created_at, id) > (${page.after.created_at}, ${page.after.id})` : sql``}
    order by created_at, id limit ${page.limit}`
