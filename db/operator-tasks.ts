/** Operator tasks, which the console lists until an operator settles them. */
import { randomUUID } from 'node:crypto'
import type { Queryable } from './connection/database.ts'
import type { Attention } from './connection/schema.ts'

/** Raises a task. It exists once for each kind and subject; a settled one is opened again. */
export async function raiseOperatorTask(
  sql: Queryable,
  task: { kind: string; subjectId: string; detail?: string | undefined; at: Date },
): Promise<void> {
  await sql`insert into attention (id, kind, subject_id, detail, opened_at)
    values (${randomUUID()}, ${task.kind}, ${task.subjectId}, ${task.detail ?? null}, ${task.at})
    on conflict (kind, subject_id) do update
      set detail = excluded.detail, opened_at = excluded.opened_at, resolved_at = null, resolved_by = null
      where attention.resolved_at is not null`
}

export async function resolveOperatorTask(
  sql: Queryable,
  task: { kind: string; subjectId: string; by: string; at: Date },
): Promise<void> {
  await sql`update attention set resolved_at = ${task.at}, resolved_by = ${task.by}
    where kind = ${task.kind} and subject_id = ${task.subjectId} and resolved_at is null`
}

/** Deletes a task about an erased person: once it is settled, no trace of it may stay. */
export async function forgetOperatorTask(sql: Queryable, task: { kind: string; subjectId: string }): Promise<void> {
  await sql`delete from attention where kind = ${task.kind} and subject_id = ${task.subjectId}`
}

export interface OperatorTask {
  id: string
  kind: string
  subjectId: string
  detail: string | null
  openedAt: Date
}

/** Open tasks, the oldest first. */
export async function listOpenOperatorTasks(sql: Queryable, limit: number): Promise<OperatorTask[]> {
  const rows = await sql<Attention[]>`
    select * from attention where resolved_at is null order by opened_at, id limit ${limit}`
  return rows.map((row) => ({
    id: row.id,
    kind: row.kind,
    subjectId: row.subject_id,
    detail: row.detail,
    openedAt: row.opened_at,
  }))
}

/** Settles a task by an operator. @returns false when there is no such open task */
export async function closeOperatorTask(
  sql: Queryable,
  settled: { id: string; by: string; at: Date },
): Promise<boolean> {
  const changed = await sql`
    update attention set resolved_at = ${settled.at}, resolved_by = ${settled.by}
    where id = ${settled.id} and resolved_at is null`
  return changed.count === 1
}
