/** Balances at outside parties: where the last reading ended, and how fast we spend. */
import { milliseconds } from '../../policy/periods.ts'
import type { Queryable } from '../connection/database.ts'
import type { ProcessorBalances, ProviderBalances } from '../connection/schema.ts'

/** What Stripe should hold by the books, and until when they were read. */
export async function listProcessorBalances(sql: Queryable): Promise<ProcessorBalances[]> {
  return sql<ProcessorBalances[]>`select * from processor_balances order by currency`
}

/** Records what Stripe should hold by the books. @param readUntil the end of what was read */
export async function recordProcessorBalances(
  sql: Queryable,
  balances: readonly { currency: string; closingMinor: number }[],
  readUntil: Date,
): Promise<void> {
  if (balances.length === 0) return
  const rows = balances.map(({ currency, closingMinor }) => ({
    currency,
    balance_minor: String(closingMinor),
    read_until: readUntil,
  }))
  await sql`insert into processor_balances ${sql(rows)}
    on conflict (currency) do update set balance_minor = excluded.balance_minor, read_until = excluded.read_until`
}

/** Our own count of what a provider has charged, and what it may be charging at this moment. */
export async function readSpending(
  sql: Queryable,
  provider: string,
): Promise<{ spentMicros: number; underWayMicros: number }> {
  const [row] = await sql<{ spent: bigint; under_way: bigint }[]>`
    select coalesce((select spent_micros from provider_spending where provider = ${provider}), 0)::bigint as spent,
      coalesce((select sum(expected_cost_micros) from provider_orders
        where provider = ${provider} and provider_order_no is null and state in ('placing', 'releasing')), 0)::bigint
        as under_way`
  return { spentMicros: Number(row?.spent ?? 0n), underWayMicros: Number(row?.under_way ?? 0n) }
}

export interface BalanceReading {
  provider: string
  readAt: Date
  balanceMicros: number
  currency: string
  spentMicros: number
}

const readingOf = (row: ProviderBalances): BalanceReading => ({
  provider: row.provider,
  readAt: row.read_at,
  balanceMicros: Number(row.balance_micros),
  currency: row.currency,
  spentMicros: Number(row.spent_micros),
})

export async function recordReading(sql: Queryable, reading: BalanceReading): Promise<void> {
  await sql`insert into provider_balances (provider, read_at, balance_micros, currency, spent_micros)
    values (${reading.provider}, ${reading.readAt}, ${String(reading.balanceMicros)}, ${reading.currency},
      ${String(reading.spentMicros)})
    on conflict (provider, read_at) do nothing`
}

/** The newest reading before a time. */
export async function findReadingBefore(
  sql: Queryable,
  provider: string,
  before: Date,
): Promise<BalanceReading | undefined> {
  const [row] = await sql<ProviderBalances[]>`
    select * from provider_balances where provider = ${provider} and read_at < ${before}
    order by read_at desc limit 1`
  return row && readingOf(row)
}

/** The newest reading of each provider, and the one with which to compare it: the oldest since a time. */
export async function listNewestReadings(
  sql: Queryable,
  since: Date,
): Promise<{ newest: BalanceReading; first: BalanceReading }[]> {
  const rows = await sql<ProviderBalances[]>`
    select distinct on (provider) * from provider_balances order by provider, read_at desc`
  const firsts = await sql<ProviderBalances[]>`
    select distinct on (provider) * from provider_balances where read_at >= ${since} order by provider, read_at`
  return rows.map((row) => {
    const newest = readingOf(row)
    const first = firsts.find(({ provider }) => provider === row.provider)
    return { newest, first: first ? readingOf(first) : newest }
  })
}

/**
 * For how many days a balance lasts at the rate between two readings, with one decimal; null when nothing was spent.
 */
export function daysLeft({ newest, first }: { newest: BalanceReading; first: BalanceReading }): number | null {
  if (newest.balanceMicros <= 0) return 0
  const days = (newest.readAt.getTime() - first.readAt.getTime()) / milliseconds.day
  const spent = newest.spentMicros - first.spentMicros
  return days > 0 && spent > 0 ? Math.round((newest.balanceMicros / spent) * days * 10) / 10 : null
}

/** Whether a balance has been paid into since the first of two readings. */
export const hasRisen = ({ newest, first }: { newest: BalanceReading; first: BalanceReading }): boolean =>
  newest.balanceMicros > first.balanceMicros

/** Deletes the readings of providers' balances before a time. */
export async function deleteReadings(sql: Queryable, before: Date): Promise<void> {
  await sql`delete from provider_balances where read_at < ${before}`
}
