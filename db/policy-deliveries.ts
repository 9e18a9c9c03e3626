/** N2: who was told what about a version of the policy. A row is written before its mail is sent. */
import type { Queryable } from './connection/database.ts'
import { type ColumnEncryption, tableEncryption } from './crypto/column-encryption.ts'

/** What people are told: that a version is coming, that its date has moved once more, that it will not come. */
export type Notice = 'announced' | `moved:${number}` | 'withdrawn'

export interface NoticeOfVersion {
  version: string
  notice: Notice
}

export interface Recipient {
  accountId: string
  email: string
}

/** Part of the space of account ids, which are random: `[from, to)`, null where it has no bound. */
export interface IdRange {
  from: string
  to: string | null
}

/**
 * The range of one page of several, so that pages can be numbered: a number in a run's history leads to nobody, the last
 * account of a page would.
 * @param page from 0 on
 */
export function idRange(page: number, pages: number): IdRange {
  const bound = (index: number): string => {
    const start = Math.floor((index / pages) * 2 ** 32)
    return `${start.toString(16).padStart(8, '0')}-0000-0000-0000-000000000000`
  }
  return { from: bound(page), to: page + 1 >= pages ? null : bound(page + 1) }
}

/** Accounts `a` whom a notice concerns. */
function concerned(sql: Queryable, { version, notice }: NoticeOfVersion) {
  // Whoever signed up since it was posted accepted it.
  if (notice === 'announced') return sql`a.policy_version <> ${version}`
  const announced = sql`select from policy_deliveries t
    where t.version = ${version} and t.notice = 'announced' and t.account_id = a.id`
  // A mail that may have arrived, or came back, was a promise all the same.
  if (notice === 'withdrawn') return sql`(a.policy_version = ${version} or exists (${announced} and t.state <> 'due'))`
  return sql`exists (${announced} and t.state = 'sent'
    and t.told_for < (select effective_at from policies where version = ${version}))`
}

const open = (sql: Queryable, { version, notice }: NoticeOfVersion) => sql`not exists (
  select from policy_deliveries d
  where d.version = ${version} and d.notice = ${notice} and d.account_id = a.id and d.state in ('sent', 'failed', 'bounced'))`

