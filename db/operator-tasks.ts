/** What only a person can settle, shown to operators until resolved. */
import { randomUUID } from 'node:crypto'
import type { Queryable } from './connection/database.ts'

/** Repeatable: the same matter stands once; a matter that comes back is opened again. */
export async function raiseAttention(
  sql: Queryable,
  matter: { kind: string; subjectId: string; detail?: string | undefined; at: Date },
): Promise<void> {
  await sql`insert into attention (id, kind, subject_id, detail, opened_at)
    values (${randomUUID()}, ${matter.kind}, ${matter.subjectId}, ${matter.detail ?? null}, ${matter.at})
    on conflict (kind, subject_id) do update
      set detail = excluded.detail, opened_at = excluded.opened_at, resolved_at = null, resolved_by = null
      where attention.resolved_at is not null`
}

export async function resolveAttention(
  sql: Queryable,
  matter: { kind: string; subjectId: string; by: string; at: Date },
): Promise<void> {
  await sql`update attention set resolved_at = ${matter.at}, resolved_by = ${matter.by}
    where kind = ${matter.kind} and subject_id = ${matter.subjectId} and resolved_at is null`
}

/** For a matter of somebody who was erased: once settled, nothing of it may stay. */
export async function forgetAttention(sql: Queryable, matter: { kind: string; subjectId: string }): Promise<void> {
  await sql`delete from attention where kind = ${matter.kind} and subject_id = ${matter.subjectId}`
}

export interface Matter {
  id: string
  kind: string
  subjectId: string
  detail: string | null
  openedAt: Date
}

/** What waits, the oldest first. */
export async function listOpenMatters(sql: Queryable, limit: number): Promise<Matter[]> {
  return sql<Matter[]>`
    select id, kind, subject_id as "subjectId", detail, opened_at as "openedAt" from attention
    where resolved_at is null order by opened_at, id limit ${limit}`
}

/** By an operator who has seen to it. False when there is no such open matter. */
export async function settleMatter(sql: Queryable, settled: { id: string; by: string; at: Date }): Promise<boolean> {
  const changed = await sql`
    update attention set resolved_at = ${settled.at}, resolved_by = ${settled.by}
    where id = ${settled.id} and resolved_at is null`
  return changed.count === 1
}
