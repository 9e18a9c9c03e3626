/** R4: the security log. Each UTC day has a partition, so that a whole day can be dropped. */
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
  /** `service:<key id>`, `operator:<key id>`, `person` or `anonymous`: never a name */
  actor: string
  accountId?: string | undefined
  ip?: string | undefined
  /** a route template or a code, never free text */
  detail?: string | undefined
  requestId?: string | undefined
  at: Date
}

const dayMs = 24 * 60 * 60 * 1000
/** An arbitrary constant for the advisory lock: one process at a time creates partitions. */
const partitionLock = 20_260_621
/** PostgreSQL's error code when no partition accepts a row. */
const checkViolation = '23514'

const partitionPrefix = 'security_log_'

/** The name of a UTC day's partition, for example `security_log_2026_06_20`. */
export const partitionName = (day: Date): string =>
  `${partitionPrefix}${day.toISOString().slice(0, 10).replaceAll('-', '_')}`

/** Creates the missing partitions of `days` UTC days, starting with the day of `from`. */
export async function ensurePartitions(sql: Database, from: Date, days: number): Promise<void> {
  const first = Math.floor(from.getTime() / dayMs) * dayMs
  await sql.begin(async (transaction) => {
    await transaction`select pg_advisory_xact_lock(${partitionLock})`
    for (let index = 0; index < days; index++) await makePartition(transaction, new Date(first + index * dayMs))
  })
}

async function makePartition(sql: Transaction, day: Date): Promise<void> {
  const end = new Date(day.getTime() + dayMs)
  // SQL accepts no parameters for a partition's name and bounds; both come from a Date, not from a caller.
  await sql.unsafe(`create table if not exists ${partitionName(day)} partition of security_log
    for values from ('${day.toISOString()}') to ('${end.toISOString()}')`)
}

/** The UTC days that have a partition, the oldest first. */
export async function listPartitions(sql: Queryable): Promise<Date[]> {
  const rows = await sql<{ name: string }[]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'security_log'::regclass order by 1`
  return rows.map(({ name }) => new Date(`${name.slice(partitionPrefix.length).replaceAll('_', '-')}T00:00:00.000Z`))
}

/** Dropping a partition blocks writers: rather than let them wait longer, the next attempt drops it. */
const dropTimeout = '3s'

/** Drops the partitions of days that began at `before` or earlier. @returns their number */
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
 * Writes one event. It creates a missing partition, so that late housekeeping loses no event. For an account that is
 * erased, even at the same moment, it writes no row that would survive the erasure.
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
