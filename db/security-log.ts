/** R4: who did what from where. One partition per UTC day, so that a day is forgotten whole. */
import postgres from 'postgres'
import type { Database, Queryable, Transaction } from './connection/database.ts'
import { type ColumnEncryption, tableEncryption } from './crypto/column-encryption.ts'

export type SecurityEventKind =
  | 'sign_up'
  | 'sign_in'
  | 'authentication_failed'
  | 'identity_refused'
  | 'sign_in_provider_event'
  | 'operator_action'
  | 'data_exported'
  | 'email_change'
  | 'key_created'
  | 'key_revoked'

export interface SecurityEvent {
  kind: SecurityEventKind
  /** `service:<key id>`, `operator:<key id>`, `person`, `anonymous`: never a name */
  actor: string
  accountId?: string | undefined
  ip?: string | undefined
  /** a route template or a code, never free text */
  detail?: string | undefined
  requestId?: string | undefined
  at: Date
}

const dayMs = 24 * 60 * 60 * 1000
/** any constant: partitions are made by one process at a time */
const partitionLock = 20_260_621
/** what PostgreSQL says when no partition takes the row */
const checkViolation = '23514'

const partitionPrefix = 'security_log_'

/** `security_log_2026_06_20` for that UTC day. */
export const partitionName = (day: Date): string =>
  `${partitionPrefix}${day.toISOString().slice(0, 10).replaceAll('-', '_')}`

/** Makes the partitions of `days` UTC days from the one `from` falls in; those that exist stay as they are. */
export async function ensurePartitions(sql: Database, from: Date, days: number): Promise<void> {
  const first = Math.floor(from.getTime() / dayMs) * dayMs
  await sql.begin(async (transaction) => {
    await transaction`select pg_advisory_xact_lock(${partitionLock})`
    for (let index = 0; index < days; index++) await makePartition(transaction, new Date(first + index * dayMs))
  })
}

async function makePartition(sql: Transaction, day: Date): Promise<void> {
  const end = new Date(day.getTime() + dayMs)
  // Identifiers and bounds of a partition cannot be parameters; both come from a Date.
  await sql.unsafe(`create table if not exists ${partitionName(day)} partition of security_log
    for values from ('${day.toISOString()}') to ('${end.toISOString()}')`)
}

/** The UTC days that have a partition, the oldest first. */
export async function listPartitions(sql: Queryable): Promise<Date[]> {
  const rows = await sql<{ name: string }[]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'security_log'::regclass order by 1`
  return rows.map(({ name }) => new Date(`${name.slice(partitionPrefix.length).replaceAll('_', '-')}T00:00:00.000Z`))
}

/** a writer that is kept waiting longer is worse than a day's log that is dropped by the next attempt */
const dropTimeout = '3s'

/** Drops the partitions of days that began at `before` or earlier. Returns how many. */
export async function dropPartitions(sql: Database, before: Date): Promise<number> {
  const old = (await listPartitions(sql)).filter((day) => day <= before)
  for (const day of old) {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(`set local lock_timeout = '${dropTimeout}'`)
      await transaction`select pg_advisory_xact_lock(${partitionLock})`
      await transaction.unsafe(`drop table if exists ${partitionName(day)}`)
    })
  }
  return old.length
}

/**
 * Writes one event. A day without a partition gets one: an event is never lost to late housekeeping. Of an account that
 * is erased, or is being erased in this moment, nothing is noted that would outlive it.
 */
export async function recordSecurityEvent(
  sql: Database,
  encryption: ColumnEncryption,
  event: SecurityEvent,
): Promise<void> {
  const key = await encryption.dataKeys.system(sql)
  const ip = tableEncryption(encryption.cipher, key, 'security_log').sealOptional('ip', event.ip)
  const insert = (connection: Queryable) => connection`
    insert into security_log (at, kind, actor, account_id, ip, detail, request_id)
    values (${event.at}, ${event.kind}, ${event.actor},
      (select id from accounts where id = ${event.accountId ?? null} for key share), ${ip}, ${event.detail ?? null},
      ${event.requestId ?? null})`
  try {
    await insert(sql)
  } catch (error) {
    if (!(error instanceof postgres.PostgresError && error.code === checkViolation)) throw error
    await ensurePartitions(sql, event.at, 1)
    await insert(sql)
  }
}
