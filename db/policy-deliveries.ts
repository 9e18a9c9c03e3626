/**
 * N2, a material change is mailed at least 30 days before: policy notices by account. A row is written before its mail
 * is sent.
 */
import { openRecipient, type Recipient, type SealedRecipient } from './accounts.ts'
import type { Queryable } from './connection/database.ts'
import type { Accounts, PolicyDeliveries } from './connection/schema.ts'
import type { ColumnEncryption } from './crypto/column-encryption.ts'
import type { BouncedMail } from './sends.ts'

/**
 * The kinds of notice: a version is coming, its date has moved for the n-th time, it was withdrawn. `again`: a notice
 * has not reached the address that the person had then, and they have another one now.
 */
export type Notice = 'announced' | `moved:${number}` | 'withdrawn' | Repetition
export type Repetition = 'again' | 'withdrawn:again'

const isRepetition = (notice: Notice): notice is Repetition => notice === 'again' || notice === 'withdrawn:again'

export interface NoticeOfVersion {
  version: string
  notice: Notice
}

/** A part of the space of account ids, which are random: `[from, to)`; null for no upper bound. */
export interface IdRange {
  from: string
  to: string | null
}

/**
 * The range of one numbered page. A number in a run's history identifies nobody; the id of a page's last account would.
 * @param page from 0 on
 */
export function idRange(page: number, pages: number): IdRange {
  const bound = (index: number): string => {
    const start = Math.floor((index / pages) * 2 ** 32)
    return `${start.toString(16).padStart(8, '0')}-0000-0000-0000-000000000000`
  }
  return { from: bound(page), to: page + 1 >= pages ? null : bound(page + 1) }
}

/** The condition that a notice concerns the account `a`. */
function concerned(sql: Queryable, { version, notice }: NoticeOfVersion) {
  // An account that signed up after the posting has accepted the version.
  if (notice === 'announced') return sql`a.policy_version <> ${version}`
  const announced = sql`select from policy_deliveries t
    where t.version = ${version} and t.notice = 'announced' and t.account_id = a.id`
  if (isRepetition(notice)) {
    const repeated = notice === 'again' ? sql`t.notice not like 'withdrawn%'` : sql`t.notice = 'withdrawn'`
    return sql`(a.mail_state = 'ok' and exists (select from policy_deliveries t
      where t.version = ${version} and ${repeated} and t.account_id = a.id and t.state in ('failed', 'bounced')
        and t.address_index is distinct from a.email_index))`
  }
  // The withdrawal also goes to accounts whose announcement has an unknown outcome or bounced.
  if (notice === 'withdrawn') return sql`(a.policy_version = ${version} or exists (${announced} and t.state <> 'due'))`
  return sql`exists (select from policy_deliveries t
    where t.version = ${version} and t.notice in ('announced', 'again') and t.account_id = a.id and t.state = 'sent'
      and t.told_for < (select effective_at from policies where version = ${version}))`
}

/** A notice to an address that the person has left is open again. */
const isUnsettled = (sql: Queryable, { version, notice }: NoticeOfVersion) => sql`not exists (
  select from policy_deliveries d
  where d.version = ${version} and d.notice = ${notice} and d.account_id = a.id
    and (d.state = 'sent' or (d.state in ('failed', 'bounced')
      ${isRepetition(notice) ? sql`and d.address_index is not distinct from a.email_index` : sql``})))`

