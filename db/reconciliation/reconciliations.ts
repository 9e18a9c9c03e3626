/** Reconciliations and the differences that they have found. */
import {
  type DifferenceKindName,
  differenceKinds,
  type Explanation,
  paymentKinds,
  remainderKinds,
  tasksAbout,
} from '../../policy/reconciliation.ts'
import type { ReconciliationReport } from '../../workflows/reconciliation/reconciliation.contract.ts'
import type { Queryable } from '../connection/database.ts'
import type { ReconciliationDifferences, Reconciliations } from '../connection/schema.ts'
import { raisedAgain } from '../operator-tasks.ts'

export interface Difference {
  kind: DifferenceKindName
  subjectId: string
  /**
   * which of several facts of this kind about the subject: the outside party's id; empty where there can be one alone
   */
  part: string
  detail: string
  subjectAt: Date
  explainedBy: Explanation | null
}

/** Records that a reconciliation has begun. Repeatable. */
export async function insertReconciliation(
  sql: Queryable,
  { id, at, readFrom }: { id: string; at: Date; readFrom: Date },
): Promise<void> {
  await sql`insert into reconciliations (id, state, started_at, read_from)
    values (${id}, 'running', ${at}, ${readFrom}) on conflict (id) do nothing`
}

/** Records differences, each once. */
export async function recordDifferences(
  sql: Queryable,
  reconciliationId: string,
  differences: readonly Difference[],
): Promise<void> {
  const byKey = new Map(differences.map((each) => [`${each.kind} ${each.subjectId} ${each.part}`, each]))
  const rows = [...byKey.values()].map(({ kind, subjectId, part, detail, subjectAt, explainedBy }) => ({
    reconciliation_id: reconciliationId,
    kind,
    subject_id: subjectId,
    part,
    detail,
    subject_at: subjectAt,
    explained_by: explainedBy,
  }))
  for (let start = 0; start < rows.length; start += rowsPerStatement) {
    await sql`insert into reconciliation_differences ${sql(rows.slice(start, start + rowsPerStatement))}
      on conflict (reconciliation_id, kind, subject_id, part) do update
        set detail = excluded.detail, subject_at = excluded.subject_at, explained_by = excluded.explained_by`
  }
}

/** Deletes the differences of a kind that an earlier attempt of the same step has recorded. */
export async function deleteDifferences(
  sql: Queryable,
  reconciliationId: string,
  kind: DifferenceKindName,
): Promise<void> {
  await sql`delete from reconciliation_differences where reconciliation_id = ${reconciliationId} and kind = ${kind}`
}

/** A statement of PostgreSQL takes 65,535 values. */
const rowsPerStatement = 5_000

/** The newest complete reconciliation before this one. */
const before = (sql: Queryable, reconciliationId: string) => sql`
  select id from reconciliations where state = 'complete' and id <> ${reconciliationId} order by started_at desc limit 1`

/** When the newest complete reconciliation began; undefined before the first. */
export async function lastCompleteStart(sql: Queryable): Promise<Date | undefined> {
  const [row] = await sql<Pick<Reconciliations, 'started_at'>[]>`
    select started_at from reconciliations where state = 'complete' order by started_at desc limit 1`
  return row?.started_at
}

/**
 * The newest complete reconciliation before this one, and the incomplete ones since: each may have seen what no other
 * saw.
 */
export const lastComparisons = (sql: Queryable, reconciliationId: string) => sql`
  select id from reconciliations where id <> ${reconciliationId} and started_at >= coalesce(
    (select started_at from reconciliations where id = (${before(sql, reconciliationId)})), '-infinity')`

/**
 * Takes over what the reconciliations before have found and this one does not look at, because it is older. Payments
 * are examined again, however old they are.
 */
export async function carryOver(sql: Queryable, reconciliationId: string, readFrom: Date): Promise<void> {
  await sql`
    insert into reconciliation_differences
      (reconciliation_id, kind, subject_id, part, detail, subject_at, explained_by)
    select distinct on (d.kind, d.subject_id, d.part)
      ${reconciliationId}, d.kind, d.subject_id, d.part, d.detail, d.subject_at, null
    from reconciliation_differences d join reconciliations r on r.id = d.reconciliation_id
    where r.id in (${lastComparisons(sql, reconciliationId)}) and d.explained_by is null
      and d.subject_at < ${readFrom} and d.kind <> all(${[...paymentKinds]})
    order by d.kind, d.subject_id, d.part, r.started_at desc
    on conflict do nothing`
}

