/** Operator tasks, which the console lists until an operator settles them. */
import { randomUUID } from 'node:crypto'
import { dueSoon, kindsOf, type Urgency, urgencies, urgencyOf } from '../policy/operator-tasks.ts'
import type { Fragment, Queryable } from './connection/database.ts'
import type { Attention } from './connection/schema.ts'

/** Facts by which an operator decides: amounts, codes, ids of ours and of outside parties; never personal data. */
export type TaskAttributes = { readonly [name: string]: string | number | boolean | null }

export interface NewOperatorTask {
  kind: string
  subjectId: string
  detail?: string | undefined
  at: Date
  /** when it is too late to settle it */
  dueAt?: Date | null
  attributes?: TaskAttributes
}

/**
 * The columns of a task that is raised again, for `on conflict ... do update set`: a settled one begins anew, an open
 * one keeps its time, its owner and its note.
 */
export const raisedAgain = (sql: Queryable) => sql`
  opened_at = case when attention.resolved_at is null then attention.opened_at else excluded.opened_at end,
  resolved_at = null, resolved_by = null,
  owner = case when attention.resolved_at is null then attention.owner end,
  taken_at = case when attention.resolved_at is null then attention.taken_at end,
  note = case when attention.resolved_at is null then attention.note end,
  note_by = case when attention.resolved_at is null then attention.note_by end,
  noted_at = case when attention.resolved_at is null then attention.noted_at end`

/**
 * Raises a task. It exists once for each kind and subject; a settled one is opened again, and an open one gets the new
 * due date, attributes and detail.
 */
export const raiseOperatorTask = (sql: Queryable, task: NewOperatorTask): Promise<void> => raise(sql, task, sql`true`)

/**
 * Raises a task that comes up again at each look or event as long as it lasts. What an operator has settled stays
 * settled while it is the same: its detail, its facts and its due date.
 * @param since when what it is about has begun: an operator who settled the task before that did not know of it
 */
export async function raiseUnlessSettled(sql: Queryable, task: NewOperatorTask, since?: Date): Promise<void> {
  const isSame = sql`(excluded.detail is null or attention.detail is not distinct from excluded.detail)
    and attention.attributes is not distinct from excluded.attributes
    and attention.due_at is not distinct from excluded.due_at`
  const isLater = since === undefined ? sql`true` : sql`attention.resolved_at >= ${since}`
  await raise(
    sql,
    task,
    sql`coalesce(not (attention.resolved_by like 'operator:%' and ${isLater} and ${isSame}), true)`,
  )
}

/** @param unless the condition for the change of a task that is there */
async function raise(sql: Queryable, task: NewOperatorTask, unless: Fragment): Promise<void> {
  const attributes = task.attributes ? sql.json({ ...task.attributes }) : null
  await sql`insert into attention (id, kind, subject_id, detail, opened_at, due_at, attributes)
    values (${randomUUID()}, ${task.kind}, ${task.subjectId}, ${task.detail ?? null}, ${task.at}, ${task.dueAt ?? null},
      ${attributes})
    on conflict (kind, subject_id) do update
      set detail = case when attention.resolved_at is null then coalesce(excluded.detail, attention.detail)
          else excluded.detail end,
        due_at = excluded.due_at, attributes = excluded.attributes, ${raisedAgain(sql)}
      where (attention.resolved_at is not null
        or attention.due_at is distinct from excluded.due_at
        or attention.attributes is distinct from excluded.attributes
        or attention.detail is distinct from coalesce(excluded.detail, attention.detail))
        and ${unless}`
}

interface ClosedTask {
  kind: string
  subjectId: string
  /** the task as it was for this detail; default: for any */
  detail?: string
}

/** When an operator has closed the task, if it is closed. */
export async function closedByOperatorAt(
  sql: Queryable,
  { kind, subjectId, detail }: ClosedTask,
): Promise<Date | undefined> {
  const [closed] = await sql<Pick<Attention, 'resolved_at'>[]>`
    select resolved_at from attention where kind = ${kind} and subject_id = ${subjectId}
      ${detail === undefined ? sql`` : sql`and detail = ${detail}`}
      and resolved_at is not null and resolved_by like 'operator:%'`
  return closed?.resolved_at ?? undefined
}

/** Whether an operator has closed the task: they have decided, and are not asked about the same again. */
export const wasClosedByOperator = async (sql: Queryable, task: ClosedTask): Promise<boolean> =>
  (await closedByOperatorAt(sql, task)) !== undefined

