/**
 * S1, sensitive data is encrypted at rest: the encryption keys by id, past ones too, and the number of data keys that
 * need each.
 */
import type { Queryable } from '../connection/database.ts'
import type { Backups, DataKeys, EncryptionKeys } from '../connection/schema.ts'
import type { IdRange } from '../policy-deliveries.ts'
import type { FieldCipher } from './field-cipher.ts'

export type KeyPurpose = EncryptionKeys['purpose']

export interface KnownKey {
  purpose: KeyPurpose
  id: string
  firstSeenAt: Date
  activeSince: Date | null
  retiredAt: Date | null
}

/** Records the keys of a keyring. A retired key that is active again is no longer retired. */
export async function noteKeys(
  sql: Queryable,
  keyring: { purpose: KeyPurpose; ids: string[]; activeId: string; at: Date },
): Promise<void> {
  const { purpose, activeId, at } = keyring
  for (const id of keyring.ids) {
    const activeSince = id === activeId ? at : null
    await sql`
      insert into encryption_keys (purpose, id, first_seen_at, active_since)
      values (${purpose}, ${id}, ${at}, ${activeSince})
      on conflict (purpose, id) do update set active_since = coalesce(encryption_keys.active_since, excluded.active_since),
        retired_at = case when ${id === activeId} then null else encryption_keys.retired_at end`
  }
}

/** Every key that was ever seen, by purpose and age; without the keys themselves. */
export async function listKeys(sql: Queryable): Promise<KnownKey[]> {
  const rows = await sql<EncryptionKeys[]>`select * from encryption_keys order by purpose, first_seen_at, id`
  return rows.map((row) => ({
    purpose: row.purpose,
    id: row.id,
    firstSeenAt: row.first_seen_at,
    activeSince: row.active_since,
    retiredAt: row.retired_at,
  }))
}

/** Retires every other key of a purpose. */
export async function retireKeys(sql: Queryable, purpose: KeyPurpose, exceptId: string, at: Date): Promise<void> {
  await sql`update encryption_keys set retired_at = ${at}
    where purpose = ${purpose} and id <> ${exceptId} and retired_at is null and first_seen_at <= ${at}`
}

/** The number of data keys that each key-encryption key wraps. */
export async function countWrapped(sql: Queryable): Promise<{ kekId: string; count: number }[]> {
  const rows = await sql<(Pick<DataKeys, 'kek_id'> & { count: number })[]>`
    select kek_id, count(*)::int as count from data_keys group by kek_id order by kek_id`
  return rows.map(({ kek_id, count }) => ({ kekId: kek_id, count }))
}

/** The number of data keys that another key-encryption key wraps. */
export async function countNotUnder(sql: Queryable, kekId: string): Promise<number> {
  return (await countWrapped(sql)).reduce((sum, each) => sum + (each.kekId === kekId ? 0 : each.count), 0)
}

/**
 * Wraps the data keys of a range again under the active key. A key that is deleted meanwhile stays deleted.
 * @returns the number of keys that another key had wrapped
 */
export async function rewrapRange(sql: Queryable, cipher: FieldCipher, range: IdRange): Promise<number> {
  const rows = await sql<DataKeys[]>`
    select account_id, kek_id, wrapped_key from data_keys
    where kek_id <> ${cipher.activeKekId} and account_id >= ${range.from}
      ${range.to === null ? sql`` : sql`and account_id < ${range.to}`}`
  if (rows.length === 0) return 0
  // Hexadecimal, since postgres.js can only send arrays of text.
  const wrapped = rows.map((row) => {
    const fresh = cipher.rewrap(row.account_id, { kekId: row.kek_id, wrapped: row.wrapped_key })
    return fresh.wrapped.toString('hex')
  })
  const changed = await sql`
    update data_keys d set kek_id = ${cipher.activeKekId}, wrapped_key = decode(fresh.wrapped_key, 'hex')
    from unnest(${rows.map((row) => row.account_id)}::uuid[], ${rows.map((row) => row.kek_id)}::text[],
      ${wrapped}::text[]) as fresh (account_id, kek_id, wrapped_key)
    where d.account_id = fresh.account_id and d.kek_id = fresh.kek_id`
  return changed.count
}

/**
 * Whether the key snapshot of the backups may be from before a time. Only the newest snapshot is kept.
 */
export async function snapshotIsOlder(sql: Queryable, than: Date): Promise<boolean> {
  const [newest] = await sql<Pick<Backups, 'started_at'>[]>`
    select started_at from backups where state = 'kept' order by started_at desc limit 1`
  return newest !== undefined && newest.started_at <= than
}
