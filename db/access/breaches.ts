/** Personal data breaches: what is known of each, and the people whose data was read. */
import type { FieldGroup } from '../../policy/field-groups.ts'
import type { Database, Queryable, Transaction } from '../connection/database.ts'
import type { Accounts, Breaches, BreachPeople, Sends } from '../connection/schema.ts'
import { raiseOperatorTask, resolveOperatorTask, wasClosedByOperator } from '../operator-tasks.ts'

export type Breach = Breaches

export type NewBreach = Pick<
  Breaches,
  | 'id'
  | 'key_id'
  | 'session'
  | 'read_from'
  | 'read_until'
  | 'nature'
  | 'consequences'
  | 'measures'
  | 'contact'
  | 'aware_at'
  | 'authority_due_at'
  | 'opened_at'
  | 'opened_by'
>

/** Stores a draft, which its run makes current. An existing one stays as it is. */
export async function insertBreach(sql: Queryable, breach: NewBreach): Promise<void> {
  await sql`insert into breaches ${sql({ ...breach, state: 'draft' } satisfies Partial<Breaches>)}
    on conflict (id) do nothing`
}

export async function findBreach(sql: Queryable, id: string): Promise<Breach | undefined> {
  const [row] = await sql<Breach[]>`select * from breaches where id = ${id}`
  return row
}

/** The newest first. */
export const listBreaches = (sql: Queryable, limit: number): Promise<Breach[]> =>
  sql<Breach[]>`select * from breaches order by opened_at desc, id limit ${limit}`

/** Breaches of which authority or people are not settled yet, the oldest first. */
export const listOpenBreaches = (sql: Queryable): Promise<Breach[]> =>
  sql<Breach[]>`select * from breaches where state = 'open' order by opened_at, id`

/** Drafts without a run: the clock of a breach runs, whether or not its operator got an error. */
export const listBreachDrafts = (sql: Queryable, before: Date): Promise<Breach[]> =>
  sql<Breach[]>`select * from breaches where state = 'draft' and opened_at < ${before}`

/**
 * Makes a draft current, and finds whose data was read, and which, in one statement over the access log. Repeatable.
 * @returns undefined when there is no such breach
 */
export async function openBreach(sql: Database, id: string): Promise<Breach | undefined> {
  return sql.begin(async (tx) => {
    const breach = await lockBreach(tx, id)
    return breach?.state === 'draft' ? countReads(tx, breach) : breach
  })
}

/**
 * Counts once more, because a read that was under way may be on record only since the first count.
 * @returns the breach, and how many people were added
 */
export async function countBreachAgain(
  sql: Database,
  id: string,
): Promise<{ breach: Breach; added: number } | undefined> {
  return sql.begin(async (tx) => {
    const before = await lockBreach(tx, id)
    if (before?.state !== 'open') return undefined
    const breach = await countReads(tx, before)
    return breach && { breach, added: (breach.people ?? 0) - (before.people ?? 0) }
  })
}

async function lockBreach(tx: Transaction, id: string): Promise<Breach | undefined> {
  const [breach] = await tx<Breach[]>`select * from breaches where id = ${id} for update`
  return breach
}

async function countReads(
  tx: Transaction,
  { id, key_id, session, read_from, read_until }: Breach,
): Promise<Breach | undefined> {
  // A person who was erased meanwhile still counts, without a row.
  const counted = tx`select count(*)::int as people, coalesce(sum(reads), 0)::int as reads from breach_people
    where breach_id = ${id}`
  const [before] = await tx<{ people: number; reads: number }[]>`${counted}`
  await tx`
    insert into breach_people (breach_id, account_id, fields, reads, first_at, last_at)
    select ${id}, seen.account_id, array_agg(distinct f order by f), count(distinct seen.id), min(seen.at), max(seen.at)
    from (
      select l.account_id, l.id, l.at, f from access_log l, unnest(l.fields) f
      where l.at >= ${read_from} and l.at <= ${read_until}
        ${key_id === null ? tx`` : tx`and l.actor_id = ${key_id}`}
        ${session === null ? tx`` : tx`and l.session = ${session}`}
      -- An endpoint goes on being told after the time in which somebody has given its address. No session does that.
      union all
      select e.account_id, e.id, greatest(e.at, r.made_at),
        case when e.type like 'consent.%' then 'consents' else 'orders' end
      from event_recipients r
        join events e on e.at >= r.told_since and (r.told_until is null or e.at <= r.told_until)
          and (r.types is null or e.type = any(r.types))
      where e.account_id is not null and r.made_at >= ${read_from} and r.made_at <= ${read_until}
        ${key_id === null ? tx`` : tx`and r.actor_id = ${key_id}`}
        ${session === null ? tx`` : tx`and false`}
    ) seen (account_id, id, at, f) join accounts a on a.id = seen.account_id
    group by seen.account_id
    on conflict (breach_id, account_id) do update set fields = excluded.fields, reads = excluded.reads,
      first_at = excluded.first_at, last_at = excluded.last_at`
  const [opened] = await tx<Breach[]>`
    update breaches set state = 'open', people = coalesce(breaches.people, 0) + known.people - ${before?.people ?? 0},
      reads = coalesce(breaches.reads, 0) + known.reads - ${before?.reads ?? 0}
    from (${counted}) known where id = ${id} returning breaches.*`
  return opened
}

