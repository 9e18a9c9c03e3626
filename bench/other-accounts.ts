/**
 * Millions of accounts, made by one SQL statement. Their encrypted columns hold random bytes of the right size, which
 * cannot be decrypted: for measurements that depend only on the number of accounts.
 */
import type { Database } from '../db/connection/database.ts'

/** Inserts accounts that were last used at a random time between `from` and `to`. */
export async function insertOtherAccounts(sql: Database, count: number, from: Date, to: Date): Promise<void> {
  await sql`
    insert into accounts (id, account_ref, email, email_index, first_name, last_name, policy_version, created_at,
      last_active_at)
    select id, id, '\\x01' || sha256(id::text::bytea), sha256(id::text::bytea), '\\x01' || sha256('2'),
      '\\x01' || sha256('3'), 'x',
      ${from}::timestamptz, ${from}::timestamptz + random() * (${to}::timestamptz - ${from}::timestamptz)
    from (select gen_random_uuid() as id from generate_series(1, ${count})) ids`
}

/** Adds a data key and a phone to each of these accounts. */
export async function addKeysAndDevices(sql: Database): Promise<void> {
  const accounts = sql`accounts a where a.policy_version = 'x'`
  await sql`
    insert into data_keys (account_id, kek_id, wrapped_key)
    select a.id, (select min(kek_id) from data_keys), sha256(a.id::text::bytea) || sha256('key')
    from ${accounts} and not exists (select from data_keys k where k.account_id = a.id)`
  await sql`
    insert into devices (account_id, device_index, device_id, platform, push_token, push_token_index, seen_at)
    select a.id, sha256('device' || a.id::text::bytea), '\\x01' || sha256('device'), 'ios', '\\x01' || sha256('token'),
      sha256('token' || a.id::text::bytea), a.last_active_at
    from ${accounts} and not exists (select from devices d where d.account_id = a.id)`
  await sql`vacuum analyze accounts, data_keys, devices`
  // Otherwise the server would write the rows to disk during a measurement.
  await sql`checkpoint`
}