/** What every comparison since a time has found in flight needs an operator, or has one: no run works that long. */
export async function endInFlight(sql: Queryable, reconciliationId: string, since: Date): Promise<void> {
  const about = Object.entries(tasksAbout).flatMap(([kind, tasks]) => tasks.map((task) => ({ kind, task })))
  const [kinds, tasks] = [about.map(({ kind }) => kind), about.map(({ task }) => task)]
  await sql`
    update reconciliation_differences d set explained_by = case when exists (
      select from attention a join unnest(${kinds}::text[], ${tasks}::text[]) as t (kind, task) on t.task = a.kind
      where t.kind = d.kind and a.subject_id = d.subject_id and a.resolved_at is null)
      then ${'with_an_operator' satisfies Explanation} end
    where d.reconciliation_id = ${reconciliationId} and d.explained_by = ${'in_flight' satisfies Explanation} and exists (
      select from reconciliations r join reconciliation_differences first on first.reconciliation_id = r.id
      where r.started_at <= ${since} and r.id <> ${reconciliationId}
        and (first.kind, first.subject_id, first.part) = (d.kind, d.subject_id, d.part)
        and not exists (
          select from reconciliations later where later.state = 'complete' and later.started_at > r.started_at
            and later.id <> ${reconciliationId} and not exists (
              select from reconciliation_differences also where also.reconciliation_id = later.id
                and (also.kind, also.subject_id, also.part) = (d.kind, d.subject_id, d.part))))`
}

/**
 * Differences whose task an operator has closed stay closed while they are the same. A task has all parts of its
 * subject: what was accepted of them stays so when another part comes and opens the task again.
 */
export async function acceptDecided(sql: Queryable, reconciliationId: string): Promise<void> {
  await sql`
    update reconciliation_differences d set explained_by = ${'accepted_by_operator' satisfies Explanation}
    where reconciliation_id = ${reconciliationId} and explained_by is null and (exists (
      select from attention a where a.kind = d.kind and a.subject_id = d.subject_id
        and a.resolved_at is not null and a.resolved_by <> all(${[...automatic]})
        and (a.detail = d.detail
          or ((d.part <> '' or d.kind = any(${[...remainderKinds]})) and position(d.detail in a.detail) > 0)))
      or d.part <> '' and exists (
        select from reconciliation_differences l where l.reconciliation_id in (${lastComparisons(sql, reconciliationId)})
          and (l.kind, l.subject_id, l.part, l.detail) = (d.kind, d.subject_id, d.part, d.detail)
          and l.explained_by = ${'accepted_by_operator' satisfies Explanation}))`
}

/**
 * Makes an operator task of the unexplained differences of each kind and subject. An open one gets today's detail; that
 * of a remainder keeps those of the nights before, which no later night finds again.
 */
export async function raiseDifferences(sql: Queryable, reconciliationId: string, at: Date): Promise<void> {
  await sql`
    insert into attention (id, kind, subject_id, detail, opened_at)
    select gen_random_uuid(), kind, subject_id, string_agg(detail, '; ' order by part), ${at} from reconciliation_differences
    where reconciliation_id = ${reconciliationId} and explained_by is null
    group by kind, subject_id
    on conflict (kind, subject_id) do update set
      detail = case
        when attention.resolved_at is not null or attention.kind <> all(${[...remainderKinds]}) then excluded.detail
        when position(excluded.detail in attention.detail) > 0 then attention.detail
        else concat_ws('; ', attention.detail, excluded.detail) end,
      ${raisedAgain(sql)}`
}

const resolver = 'reconciliation'
/** who resolves tasks of these kinds without an operator */
const automatic = [resolver, 'payment_sweep']

/**
 * The hourly payment sweep resolves the tasks of payments. A remainder does not go by itself: the next reading begins
 * where the one with the remainder has ended.
 */
