/** Tables with a partition for each UTC day, so that a whole day can be dropped. */
import postgres from 'postgres'
import { milliseconds } from '../../policy/periods.ts'
import { dayOf } from '../../shared/calendar.ts'
import type { Database, Queryable, Transaction } from '../connection/database.ts'

export type DailyTable = 'security_log' | 'access_log'

const { day: dayMs } = milliseconds
/** An arbitrary constant for the advisory lock: one process at a time creates partitions. */
const partitionLock = 20_260_621
/** PostgreSQL's error code when no partition accepts a row. */
const checkViolation = '23514'
/** Making or dropping a partition blocks writers: rather than let them wait longer, the next attempt does it. */
const lockTimeout = '3s'

/** The name of a UTC day's partition, for example `security_log_2026_06_20`. */
export const partitionOf = (table: DailyTable, day: Date): string => `${table}_${dayOf(day).replaceAll('-', '_')}`

/** Creates the missing partitions of `days` UTC days, starting with the day of `from`. */
export async function ensureDays(sql: Database, table: DailyTable, from: Date, days: number): Promise<void> {
  const first = Math.floor(from.getTime() / dayMs) * dayMs
  await sql.begin(async (transaction) => {
    await transaction`select pg_advisory_xact_lock(${partitionLock})`
    await transaction.unsafe(`set local lock_timeout = '${lockTimeout}'`)
    for (let index = 0; index < days; index++) await makeDay(transaction, table, new Date(first + index * dayMs))
  })
}

async function makeDay(sql: Transaction, table: DailyTable, day: Date): Promise<void> {
  const end = new Date(day.getTime() + dayMs)
  // SQL accepts no parameters for a partition's name and bounds; both come from a Date, not from a caller.
  await sql.unsafe(`create table if not exists ${partitionOf(table, day)} partition of ${table}
    for values from ('${day.toISOString()}') to ('${end.toISOString()}')`)
}

/** The UTC days that have a partition, the oldest first. */
export async function listDays(sql: Queryable, table: DailyTable): Promise<Date[]> {
  const rows = await sql<{ name: string }[]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = ${table}::regclass order by 1`
  return rows.map(({ name }) => new Date(`${name.slice(table.length + 1).replaceAll('_', '-')}T00:00:00.000Z`))
}

/** Drops the partitions of days that began at `before` or earlier. @returns their number */
export async function dropDays(sql: Database, table: DailyTable, before: Date): Promise<number> {
  const old = (await listDays(sql, table)).filter((day) => day <= before)
  for (const day of old) {
    await sql.begin(async (transaction) => {
      await transaction.unsafe(`set local lock_timeout = '${lockTimeout}'`)
      await transaction`select pg_advisory_xact_lock(${partitionLock})`
      await transaction.unsafe(`drop table if exists ${partitionOf(table, day)}`)
    })
  }
  return old.length
}

/** Inserts rows of a day, and makes its partition if late housekeeping has not: no row is lost. */
export async function insertIntoDay(
  sql: Database,
  table: DailyTable,
  day: Date,
  insert: () => PromiseLike<unknown>,
): Promise<void> {
  try {
    await insert()
  } catch (error) {
    if (!(error instanceof postgres.PostgresError && error.code === checkViolation)) throw error
    await ensureDays(sql, table, day, 1)
    await insert()
  }
}
