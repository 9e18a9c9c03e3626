import type { Queryable } from './database.ts'
import type { KeyPurpose } from './encryption-keys.ts'

export type KeyRotationStatus =
  | 'rewrapping'
  | 'waiting_for_processes'
  | 'waiting_for_backup'
  | 'waiting_for_runs'
  | 'done'

export interface KeyRotation {
  id: string
  purpose: KeyPurpose
  toKey: string
  status: KeyRotationStatus
  rewrapped: number
  remaining: number | null
  startedAt: Date
  checkedAt: Date | null
  endedAt: Date | null
}

const columns = (sql: Queryable) => sql`
  id, purpose, to_key as "toKey", status, rewrapped::int, remaining::int, started_at as "startedAt",
  checked_at as "checkedAt", ended_at as "endedAt"`

/** @throws PostgresError when one of this purpose is under way: constraint `key_rotations_one` */
export async function insertKeyRotation(
  sql: Queryable,
  rotation: { id: string; purpose: KeyPurpose; toKey: string; status: KeyRotationStatus; at: Date; by: string },
): Promise<void> {
  await sql`insert into key_rotations (id, purpose, to_key, status, started_at, started_by)
    values (${rotation.id}, ${rotation.purpose}, ${rotation.toKey}, ${rotation.status}, ${rotation.at}, ${rotation.by})`
}

export async function findKeyRotation(sql: Queryable, id: string): Promise<KeyRotation | undefined> {
  const [row] = await sql<KeyRotation[]>`select ${columns(sql)} from key_rotations where id = ${id}`
  return row
}

/** The youngest first. */
export async function listKeyRotations(
  sql: Queryable,
  page: { after: [startedAt: string, id: string] | undefined; limit: number },
): Promise<KeyRotation[]> {
  const { after, limit } = page
  return sql<KeyRotation[]>`
    select ${columns(sql)} from key_rotations
    ${after ? sql`where (started_at, id) < (${after[0]}, ${after[1]})` : sql``}
    order by started_at desc, id desc limit ${limit}`
}

/** Writes down how far it has come. `rewrapped` never falls: a page may be reported twice. */
export async function recordRotation(
  sql: Queryable,
  id: string,
  progress: { status: KeyRotationStatus; rewrapped: number; remaining: number | null; at: Date },
): Promise<void> {
  const { status, rewrapped, remaining, at } = progress
  await sql`
    update key_rotations set status = ${status}, rewrapped = greatest(rewrapped, ${rewrapped}), remaining = ${remaining},
      checked_at = ${at}, ended_at = ${status === 'done' ? at : null}
    where id = ${id}`
}
