import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureDays } from '../db/access/daily-partitions.ts'
import { connectDatabase, type Database } from '../db/connection/database.ts'
import { migrate } from '../db/connection/migrate.ts'
import { type PostgresServer, startPostgres } from '../dev/postgres/postgres.ts'
import { periods } from '../policy/periods.ts'
import { personalData } from '../policy/personal-data.ts'

let postgres: PostgresServer
let sql: Database
/** `table.column` → its domain, or null */
let live: Map<string, string | null>

beforeAll(async () => {
  postgres = await startPostgres()
  sql = connectDatabase(postgres.url)
  await migrate(postgres.url)
  await ensureDays(sql, 'security_log', new Date(), 2)
  await ensureDays(sql, 'access_log', new Date(), 2)
  // A partition has its parent's columns, and needs no entry.
  const rows = await sql<{ name: string; domain: string | null }[]>`
    select table_name || '.' || column_name as name, domain_name as domain
    from information_schema.columns
    join pg_class on pg_class.oid = format('%I.%I', table_schema, table_name)::regclass
    where table_schema = 'public' and relkind in ('r', 'p') and not relispartition`
  live = new Map(rows.map((row) => [row.name, row.domain]))
})

afterAll(async () => {
  await sql.end()
  await postgres.stop()
})

test('every column has an entry in personal-data.ts, and every entry a column', () => {
  expect(Object.keys(personalData).sort()).toEqual([...live.keys()].sort())
})

test('exactly the columns that personal-data.ts calls sealed have the sealed domain', () => {
  const said = Object.keys(personalData).filter((name) => personalData[name]?.sealed)
  expect(said.sort()).toEqual([...live.keys()].filter((name) => live.get(name) === 'sealed').sort())
})

test('every blind index is a pseudonym in personal-data.ts', () => {
  const blind = [...live.keys()].filter((name) => live.get(name) === 'blind')
  expect(blind.length).toBeGreaterThan(0)
  expect(blind.filter((name) => personalData[name]?.class !== 'pseudonym')).toEqual([])
})

test('columns with personal data and secrets are sealed, or have a reason', () => {
  const bare = Object.entries(personalData).filter(
    ([, entry]) => ['personal', 'secret'].includes(entry.class) && !entry.sealed && !entry.clearBecause,
  )
  expect(bare).toEqual([])
})

test('every column with personal data has a promise and is exported', () => {
  const personal = Object.entries(personalData).filter(([, entry]) => entry.class === 'personal')
  expect(personal.filter(([, entry]) => !entry.promise || typeof entry.export !== 'string')).toEqual([])
})

test('two columns are not exported as the same field', () => {
  const fields = Object.values(personalData).flatMap((entry) =>
    typeof entry.export === 'string' ? [entry.export] : [],
  )
  expect(new Set(fields).size).toBe(fields.length)
})

test('columns that erasure keeps are neither personal nor secret, and refer to nobody', () => {
  const left = Object.entries(personalData).filter(([, entry]) => entry.onErasure !== 'delete')
  const allowed = ['business', 'technical']
  // Hashes of our own API keys are no person's secrets; the ledger's pseudonyms are of ids that are erased everywhere.
  // An ended sign-in is kept for a month, so that a token from before the erasure is refused. A reference at an outside
  // party is kept while that party's books are compared with ours, so that nobody looks for the erased order. Counts of
  // orders by card, device and address are kept for some weeks by keyed hashes that no other table has.
  const excepted = [
    'api_keys.secret_hash',
    // The app backend's, by which it knows that an event is ours.
    'webhook_endpoints.secret',
    'webhook_endpoints.previous_secret',
    'deletions.account_ref',
    'deletion_ledger.account_ref',
    'ended_sign_ins.user_hash',
    // The hash of a deletion's statement, which no table holds: docs/receipts.md.
    'transparency_log.leaf',
    'erased_references.reference',
    'velocity_counts.hash',
    'address_allowances.subject',
    // Of the persons who work for us.
    'operators.email_index',
    'operators.openid_index',
    'operators.password_hash',
    'operators.totp_secret',
  ]
  const tied = left.filter(([name, entry]) => !allowed.includes(entry.class) && !excepted.includes(name))
  expect(tied).toEqual([])
})

test('erasure in the database reaches every table that refers to an account or an order', async () => {
  const keys = await sql<{ table: string; rule: string }[]>`
    select conrelid::regclass::text as table, confdeltype as rule from pg_constraint
    where contype = 'f' and confrelid in ('accounts'::regclass, 'orders'::regclass) and conparentid = 0`
  expect(keys.length).toBeGreaterThan(0)
  expect(keys.filter((key) => key.rule !== 'c')).toEqual([])
})

test('every period that limits a column is in policy/periods.ts', () => {
  const names = new Set(Object.values(personalData).map((entry) => entry.keptUntil.period))
  const unknown = [...names].filter((name) => name !== 'none' && !(name in periods))
  expect(unknown).toEqual([])
})

/**
 * Tables whose rows have no end, by why they do not grow without one: they have a row for each thing of which there are
 * few, or are what has to be shown for good.
 */
const withoutEnd: Readonly<Record<string, string>> = {
  api_keys: 'a row for each key',
  packages: 'a row for each package',
  package_offers: 'a row for each package of a provider',
  outside_parties: 'a row for each party',
  processor_balances: 'a row for each currency',
  provider_spending: 'a row for each provider',
  payment_sweeps: 'a row for each part',
  counters: 'a row for each series',
  webhook_endpoints: 'a row for each endpoint',
  event_stream: 'one row',
  operators: 'a row for each operator',
  bulk_actions: 'a row for each incident',
  restores: 'a row for each restore',
  restored_items: 'the report of a restore',
  lost_numbers: 'the report of a restore, for the books',
  breaches: 'a row for each breach, which has to be documented (GDPR article 33(5))',
  books_holds: 'a row for each month',
  backups: 'a row for each night',
  backup_store: 'one row',
  deletions: 'the proof that somebody was erased',
  deletion_steps: 'the proof that somebody was erased',
  deletion_ledger: 'the proof that somebody was erased',
  transparency_log: 'a log that others can check has no end',
  transparency_head: 'one row',
  signing_keys: 'a row for each key, with which old receipts are checked',
  encryption_keys: 'a row for each key',
  key_rotations: 'a row for each rotation',
  campaigns: 'a row for each campaign',
  policies: 'a row for each version',
  migrations: 'a row for each migration',
}

test('R4: no table grows without an end that is named, but those that say why they do not', () => {
  const ends = Object.entries(personalData).flatMap(([name, { keptUntil }]) =>
    keptUntil.period === 'none' ? [name.slice(0, name.indexOf('.'))] : [],
  )
  expect([...new Set(ends)].sort()).toEqual(Object.keys(withoutEnd).sort())
})