/** Changes columns of a breach in any state. */
export async function changeBreach(sql: Queryable, id: string, change: Partial<Breaches>): Promise<void> {
  await sql`update breaches set ${sql(change)} where id = ${id}`
}

/**
 * Records that the authority was notified, or why it is not. The first record counts. @returns false when there was one
 */
export async function settleAuthority(
  sql: Queryable,
  id: string,
  settled: Pick<Breaches, 'authority_told_at' | 'authority_reference' | 'authority_not_told_because'>,
): Promise<boolean> {
  const { count } = await sql`update breaches set ${sql(settled)}
    where id = ${id} and state = 'open' and authority_told_at is null and authority_not_told_because is null`
  return count === 1
}

/** Records whether the people are notified. The first record counts. @returns false when there was one */
export async function decideOnPeople(
  sql: Queryable,
  id: string,
  decided: Pick<Breaches, 'people_decision' | 'people_not_told_because'>,
): Promise<boolean> {
  const { count } = await sql`update breaches set ${sql(decided)}
    where id = ${id} and state = 'open' and people_decision is null`
  return count === 1
}

/** The groups of fields that were read, of anybody. */
export async function fieldsOfBreach(sql: Queryable, id: string): Promise<FieldGroup[]> {
  const rows = await sql<{ field: FieldGroup }[]>`
    select distinct unnest(fields) as field from breach_people where breach_id = ${id} order by 1`
  return rows.map(({ field }) => field)
}

export const breachMailKind = 'mail:breach'

export type AffectedPerson = Pick<BreachPeople, 'id' | 'account_id' | 'fields' | 'reads' | 'first_at' | 'last_at'> & {
  /** of the mail; null before it */
  mail: Sends['state'] | null
}

/** The people of a breach, by account. */
export const listAffected = (
  sql: Queryable,
  page: { breachId: string; after: string | undefined; limit: number },
): Promise<AffectedPerson[]> => sql<AffectedPerson[]>`
  select p.id, p.account_id, p.fields, p.reads, p.first_at, p.last_at, s.state as mail
  from breach_people p left join sends s on s.subject_id = p.id and s.kind = ${breachMailKind}
  where p.breach_id = ${page.breachId} ${page.after === undefined ? sql`` : sql`and p.account_id > ${page.after}`}
  order by p.account_id limit ${page.limit}`

/** People whose mail is neither sent nor given up. */
export const listPeopleToNotify = (sql: Queryable, breachId: string, limit: number): Promise<AffectedPerson[]> =>
  sql<AffectedPerson[]>`
    select p.id, p.account_id, p.fields, p.reads, p.first_at, p.last_at, null as mail from breach_people p
    where p.breach_id = ${breachId} and not exists (
      select from sends s where s.subject_id = p.id and s.kind = ${breachMailKind}
        and s.state in ('sent', 'failed', 'skipped'))
    order by p.id limit ${limit}`

/** Kind of the operator task of people who were to be notified of a breach and whose address takes no mail. */
const peopleUnreached = 'breach_people_unreached'

/**
 * Raises a task when mails of a breach have failed or come back: article 34(3)(c) asks for another way to notify these
 * people. Who has closed it has found one: it does not come again.
 */
export async function raiseUnreached(sql: Queryable, breachId: string, at: Date): Promise<void> {
  const [row] = await sql<{ unreached: number }[]>`
    select count(*)::int as unreached from breach_people p
    join sends s on s.subject_id = p.id and s.kind = ${breachMailKind}
    where p.breach_id = ${breachId} and s.state = 'failed'`
  const unreached = row?.unreached ?? 0
  const task = { kind: peopleUnreached, subjectId: breachId, at }
  if (unreached > 0) {
    if (await wasClosedByOperator(sql, task)) return
    await raiseOperatorTask(sql, { ...task, attributes: { people: unreached } })
  } else await resolveOperatorTask(sql, { ...task, by: 'reached' })
}

export type MissedPerson = AffectedPerson & Pick<BreachPeople, 'breach_id'> & Pick<Accounts, 'email_index'>

/**
 * People whom the mail of a breach did not reach, and who have another address now, or one that takes mail again, by id.
 * `due`, `sending`: one to whom it was not sent since, or by an attempt that has died.
 * @param page.toldSince of breaches whose people were told since
 */
export const listMissedPeople = (
  sql: Queryable,
  page: { toldSince: Date; after: string | undefined; limit: number },
): Promise<MissedPerson[]> =>
  sql<MissedPerson[]>`
    select p.id, p.breach_id, p.account_id, p.fields, p.reads, p.first_at, p.last_at, s.state as mail, a.email_index
    from breach_people p join breaches b on b.id = p.breach_id join accounts a on a.id = p.account_id
    join sends s on s.subject_id = p.id and s.kind = ${breachMailKind}
    where b.people_told_at >= ${page.toldSince} and (s.state in ('due', 'sending')
      or (s.state = 'failed' and a.mail_state = 'ok' and s.address_index is distinct from a.email_index))
      ${page.after === undefined ? sql`` : sql`and p.id > ${page.after}`}
    order by p.id limit ${page.limit}`

/** The breach that a mail was about. @param subjectId as in the send ledger */
export async function findBreachOfMail(sql: Queryable, subjectId: string): Promise<string | undefined> {
  const [row] = await sql<
    Pick<BreachPeople, 'breach_id'>[]
  >`select breach_id from breach_people where id = uuid_or_null(${subjectId})`
  return row?.breach_id
}