/** The number of accounts whose notice is neither sent nor given up. */
export async function countNotNotified(sql: Queryable, policyNotice: NoticeOfVersion): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from accounts a where ${concerned(sql, policyNotice)} and ${isUnsettled(sql, policyNotice)}`
  return row?.count ?? 0
}

/** The next accounts of a range whose notice is neither sent nor given up, by id. */
export async function listNotNotified(
  sql: Queryable,
  policyNotice: NoticeOfVersion,
  page: IdRange & { after: string | undefined; limit: number },
): Promise<string[]> {
  const rows = await sql<Pick<Accounts, 'id'>[]>`
    select a.id from accounts a
    where a.id >= ${page.from}
      ${page.to === null ? sql`` : sql`and a.id < ${page.to}`}
      ${page.after === undefined ? sql`` : sql`and a.id > ${page.after}`}
      and ${concerned(sql, policyNotice)} and ${isUnsettled(sql, policyNotice)}
    order by a.id limit ${page.limit}`
  return rows.map(({ id }) => id)
}

export interface Claim {
  accountId: string
  messageRef: string
}

export interface ClaimedDelivery extends Recipient {
  messageRef: string
}

/**
 * Claims the right to send a notice to accounts, while the version is in the state that the notice announces. An
 * account that another attempt has claimed stays with that attempt until its lease has run out.
 *
 * All attempts at one address have the same Message-ID. Another address has another one, and so has an address that has
 * refused the notice and takes mail again: a late bounce of the earlier mail says nothing of the newer one.
 * @returns the accounts that were claimed, with the addresses that they have now
 */
export async function claimDeliveries(
  sql: Queryable,
  encryption: ColumnEncryption,
  policyNotice: NoticeOfVersion,
  claims: readonly Claim[],
  { announcedFor, at, leaseMs }: { announcedFor: Date; at: Date; leaseMs: number },
): Promise<ClaimedDelivery[]> {
  const { notice } = policyNotice
  const state = notice.startsWith('withdrawn') ? 'withdrawn' : 'posted'
  const rows = await sql<(SealedRecipient & Pick<PolicyDeliveries, 'message_ref'>)[]>`
    with claimed as (
      insert into policy_deliveries (version, notice, account_id, state, attempts, told_for, claimed_at, message_ref,
        address_index)
      select p.version, ${policyNotice.notice}, a.id, 'sending', 1, ${announcedFor}, ${at}, c.ref, a.email_index
      from policies p, unnest(${claims.map(({ accountId }) => accountId)}::uuid[],
        ${claims.map(({ messageRef }) => messageRef)}::text[]) as c (id, ref) join accounts a on a.id = c.id
      where p.version = ${policyNotice.version} and p.state = ${state}
      on conflict (version, notice, account_id) do update
        set state = 'sending', attempts = policy_deliveries.attempts + 1, told_for = excluded.told_for,
          claimed_at = excluded.claimed_at, address_index = excluded.address_index,
          message_ref = case
            when policy_deliveries.state in ('due', 'sending')
              and policy_deliveries.address_index is not distinct from excluded.address_index
            then policy_deliveries.message_ref
            else left(encode(sha256(convert_to(
              excluded.message_ref || ':' || policy_deliveries.attempts, 'UTF8')), 'hex'), 36) end
        where policy_deliveries.state = 'due' or (policy_deliveries.state = 'sending'
          and policy_deliveries.claimed_at <= excluded.claimed_at - ${leaseMs} * interval '1 millisecond')
          ${
            isRepetition(notice)
              ? sql`or (policy_deliveries.state in ('failed', 'bounced')
                  and policy_deliveries.address_index is distinct from excluded.address_index)`
              : sql``
          }
      returning account_id, message_ref
    )
    select a.id, a.email, a.email_index, a.language, k.kek_id, k.wrapped_key, c.message_ref
    from claimed c join accounts a on a.id = c.account_id join data_keys k on k.account_id = a.id`
  return rows.map((row) => ({ ...openRecipient(encryption, row), messageRef: row.message_ref }))
}

export interface DeliveryResult {
  accountId: string
  state: 'sent' | 'due' | 'failed'
  code: string | null
  at: Date
}

/** Records the results of deliveries. `due`: the mail was certainly not sent and will be tried again. */
export async function recordDeliveryResults(
  sql: Queryable,
  { version, notice }: NoticeOfVersion,
  results: readonly DeliveryResult[],
): Promise<void> {
  await sql`
    update policy_deliveries d set state = s.state, code = s.code,
      sent_at = case when s.state = 'sent' then s.at::timestamptz end
    from unnest(${results.map(({ accountId }) => accountId)}::uuid[],
      ${results.map(({ state }) => state)}::text[], ${results.map(({ code }) => code)}::text[],
      ${results.map(({ at }) => at.toISOString())}::text[]) as s (id, state, code, at)
    where d.version = ${version} and d.notice = ${notice} and d.account_id = s.id`
}

/** Gives up the deliveries that no mail server accepted; the policy page announces the change. @returns their number */
export async function giveUpDeliveries(sql: Queryable, { version, notice }: NoticeOfVersion): Promise<number> {
  const givenUp = await sql`
    update policy_deliveries set state = 'failed', code = coalesce(code, 'given_up')
    where version = ${version} and notice = ${notice} and state in ('sending', 'due')`
  return givenUp.count
}

/** Records a bounce. @returns the mail; undefined when there is no delivery with this reference */
export async function markBounced(
  sql: Queryable,
  messageRef: string,
  status: string,
): Promise<(BouncedMail & { accountId: string }) | undefined> {
  const [row] = await sql<Pick<PolicyDeliveries, 'account_id' | 'notice' | 'address_index'>[]>`
    update policy_deliveries set state = 'bounced', code = ${status}
    where message_ref = ${messageRef} and state in ('sending', 'sent', 'bounced')
    returning account_id, notice, address_index`
  if (!row) return undefined
  const { account_id: accountId, notice: kind, address_index: addressIndex } = row
  return { subjectId: accountId, kind, accountId, addressIndex }
}

/**
 * Lets the notices be sent again that an address has refused which takes mail again: as if it were another one.
 */
export async function forgetDeadAddress(sql: Queryable, accountId: string): Promise<void> {
  await sql`update policy_deliveries set address_index = null
    where account_id = ${accountId} and state in ('failed', 'bounced')`
}

/** When the last mail of a notice was sent, or undefined. */
export async function lastNotifiedAt(sql: Queryable, { version, notice }: NoticeOfVersion): Promise<Date | undefined> {
  const [row] = await sql<{ at: Date | null }[]>`
    select max(sent_at) as at from policy_deliveries
    where version = ${version} and notice = ${notice} and state = 'sent'`
  return row?.at ?? undefined
}

export interface NoticeCounts extends Pick<PolicyDeliveries, 'notice'> {
  sent: number
  /** mails that wait for a retry */
  waiting: number
  /** mails that were refused for good or given up: the policy page announces the change */
  failed: number
  bounced: number
}

/** How many mails about a version are in each state, by notice. */
export async function countNotices(sql: Queryable, version: string): Promise<NoticeCounts[]> {
  return sql<NoticeCounts[]>`
    select notice, count(*) filter (where state = 'sent')::int as sent,
      count(*) filter (where state in ('sending', 'due'))::int as waiting,
      count(*) filter (where state = 'failed')::int as failed, count(*) filter (where state = 'bounced')::int as bounced
    from policy_deliveries where version = ${version} group by notice order by notice`
}

export interface Unreached {
  accountId: string
  notice: Notice
  state: 'failed' | 'bounced'
  code: string | null
}

/** The accounts that mail did not reach, at the address of then or that of now, by id. */
export async function listUnreached(
  sql: Queryable,
  version: string,
  page: { after: string | undefined; limit: number },
): Promise<Unreached[]> {
  const rows = await sql<(PolicyDeliveries & Pick<Unreached, 'state'>)[]>`
    select * from policy_deliveries
    where version = ${version} and notice = 'announced' and state in ('failed', 'bounced')
      and not exists (select from policy_deliveries r where r.version = ${version} and r.notice = 'again'
        and r.account_id = policy_deliveries.account_id and r.state = 'sent')
      ${page.after === undefined ? sql`` : sql`and account_id > ${page.after}`}
    order by account_id limit ${page.limit}`
  return rows.map(({ account_id, notice, state, code }) => ({ accountId: account_id, notice, state, code }))
}