/** @param task.detail replaces the task's own */
export async function resolveOperatorTask(
  sql: Queryable,
  task: { kind: string; subjectId: string; by: string; at: Date; detail?: string },
): Promise<void> {
  await sql`update attention
    set resolved_at = ${task.at}, resolved_by = ${task.by}, detail = coalesce(${task.detail ?? null}, detail)
    where kind = ${task.kind} and subject_id = ${task.subjectId} and resolved_at is null`
}

/** The subjects of all tasks of a kind, settled ones too. */
export async function listSubjectsOfTasks(sql: Queryable, kind: string): Promise<string[]> {
  const rows = await sql<Pick<Attention, 'subject_id'>[]>`select subject_id from attention where kind = ${kind}`
  return rows.map((row) => row.subject_id)
}

/** The subjects of open operator tasks of a kind. */
export async function listSubjectsOfOpenTasks(sql: Queryable, kind: string): Promise<string[]> {
  const rows = await sql<Pick<Attention, 'subject_id'>[]>`
    select subject_id from attention where kind = ${kind} and resolved_at is null`
  return rows.map((row) => row.subject_id)
}

/** The open tasks of some kinds about a subject. */
export const listOpenTasksAbout = (
  sql: Queryable,
  subjectId: string,
  kinds: readonly string[],
): Promise<Pick<Attention, 'kind' | 'detail'>[]> =>
  sql<Pick<Attention, 'kind' | 'detail'>[]>`
    select kind, detail from attention
    where subject_id = ${subjectId} and kind = any(${[...kinds]}) and resolved_at is null order by kind`

/** The facts of a task, open or settled. */
export async function findTaskAttributes(
  sql: Queryable,
  task: { kind: string; subjectId: string },
): Promise<TaskAttributes | undefined> {
  const [row] = await sql<Pick<Attention, 'attributes'>[]>`
    select attributes from attention where kind = ${task.kind} and subject_id = ${task.subjectId}`
  return row?.attributes ?? undefined
}

/** Deletes a task about an erased person: once it is settled, no trace of it may stay. */
export async function deleteOperatorTask(sql: Queryable, task: { kind: string; subjectId: string }): Promise<void> {
  await sql`delete from attention where kind = ${task.kind} and subject_id = ${task.subjectId}`
}

export interface OperatorTask {
  id: string
  kind: string
  subjectId: string
  detail: string | null
  urgency: Urgency
  openedAt: Date
  dueAt: Date | null
  attributes: TaskAttributes | null
  /** the operator who works on it, as the security log names them */
  owner: string | null
  takenAt: Date | null
  note: string | null
  /** the operator who wrote the note; null for a note from before this was recorded */
  noteBy: string | null
  notedAt: Date | null
  closedAt: Date | null
  closedBy: string | null
}

const toTask = (row: Attention, asOf: Date): OperatorTask => ({
  id: row.id,
  kind: row.kind,
  subjectId: row.subject_id,
  detail: row.detail,
  urgency: urgencyOf(row.kind, row.resolved_at ? null : row.due_at, asOf),
  openedAt: row.opened_at,
  dueAt: row.due_at,
  attributes: row.attributes,
  owner: row.owner,
  takenAt: row.taken_at,
  note: row.note,
  noteBy: row.note_by,
  notedAt: row.noted_at,
  closedAt: row.resolved_at,
  closedBy: row.resolved_by,
})

/** The open ones of the tasks about one order or account, the newest last. */
export const openTasksOf = (rows: readonly Attention[], asOf: Date): OperatorTask[] =>
  rows
    .filter((row) => row.resolved_at === null)
    .sort((a, b) => a.opened_at.getTime() - b.opened_at.getTime())
    .map((row) => toTask(row, asOf))

/** The sort keys of a task in its list. */
export type TaskPosition = readonly [rank: number, at: string, id: string]

/** Where a task is in its list: open ones by urgency and age, closed ones by the time of closing. */
export const positionOf = (task: OperatorTask): TaskPosition =>
  task.closedAt
    ? [0, task.closedAt.toISOString(), task.id]
    : [urgencies.indexOf(task.urgency), task.openedAt.toISOString(), task.id]

/** A part of the open tasks; what is undefined does not limit it. */
export interface TaskFilter {
  kind?: string | undefined
  urgency?: Urgency | undefined
  /** null: no operator has taken it */
  owner?: string | null | undefined
}

