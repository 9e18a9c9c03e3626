/** U4, promotions go only to those who asked for them: campaigns and their deliveries. */
import type { SealedRecipient } from './accounts.ts'
import type { Queryable } from './connection/database.ts'
import type { Accounts, Campaigns } from './connection/schema.ts'
import type { IdRange } from './policy-deliveries.ts'

export type CampaignState = Exclude<Campaigns['state'], 'draft'>

/** A campaign that is no draft. */
export type CampaignRow = Campaigns & { state: CampaignState }

/** Stores a draft. A campaign that exists already stays as it is. */
export async function insertCampaign(sql: Queryable, campaign: Omit<CampaignRow, 'state' | 'ended_at'>): Promise<void> {
  await sql`insert into campaigns ${sql({ ...campaign, state: 'draft' } satisfies Partial<Campaigns>)} on conflict (id) do nothing`
}

/** Makes a draft current; repeatable. @returns false when the campaign is missing or has ended */
export async function openCampaign(sql: Queryable, id: string): Promise<boolean> {
  const opened = await sql`
    update campaigns set state = 'sending' where id = ${id} and state in ('draft', 'sending')`
  return opened.count === 1
}

/** Deletes drafts that were created before a time. @returns their number */
export async function deleteCampaignDrafts(sql: Queryable, before: Date): Promise<number> {
  const deleted = await sql`delete from campaigns where state = 'draft' and created_at < ${before}`
  return deleted.count
}

/** The campaign, or undefined when it is missing or a draft. */
export async function findCampaign(sql: Queryable, id: string): Promise<CampaignRow | undefined> {
  const [row] = await sql<CampaignRow[]>`select * from campaigns where id = ${id} and state <> 'draft'`
  return row
}

/** A page of campaigns, the newest first, without drafts. */
export async function listCampaigns(
  sql: Queryable,
  page: { after: [createdAt: string, id: string] | undefined; limit: number },
): Promise<CampaignRow[]> {
  const { after, limit } = page
  return sql<CampaignRow[]>`
    select * from campaigns where state <> 'draft'
      ${after ? sql`and (created_at, id) < (${after[0]}, ${after[1]})` : sql``}
    order by created_at desc, id desc limit ${limit}`
}

/** Changes the state of a campaign. @returns false when it is missing or has ended */
export async function setCampaignState(
  sql: Queryable,
  id: string,
  state: CampaignState,
  endedAt: Date | null,
): Promise<boolean> {
  const changed = await sql`
    update campaigns set state = ${state}, ended_at = ${endedAt} where id = ${id} and state in ('sending', 'paused')`
  return changed.count === 1
}

/** The number of accounts that agreed to promotions and whose address accepts mail. */
export async function countRecipients(sql: Queryable): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from accounts where promotions and mail_state = 'ok'`
  return row?.count ?? 0
}

/** The ids of the same accounts within a range. */
export async function listRecipients(sql: Queryable, range: IdRange): Promise<string[]> {
  const rows = await sql<Pick<Accounts, 'id'>[]>`
    select id from accounts
    where promotions and mail_state = 'ok' and id >= ${range.from} ${range.to === null ? sql`` : sql`and id < ${range.to}`}
    order by id`
  return rows.map(({ id }) => id)
}

/**
 * Claims the right to send a campaign to an account, once. The same statement checks the consent and the campaign's
 * state, and reads the address: a person who has just withdrawn consent gets no mail, and no former address of a
 * person.
 * @returns undefined when it may not be sent
 */
export async function claimDelivery(
  sql: Queryable,
  delivery: { campaignId: string; accountId: string; at: Date },
): Promise<SealedRecipient | undefined> {
  const { campaignId, accountId, at } = delivery
  const [claimed] = await sql<SealedRecipient[]>`
    with claimed as (
      insert into campaign_deliveries (campaign_id, account_id, state, at)
      select c.id, a.id, 'sending', ${at} from campaigns c, accounts a
      where c.id = ${campaignId} and c.state = 'sending' and a.id = ${accountId} and a.promotions and a.mail_state = 'ok'
      on conflict (campaign_id, account_id) do update set state = 'sending', at = excluded.at
        where campaign_deliveries.state = 'due'
      returning account_id
    )
    select a.id, a.email, a.email_index, a.language, k.kek_id, k.wrapped_key
    from claimed c join accounts a on a.id = c.account_id join data_keys k on k.account_id = a.id`
  return claimed
}

/**
 * Records the result of a delivery. `due`: it was certainly not sent and will be tried again; other states are final.
 */
export async function recordDeliveryResult(
  sql: Queryable,
  delivery: { campaignId: string; accountId: string },
  state: 'due' | 'sent' | 'refused' | 'unknown',
): Promise<void> {
  await sql`update campaign_deliveries set state = ${state}
    where campaign_id = ${delivery.campaignId} and account_id = ${delivery.accountId}`
}

/** Ends deliveries that a dead worker left open: their outcome is unknown, and they are never sent again. */
export async function recordUnknownDeliveries(sql: Queryable, campaignId: string): Promise<void> {
  await sql`update campaign_deliveries set state = 'unknown'
    where campaign_id = ${campaignId} and state in ('sending', 'due')`
}

export type DeliveryCounts = Record<'sent' | 'refused' | 'unknown' | 'waiting', number>

/** How many mails of a campaign are in each state. */
export async function countDeliveries(sql: Queryable, campaignId: string): Promise<DeliveryCounts> {
  const [row] = await sql<DeliveryCounts[]>`
    select count(*) filter (where state = 'sent')::int as sent, count(*) filter (where state = 'refused')::int as refused,
      count(*) filter (where state = 'unknown')::int as unknown,
      count(*) filter (where state in ('due', 'sending'))::int as waiting
    from campaign_deliveries where campaign_id = ${campaignId}`
  return row ?? { sent: 0, refused: 0, unknown: 0, waiting: 0 }
}
