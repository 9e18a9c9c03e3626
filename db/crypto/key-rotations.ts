import { firstStatus } from '../../workflows/keys/key-rotation.contract.ts'
import { numberOrNull } from '../connection/bigints.ts'
import { violatedConstraint } from '../connection/constraint.ts'
import type { Queryable } from '../connection/database.ts'
import type { KeyRotations } from '../connection/schema.ts'
import type { KeyPurpose } from './encryption-keys.ts'

export type KeyRotationStatus = Exclude<KeyRotations['status'], 'draft'>

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

/** A rotation that is no draft. */
type RotationRow = KeyRotations & { status: KeyRotationStatus }

const rotationOf = (row: RotationRow): KeyRotation => ({
  id: row.id,
  purpose: row.purpose,
  toKey: row.to_key,
  status: row.status,
  rewrapped: Number(row.rewrapped),
  remaining: numberOrNull(row.remaining),
  startedAt: row.started_at,
  checkedAt: row.checked_at,
  endedAt: row.ended_at,
})

/** Stores a draft. A rotation that exists already stays as it is. */
export async function insertKeyRotation(
  sql: Queryable,
  rotation: { id: string; purpose: KeyPurpose; toKey: string; at: Date; by: string },
): Promise<void> {
  await sql`insert into key_rotations (id, purpose, to_key, status, started_at, started_by)
    values (${rotation.id}, ${rotation.purpose}, ${rotation.toKey}, 'draft', ${rotation.at}, ${rotation.by})
    on conflict (id) do nothing`
}

/** Makes a draft current; repeatable. @returns `running` when another rotation is open: the draft is deleted */
export async function openRotation(
  sql: Queryable,
  id: string,
  purpose: KeyPurpose,
): Promise<'opened' | 'gone' | 'running'> {
  try {
    const opened = await sql`
      update key_rotations set status = case status when 'draft' then ${firstStatus[purpose]} else status end
      where id = ${id} and ended_at is null`
    return opened.count === 1 ? 'opened' : 'gone'
  } catch (error) {
    if (violatedConstraint(error) !== 'key_rotations_one') throw error
    await sql`delete from key_rotations where id = ${id} and status = 'draft'`
    return 'running'
  }
}

/** Deletes drafts that were started before a time. @returns their number */
export async function deleteKeyRotationDrafts(sql: Queryable, before: Date): Promise<number> {
  const deleted = await sql`delete from key_rotations where status = 'draft' and started_at < ${before}`
  return deleted.count
}

/** The rotation, or undefined when it is missing or a draft. */
export async function findKeyRotation(sql: Queryable, id: string): Promise<KeyRotation | undefined> {
  const [row] = await sql<RotationRow[]>`select * from key_rotations where id = ${id} and status <> 'draft'`
  return row && rotationOf(row)
}

/** A page of rotations, the newest first, without drafts. */
export async function listKeyRotations(
  sql: Queryable,
  page: { after: [startedAt: string, id: string] | undefined; limit: number },
): Promise<KeyRotation[]> {
  const { after, limit } = page
  const rows = await sql<RotationRow[]>`
    select * from key_rotations
    where status <> 'draft' ${after ? sql`and (started_at, id) < (${after[0]}, ${after[1]})` : sql``}
    order by started_at desc, id desc limit ${limit}`
  return rows.map(rotationOf)
}

/**
 * Records the progress. `rewrapped` never falls, since a page may be reported twice. A rotation that has ended stays
 * so: an attempt that was given up may write after it, and nothing would end the rotation again.
 */
export async function recordRotation(
  sql: Queryable,
  id: string,
  progress: { status: KeyRotationStatus; rewrapped: number; remaining: number | null; at: Date },
): Promise<void> {
  const { status, rewrapped, remaining, at } = progress
  await sql`
    update key_rotations set status = ${status}, rewrapped = greatest(rewrapped, ${rewrapped}), remaining = ${remaining},
      checked_at = ${at}, ended_at = ${status === 'done' ? at : null}
    where id = ${id} and ended_at is null`
}