const resolvedElsewhere: readonly string[] = ['payment_without_order', ...remainderKinds] satisfies DifferenceKindName[]

/** Resolves the tasks of differences that are gone. @param startedAt later tasks are not of this reconciliation */
export async function resolveGone(
  sql: Queryable,
  reconciliationId: string,
  { startedAt, at }: { startedAt: Date; at: Date },
): Promise<void> {
  const kinds = Object.keys(differenceKinds).filter((kind) => !resolvedElsewhere.includes(kind))
  await sql`
    update attention a set resolved_at = ${at}, resolved_by = ${resolver}
    where kind = any(${kinds}) and resolved_at is null and opened_at <= ${startedAt} and not exists (
      select from reconciliation_differences d where d.reconciliation_id = ${reconciliationId}
        and d.kind = a.kind and d.subject_id = a.subject_id and d.explained_by is null)`
}

/** How many differences of each kind were found, by the rule that explains them. */
export async function countDifferences(
  sql: Queryable,
  reconciliationId: string,
): Promise<{ kind: DifferenceKindName; explainedBy: Explanation | null; count: number }[]> {
  const rows = await sql<(Pick<ReconciliationDifferences, 'kind' | 'explained_by'> & { count: number })[]>`
    select kind, explained_by, count(*)::int as count from reconciliation_differences
    where reconciliation_id = ${reconciliationId} group by kind, explained_by order by kind`
  return rows.map(({ kind, explained_by, count }) => ({ kind, explainedBy: explained_by, count }))
}

export async function finishReconciliation(
  sql: Queryable,
  { id, at, report }: { id: string; at: Date; report: ReconciliationReport },
): Promise<void> {
  await sql`update reconciliations set state = ${report.failed.length === 0 ? 'complete' : 'incomplete'},
      finished_at = ${at}, report = ${JSON.stringify(report)}::text::jsonb where id = ${id}`
}

/** When the newest complete reconciliation before this one began. */
export async function startOfTheOneBefore(sql: Queryable, reconciliationId: string): Promise<Date | undefined> {
  const [row] = await sql<Pick<Reconciliations, 'started_at'>[]>`
    select started_at from reconciliations where id = (${before(sql, reconciliationId)})`
  return row?.started_at
}

/** Deletes old reconciliations with their differences. */
export async function deleteReconciliations(sql: Queryable, before: Date): Promise<void> {
  await sql`delete from reconciliations where started_at < ${before}`
}

export interface Reconciliation {
  id: string
  state: Reconciliations['state']
  startedAt: Date
  readFrom: Date
  finishedAt: Date | null
  report: ReconciliationReport | null
}

const reconciliationOf = (row: Reconciliations): Reconciliation => ({
  id: row.id,
  state: row.state,
  startedAt: row.started_at,
  readFrom: row.read_from,
  finishedAt: row.finished_at,
  report: row.report,
})

/** The newest first. */
export async function listReconciliations(sql: Queryable, limit: number): Promise<Reconciliation[]> {
  const rows = await sql<Reconciliations[]>`
    select * from reconciliations order by started_at desc, id limit ${limit}`
  return rows.map(reconciliationOf)
}

export async function findReconciliation(sql: Queryable, id: string): Promise<Reconciliation | undefined> {
  const [row] = await sql<Reconciliations[]>`select * from reconciliations where id = ${id}`
  return row && reconciliationOf(row)
}

/** The recorded differences, unexplained ones first, and last those that need nobody yet. */
export async function listDifferences(
  sql: Queryable,
  reconciliationId: string,
  limit: number,
): Promise<(Omit<Difference, 'kind' | 'explainedBy'> & { kind: string; explainedBy: string | null })[]> {
  const rows = await sql<ReconciliationDifferences[]>`
    select * from reconciliation_differences where reconciliation_id = ${reconciliationId}
    order by coalesce(explained_by = ${'in_flight' satisfies Explanation}, false), explained_by nulls first, kind,
      subject_id, part limit ${limit}`
  return rows.map((row) => ({
    kind: row.kind,
    subjectId: row.subject_id,
    part: row.part,
    detail: row.detail,
    subjectAt: row.subject_at,
    explainedBy: row.explained_by,
  }))
}
