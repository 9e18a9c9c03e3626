/**
 * U5, fraud is prevented: how often a card, a device or an address has bought lately, over all accounts. An account
 * that was deleted, and a new one of the same buyer, count as one. The rows name nobody: see
 * docs/fraud-and-disputes.md.
 */
import { milliseconds, periods } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Queryable, Transaction } from '../connection/database.ts'
import type { Accounts, VelocityCounts } from '../connection/schema.ts'
import type { FieldCipher } from '../crypto/field-cipher.ts'

export interface VelocityKey {
  kind: VelocityCounts['kind']
  hash: Buffer
}

/** Number and sum of purchases within a time. */
export interface Bought {
  orders: number
  grossMinor: number
}

const { hour } = milliseconds

/** An exact amount and its hour could lead to one document of the books. */
const roundedTo = 1_000

/**
 * The keys of a purchase: the card by its fingerprint at the processor, the devices and the address of the account by
 * their blind indexes. The hashes are of another purpose than the indexes, so that no row of a person has one of them.
 */
export async function velocityKeys(
  sql: Queryable,
  cipher: FieldCipher,
  { accountId, cardFingerprint }: { accountId: string; cardFingerprint: string | undefined },
): Promise<VelocityKey[]> {
  const rows = await sql<{ kind: 'device' | 'address'; index: Accounts['email_index'] }[]>`
    select 'address' as kind, email_index as index from accounts where id = ${accountId}
    union all select 'device', device_index from devices where account_id = ${accountId}`
  const key = (kind: VelocityKey['kind'], value: string): VelocityKey => ({
    kind,
    hash: cipher.fingerprint('velocity', `${kind}\0${value}`),
  })
  return [
    ...(cardFingerprint === undefined ? [] : [key('card', cardFingerprint)]),
    ...rows.map(({ kind, index }) => key(kind, index.toString('hex'))),
  ]
}

/** Makes simultaneous purchases by one of the keys count each other; until the end of the transaction. */
export async function lockVelocity(tx: Transaction, keys: VelocityKey[]): Promise<void> {
  const numbers = keys.map(({ hash }) => hash.readBigInt64BE(0))
  // In the same order everywhere, so that two purchases cannot wait for each other.
  const sorted = [...new Set(numbers)].sort((a, b) => (a < b ? -1 : 1)).map(String)
  await tx`select pg_advisory_xact_lock(key) from unnest(${sorted}::text[]::bigint[]) as key`
}

/** The most that one of the keys has bought since each of two times, which count from their full hour. */
export async function mostBought(
  sql: Queryable,
  keys: VelocityKey[],
  since: { lately: Date; longAgo: Date },
): Promise<{ lately: Bought; altogether: Bought }> {
  const [row] = await sql<{ orders: number; gross: number; all_orders: number; all_gross: number }[]>`
    select coalesce(max(orders), 0)::int as orders, coalesce(max(gross), 0)::float8 as gross,
      coalesce(max(all_orders), 0)::int as all_orders, coalesce(max(all_gross), 0)::float8 as all_gross
    from (
      select sum(orders) filter (where hour >= ${hourOf(since.lately)}) as orders,
        sum(gross_minor) filter (where hour >= ${hourOf(since.lately)}) as gross,
        sum(orders) as all_orders, sum(gross_minor) as all_gross
      from velocity_counts
      where kind in ('card', 'device', 'address') and hash = any(array(
          select decode(hex, 'hex') from unnest(${keys.map(({ hash }) => hash.toString('hex'))}::text[]) as hex))
        and hour >= ${hourOf(since.longAgo)}
      group by kind, hash
    ) as each`
  return {
    lately: { orders: row?.orders ?? 0, grossMinor: row?.gross ?? 0 },
    altogether: { orders: row?.all_orders ?? 0, grossMinor: row?.all_gross ?? 0 },
  }
}

/** Counts a paid order. Once for each: the caller's transaction marks the order as paid. */
export async function countPurchase(
  tx: Transaction,
  keys: VelocityKey[],
  { grossMinor, at }: { grossMinor: number; at: Date },
): Promise<void> {
  const rounded = Math.round(grossMinor / roundedTo) * roundedTo
  const full = hourOf(at)
  const rows = keys.map((key) => ({
    ...key,
    hour: full,
    orders: 1,
    gross_minor: String(rounded),
    expires_at: plusMs(full, periods.velocityAcrossAccounts.keepMs),
  }))
  if (rows.length === 0) return
  await tx`insert into velocity_counts ${tx(rows)}
    on conflict (kind, hash, hour) do update set orders = velocity_counts.orders + 1,
      gross_minor = velocity_counts.gross_minor + excluded.gross_minor`
}

/** Deletes expired counts. @returns their number; less than `limit` when none are left */
export async function deleteVelocity(sql: Queryable, before: Date, limit: number): Promise<number> {
  const gone = await sql`
    delete from velocity_counts where ctid = any(array(
      select ctid from velocity_counts where expires_at <= ${before} limit ${limit}))`
  return gone.count
}

const hourOf = (at: Date): Date => new Date(Math.floor(at.getTime() / hour) * hour)