/** The place of a task's urgency in `urgencies`. */
const rankAt = (sql: Queryable, asOf: Date): Fragment =>
  sql`case when kind = any(${kindsOf('now')}) or due_at <= ${dueSoon(asOf)} then 0 when kind = any(${kindsOf('this_week')}) then 2 else 1 end`

function openOnes(sql: Queryable, { kind, urgency, owner }: TaskFilter, asOf: Date): Fragment {
  return sql`resolved_at is null
    ${kind === undefined ? sql`` : sql`and kind = ${kind}`}
    ${urgency === undefined ? sql`` : sql`and ${rankAt(sql, asOf)} = ${urgencies.indexOf(urgency)}::int`}
    ${owner === undefined ? sql`` : owner === null ? sql`and owner is null` : sql`and owner = ${owner}`}`
}

/** Open tasks, the most urgent first and of these the oldest. */
export async function listOpenOperatorTasks(
  sql: Queryable,
  page: { limit: number; after?: TaskPosition | undefined; asOf: Date; filter?: TaskFilter },
): Promise<OperatorTask[]> {
  const { limit, after, asOf, filter = {} } = page
  const rank = rankAt(sql, asOf)
  // The API shows milliseconds, the database has microseconds.
  const at = sql`date_trunc('milliseconds', opened_at)`
  const rows = await sql<Attention[]>`
    select * from attention where ${openOnes(sql, filter, asOf)}
      ${after ? sql`and (${rank}, ${at}, id) > (${after[0]}::int, ${after[1]}::timestamptz, ${after[2]}::uuid)` : sql``}
    order by ${rank}, ${at}, id limit ${limit}`
  return rows.map((row) => toTask(row, asOf))
}

/** Closed tasks, the newest first. */
export async function listClosedOperatorTasks(
  sql: Queryable,
  { limit, after, asOf }: { limit: number; after?: TaskPosition | undefined; asOf: Date },
): Promise<OperatorTask[]> {
  const at = sql`date_trunc('milliseconds', resolved_at)`
  const rows = await sql<Attention[]>`
    select * from attention where resolved_at is not null
      ${after ? sql`and (${at}, id) < (${after[1]}::timestamptz, ${after[2]}::uuid)` : sql``}
    order by ${at} desc, id desc limit ${limit}`
  return rows.map((row) => toTask(row, asOf))
}

/** How many tasks are open; without a filter all of them. */
export async function countOpenOperatorTasks(
  sql: Queryable,
  { filter, asOf }: { filter: TaskFilter; asOf: Date } = { filter: {}, asOf: new Date() },
): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from attention where ${openOnes(sql, filter, asOf)}`
  return row?.count ?? 0
}

/** The kinds of which a task is open, and how many are. */
export const countOpenTasksByKind = (sql: Queryable): Promise<(Pick<Attention, 'kind'> & { count: number })[]> =>
  sql<(Pick<Attention, 'kind'> & { count: number })[]>`
    select kind, count(*)::int as count from attention where resolved_at is null group by kind order by kind`

export async function findOperatorTask(sql: Queryable, id: string, asOf: Date): Promise<OperatorTask | undefined> {
  const [row] = await sql<Attention[]>`select * from attention where id = ${id}`
  return row && toTask(row, asOf)
}

interface TaskAct {
  id: string
  by: string
  at: Date
}

/**
 * Makes an operator the owner of an open task, also of one that another operator has taken. @returns false when there
 * is none
 */
export async function takeOperatorTask(sql: Queryable, { id, by, at }: TaskAct): Promise<boolean> {
  const changed = await sql`
    update attention set owner = ${by}, taken_at = case when owner = ${by} then taken_at else ${at} end
    where id = ${id} and resolved_at is null`
  return changed.count === 1
}

/** Replaces the note of an open task. @returns false when there is none */
export async function noteOperatorTask(
  sql: Queryable,
  { id, by, at, note }: TaskAct & { note: string },
): Promise<boolean> {
  const changed = await sql`
    update attention set note = ${note}, note_by = ${by}, noted_at = ${at} where id = ${id} and resolved_at is null`
  return changed.count === 1
}

/** Closes a task by an operator. @returns false when there is no such open task */
export async function closeOperatorTask(
  sql: Queryable,
  { id, by, at, note }: TaskAct & { note?: string | undefined },
): Promise<boolean> {
  const noted = note === undefined ? sql`` : sql`, note = ${note}, note_by = ${by}, noted_at = ${at}`
  const changed = await sql`
    update attention set resolved_at = ${at}, resolved_by = ${by}${noted}
    where id = ${id} and resolved_at is null`
  return changed.count === 1
}
