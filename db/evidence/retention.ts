/**
 * R2, R3, R4, U5, books, backups, security logs and counts are kept for limited times: figures which show that none is
 * kept beyond its period.
 */
import type { Readings } from '../../policy/figures.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { type BooksPeriod, dayOf, plusMs, plusYears, startOfDay } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import { onlyRow } from '../connection/only-row.ts'
import type { BackupStore, VelocityCounts } from '../connection/schema.ts'

/** The deletion of a month may start on the last day and take a while. */
const graceDays = 2

export async function readRetentionFigures(sql: Queryable, asOf: Date, booksPeriod: BooksPeriod): Promise<Readings> {
  const booksKeptSince = firstKeptDay(new Date(asOf.getTime() - graceDays * milliseconds.day), booksPeriod)
  const [books, store, ledger, log, velocity] = await Promise.all([
    sql<{ count: number }[]>`select (
      (select count(*) from invoices where issued_on < ${booksKeptSince}::date
        and date_trunc('month', issued_on)::date not in (select month from books_holds))
      + (select count(*) from order_facts where paid_on < ${booksKeptSince}::date
        and date_trunc('month', paid_on)::date not in (select month from books_holds)))::int as count`,
    sql<
      (Pick<BackupStore, 'oldest_at' | 'newest_at'> & {
        read_at: BackupStore['read_at'] | null
        first_account: Date | null
      })[]
    >`
      select read_at, oldest_at, newest_at, (select min(created_at) from accounts) as first_account
      from (values (1)) as one left join backup_store on true`,
    sql<{ count: number }[]>`
      select count(*)::int as count from deletion_ledger e
      where entry = 'erased' and backups_gone_by < ${new Date(asOf.getTime() - graceDays * milliseconds.day)}
        and not exists (select from deletion_ledger g where g.account_ref = e.account_ref and g.entry = 'backups_gone')`,
    sql<{ oldest: string | null }[]>`
      select min(substring(relname from '\\d{4}_\\d{2}_\\d{2}$')) as oldest from pg_class
      where relispartition and relkind = 'r' and (relname like 'security_log_%' or relname like 'access_log_%')`,
    sql<{ oldest: VelocityCounts['hour'] | null }[]>`select min(hour) as oldest from velocity_counts`,
  ])
  const partition = onlyRow(log).oldest
  const firstDay = partition ? new Date(`${partition.replaceAll('_', '-')}T00:00:00Z`) : asOf
  const firstCount = onlyRow(velocity).oldest
  return {
    books_past_term: { value: onlyRow(books).count },
    ...backupFigures(onlyRow(store), asOf),
    uncounted_backups: { value: onlyRow(ledger).count },
    oldest_velocity_count: { value: firstCount ? Math.max(0, daysSince(firstCount, asOf)) : 0 },
    oldest_security_log: { value: Math.max(0, daysSince(firstDay, asOf)) },
  }
}

interface Store {
  read_at: Date | null
  oldest_at: Date | null
  newest_at: Date | null
  first_account: Date | null
}

/**
 * R3, backups are kept for at most 30 days: reads the store, and not the catalogue. Without a backup in the store,
 * nobody knows that the old ones are deleted.
 */
function backupFigures({ read_at, oldest_at, newest_at, first_account }: Store, asOf: Date): Readings {
  const since = plusMs(asOf, -periods.backups.nextWithinMs)
  const isKnown = (read_at ?? since) > since
  // A new shop has its first backup in the first night.
  const isDue = (first_account ?? asOf) <= since
  const lastAt = isKnown && newest_at ? newest_at : isDue ? (newest_at ?? first_account) : null
  const detail = !newest_at && { detail: 'no backup' }
  return {
    newest_backup: { value: lastAt ? Math.max(0, daysSince(lastAt, asOf)) : null, ...detail },
    oldest_backup: { value: isKnown && oldest_at ? daysSince(oldest_at, asOf) : null, ...detail },
  }
}

/** The days between two times, with one decimal. */
export const daysSince = (from: Date, asOf: Date): number =>
  Math.round(((asOf.getTime() - from.getTime()) / milliseconds.day) * 10) / 10

/** The oldest day whose documents are still within their period. */
function firstKeptDay(asOf: Date, { years, countFrom }: BooksPeriod): string {
  const day =
    countFrom === 'year_end'
      ? new Date(Date.UTC(asOf.getUTCFullYear() - years, 0, 1))
      : plusYears(startOfDay(asOf), -years)
  return dayOf(day)
}
