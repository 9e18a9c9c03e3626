/**
 * Figures of accounts: data can be decrypted, inactive accounts are deleted in time, changes of address end in time.
 */
import type { Readings } from '../../policy/figures.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { plusMs, plusYears } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import { onlyRow } from '../connection/only-row.ts'
import type { Accounts, DataKeys } from '../connection/schema.ts'
import { type ColumnEncryption, tableEncryption } from '../crypto/column-encryption.ts'

const sampled = 100
/** The sweep runs once a day. */
const sweepMs = milliseconds.day
const clockGraceMs = milliseconds.hour
/** Counting stops here, since larger numbers say no more. */
const most = 10_000

/**
 * Reads the figures of accounts: they can be used, seen and exported (U1, G1, G5), a correction of the address ends in
 * time (G2), and none is kept beyond its period (R1).
 */
export async function readAccountFigures(sql: Queryable, encryption: ColumnEncryption, asOf: Date): Promise<Readings> {
  const unusedSince = plusMs(plusYears(asOf, -periods.account.inactivityYears), -sweepMs)
  const [unreadable, past, changes] = await Promise.all([
    countUnreadable(sql, encryption),
    sql<{ count: number }[]>`
      select count(*)::int as count from (
        select from accounts where last_active_at < ${unusedSince} limit ${most}) as past`,
    sql<{ count: number }[]>`
      select count(*)::int as count from email_changes
      where state = 'open' and expires_at < ${plusMs(asOf, -clockGraceMs)}`,
  ])
  return {
    unreadable_accounts: { value: unreadable },
    accounts_past_term: { value: onlyRow(past).count },
    overdue_email_changes: { value: onlyRow(changes).count },
  }
}

type SampleRow = Pick<Accounts, 'id' | 'email' | 'first_name' | 'phone'> & {
  [Column in 'kek_id' | 'wrapped_key']: DataKeys[Column] | null
}

/** Decrypts a sample of accounts as a request does, but without the cache of data keys. */
async function countUnreadable(sql: Queryable, { cipher }: ColumnEncryption): Promise<number> {
  const rows = await sql<SampleRow[]>`
    select a.id, email, first_name, phone, kek_id, wrapped_key
    from (select * from accounts order by last_active_at desc, id desc limit ${sampled}) a
    left join data_keys on account_id = a.id`
  return rows.filter((row) => !isReadable(row)).length

  function isReadable({ id, email, first_name, phone, kek_id, wrapped_key }: SampleRow): boolean {
    if (kek_id === null || wrapped_key === null) return false
    try {
      const fields = tableEncryption(cipher, cipher.unwrap(id, { kekId: kek_id, wrapped: wrapped_key }), 'accounts')
      const isNamed = fields.open('email', email).includes('@') && fields.open('first_name', first_name) !== ''
      return isNamed && (phone === null || fields.open('phone', phone) !== '')
    } catch {
      // The figure counts exactly these failures.
      return false
    }
  }
}
