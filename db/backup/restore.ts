/**
 * R3, restored backups hold no erased person: restores a dump and the newest keys, and replays the deletion ledger.
 * Persons who were erased after the dump come back with it, and are erased again before API and worker start.
 */

import { connectDatabase, type Database, type Queryable, timeLimits } from '../connection/database.ts'
import { migrate } from '../connection/migrate.ts'
import type { Orders } from '../connection/schema.ts'
import type { FieldCipher } from '../crypto/field-cipher.ts'
import { replayLedger } from '../erasure/deletion-ledger.ts'
import { type Erasures, importErasures } from '../erasure/erasures.ts'
import { readLedgerCopy } from '../erasure/ledger-copy.ts'
import { publishUntil } from '../transparency/transparency-log.ts'
import type { BackupFolder } from './backup-folder.ts'
import { prunedUntil, reconcileBackups } from './backups.ts'
import { importKeys } from './key-snapshot.ts'
import { findPgTools, type PgTools, restoreDatabase } from './pg-tools.ts'

/**
 * Tables whose rows no dump has. Keys have separate snapshots. Events are for 30 days, which a backup would double; a
 * restored database begins its stream with a new one. Each table that refers to one of these has to be here too.
 */
export const tablesWithoutData: readonly string[] = ['public.data_keys', 'public.events', 'public.event_retries']

/** The backup or its key snapshot does not exist. */
export class NothingToRestore extends Error {
  override readonly name = 'NothingToRestore'
}

export interface BackupToRestore {
  folder: BackupFolder
  /** the folder of pg_restore; undefined searches the usual places */
  toolsFolder: string | undefined
  backupId: string
  /** erasures of other sources than the folder's copy, from the oldest to the newest */
  erasures: readonly Erasures[]
}

export interface Returned {
  accounts: number
  /** number of accounts that the ledger names */
  cameBack: number
  /** of them: with a data key */
  readable: number
}

/** The major version of the server; 0 when it does not say. */
export async function serverMajor(sql: Queryable): Promise<number> {
  const [row] = await sql<{ version: number }[]>`select current_setting('server_version_num')::int / 10000 as version`
  return row?.version ?? 0
}

/**
 * Fills an empty database with a dump, the newest keys, and all ledgers and receipts. It does not erase anyone yet.
 * @param url of the database, with its owner's credentials
 * @throws NothingToRestore, PgToolsMissing, PgToolFailed, UnreadableBackup
 */
export async function fillFromBackup(
  url: string,
  { folder, toolsFolder, backupId, erasures }: BackupToRestore,
): Promise<{ keysOf: string }> {
  const keys = (await folder.list('keys')).at(-1)
  const dump = (await folder.list('dump')).find(({ id }) => id === backupId)
  if (!dump) throw new NothingToRestore(`there is no backup ${backupId}`)
  if (!keys) throw new NothingToRestore('there is no key snapshot')
  const copied = await readLedgerCopy(folder)
  await withDatabase(url, async (sql) => {
    const tools: PgTools = await findPgTools(await serverMajor(sql), toolsFolder)
    await restoreDatabase(tools, url, folder.read('dump', dump.id))
    await importKeys(sql, folder.read('keys', keys.id))
    // The replay needs the tables of the current version.
    await migrate(url)
    // Events that an endpoint had not taken are not in the dump: nothing else would have them sent again.
    await sql`update webhook_endpoints set failures = 0, retry_at = null, claimed_until = null`
    await importErasures(sql, [copied, ...erasures])
    await publishUntil(sql, copied.log.at(-1)?.seq ?? 0)
  })
  return { keysOf: keys.id }
}

/** Counts the accounts in a database that was filled from a backup. */
export async function whoCameBack(sql: Queryable): Promise<Returned> {
  const [row] = await sql<{ accounts: number; came_back: number; readable: number }[]>`
    select (select count(*)::int from accounts) as accounts, count(*)::int as came_back,
      count(k.account_id)::int as readable
    from accounts a
    join deletion_ledger l on l.account_ref = a.account_ref and l.entry = 'erased'
    left join data_keys k on k.account_id = a.id`
  return { accounts: row?.accounts ?? 0, cameBack: row?.came_back ?? 0, readable: row?.readable ?? 0 }
}

/**
 * The payments of erased persons that the dump has as delivered, refunded or never paid; asked before the ledger is
 * replayed.
 */
export async function settledPaymentsOfErased(sql: Queryable): Promise<string[]> {
  const rows = await sql<Pick<Orders, 'payment_intent_id'>[]>`
    select o.payment_intent_id from orders o join accounts a on a.id = o.account_id
    join deletion_ledger l on l.account_ref = a.account_ref and l.entry = 'erased'
    where o.payment_intent_id is not null and o.status in ('delivered', 'ended', 'refunded', 'unpaid', 'cancelled')`
  return rows.flatMap(({ payment_intent_id }) => payment_intent_id ?? [])
}

/** Replays the ledger, and makes the catalogue agree with the folder. @returns the number of accounts erased again */
export async function replayOver(sql: Database, cipher: FieldCipher, folder: BackupFolder, at: Date): Promise<number> {
  const { erased } = await replayLedger(sql, cipher, at)
  await reconcileBackups(sql, await folder.list('dump'), { at, runningSince: at, prunedUntil: prunedUntil(at) })
  return erased
}

/** Opens a database for one piece of work, and closes it. */
export async function withDatabase<Result>(url: string, work: (sql: Database) => Promise<Result>): Promise<Result> {
  const sql = connectDatabase(url, { maxConnections: 2, name: 'ama-esim-restore', limits: timeLimits.maintenance })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 5 })
  }
}

/** The URL of another database of the same server. */
export function databaseUrl(url: string, name: string): string {
  const other = new URL(url)
  other.pathname = `/${encodeURIComponent(name)}`
  return other.href
}

/** The database that a URL names. */
export const databaseName = (url: string): string => decodeURIComponent(new URL(url).pathname.slice(1))