/** How many have not been told, and could not be given up either. */
export async function countNotNotified(sql: Queryable, told: NoticeOfVersion): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from accounts a where ${concerned(sql, told)} and ${open(sql, told)}`
  return row?.count ?? 0
}

/** The next ones of a range who have not been told, by id. */
export async function listNotNotified(
  sql: Queryable,
  { cipher }: ColumnEncryption,
  told: NoticeOfVersion,
  page: IdRange & { after: string | undefined; limit: number },
): Promise<Recipient[]> {
  const rows = await sql<{ id: string; email: Buffer; kek_id: string; wrapped_key: Buffer }[]>`
    select a.id, a.email, k.kek_id, k.wrapped_key from accounts a join data_keys k on k.account_id = a.id
    where a.id >= ${page.from}
      ${page.to === null ? sql`` : sql`and a.id < ${page.to}`}
      ${page.after === undefined ? sql`` : sql`and a.id > ${page.after}`}
      and ${concerned(sql, told)} and ${open(sql, told)}
    order by a.id limit ${page.limit}`
  return rows.map((row) => {
    const key = cipher.unwrap(row.id, { kekId: row.kek_id, wrapped: row.wrapped_key })
    return { accountId: row.id, email: tableEncryption(cipher, key, 'accounts').open('email', row.email) }
  })
}

export interface Claim {
  accountId: string
  messageRef: string
}

/**
 * Claims the right to send to these, as long as the version is what the notice says of it. Whoever is claimed already
 * is left to that attempt until its lease has run out.
 * @returns those it got
 */
export async function claimDeliveries(
  sql: Queryable,
  told: NoticeOfVersion,
  claims: readonly Claim[],
  { toldFor, at, leaseMs }: { toldFor: Date; at: Date; leaseMs: number },
): Promise<Set<string>> {
  const state = told.notice === 'withdrawn' ? 'withdrawn' : 'posted'
  const rows = await sql<{ account_id: string }[]>`
    insert into policy_deliveries (version, notice, account_id, state, attempts, told_for, claimed_at, message_ref)
    select p.version, ${told.notice}, a.id, 'sending', 1, ${toldFor}, ${at}, c.ref
    from policies p, unnest(${claims.map(({ accountId }) => accountId)}::uuid[],
      ${claims.map(({ messageRef }) => messageRef)}::text[]) as c (id, ref) join accounts a on a.id = c.id
    where p.version = ${told.version} and p.state = ${state}
    on conflict (version, notice, account_id) do update
      set state = 'sending', attempts = policy_deliveries.attempts + 1, told_for = excluded.told_for,
        claimed_at = excluded.claimed_at
      where policy_deliveries.state = 'due' or (policy_deliveries.state = 'sending'
        and policy_deliveries.claimed_at <= excluded.claimed_at - ${leaseMs} * interval '1 millisecond')
    returning account_id`
  return new Set(rows.map((row) => row.account_id))
}

export interface DeliveryResult {
  accountId: string
  state: 'sent' | 'due' | 'failed'
  code: string | null
  at: Date
}

/** Records how it went. `due`: surely not sent, to be tried again. */
export async function recordDeliveryResults(
  sql: Queryable,
  { version, notice }: NoticeOfVersion,
  settlements: readonly DeliveryResult[],
): Promise<void> {
  await sql`
    update policy_deliveries d set state = s.state, code = s.code,
      sent_at = case when s.state = 'sent' then s.at::timestamptz end
    from unnest(${settlements.map(({ accountId }) => accountId)}::uuid[],
      ${settlements.map(({ state }) => state)}::text[], ${settlements.map(({ code }) => code)}::text[],
      ${settlements.map(({ at }) => at.toISOString())}::text[]) as s (id, state, code, at)
    where d.version = ${version} and d.notice = ${notice} and d.account_id = s.id`
}

/** Nobody takes these mails. They are told by the page. @returns how many */
export async function giveUpDeliveries(sql: Queryable, { version, notice }: NoticeOfVersion): Promise<number> {
  const given = await sql`
    update policy_deliveries set state = 'failed', code = coalesce(code, 'given_up')
    where version = ${version} and notice = ${notice} and state in ('sending', 'due')`
  return given.count
}

/** A mail came back. @returns whose it was; undefined when it is none of ours */
export async function markBounced(sql: Queryable, messageRef: string, status: string): Promise<string | undefined> {
  const [row] = await sql<{ account_id: string }[]>`
    update policy_deliveries set state = 'bounced', code = ${status}
    where message_ref = ${messageRef} and state in ('sending', 'sent', 'bounced') returning account_id`
  return row?.account_id
}

/** When the last of those who were told by mail was told. */
export async function lastNotifiedAt(sql: Queryable, { version, notice }: NoticeOfVersion): Promise<Date | undefined> {
  const [row] = await sql<{ at: Date | null }[]>`
    select max(sent_at) as at from policy_deliveries
    where version = ${version} and notice = ${notice} and state = 'sent'`
  return row?.at ?? undefined
}

export interface NoticeCounts {
  notice: string
  sent: number
  /** tried again later */
  waiting: number
  /** refused for good, or given up: told by the page */
  failed: number
  bounced: number
}

export async function countNotices(sql: Queryable, version: string): Promise<NoticeCounts[]> {
  return sql<NoticeCounts[]>`
    select notice, count(*) filter (where state = 'sent')::int as sent,
      count(*) filter (where state in ('sending', 'due'))::int as waiting,
      count(*) filter (where state = 'failed')::int as failed, count(*) filter (where state = 'bounced')::int as bounced
    from policy_deliveries where version = ${version} group by notice order by notice`
}

/** Those whom mail did not reach, by id. */
export async function listUnreached(
  sql: Queryable,
  version: string,
  page: { after: string | undefined; limit: number },
): Promise<{ accountId: string; notice: string; state: 'failed' | 'bounced'; code: string | null }[]> {
  return sql<{ accountId: string; notice: string; state: 'failed' | 'bounced'; code: string | null }[]>`
    select account_id as "accountId", notice, state, code from policy_deliveries
    where version = ${version} and notice = 'announced' and state in ('failed', 'bounced')
      ${page.after === undefined ? sql`` : sql`and account_id > ${page.after}`}
    order by account_id limit ${page.limit}`
}
