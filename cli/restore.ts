/**
 * `npm run restore -- <backup id>|latest <url of the database to make>`: restores a backup into a new database, erases
 * again everybody who was erased since the backup, and rebuilds what is newer than it. The database gets its name only
 * then: no program can use it earlier. What has to be refunded is left to a run, before which the API refuses requests.
 */
import { randomUUID } from 'node:crypto'
import type { Client } from '@temporalio/client'
import type { Config } from '../config.ts'
import { type Context, createContext } from '../context.ts'
import { type BackupFolder, openBackupFolder, timeOfBackup } from '../db/backup/backup-folder.ts'
import { CopyInUse, DatabaseInUse, onCopy, whileAlone } from '../db/backup/database-copy.ts'
import {
  databaseName,
  databaseUrl,
  fillFromBackup,
  replayOver,
  settledPaymentsOfErased,
  whoCameBack,
  withDatabase,
} from '../db/backup/restore.ts'
import { confirmPromotions, suspendPermissions } from '../db/backup/restored-permissions.ts'
import { insertRestore, listRestores } from '../db/backup/restores.ts'
import { type Database, timeLimits } from '../db/connection/database.ts'
import { assertOwnKeys } from '../db/crypto/wrong-keys.ts'
import type { Erasures } from '../db/erasure/erasures.ts'
import { retryEverywhereNow } from '../db/events/deliveries.ts'
import { warnAgain } from '../db/inactivity.ts'
import { continueFrom, type LogHead, readHead } from '../db/transparency/transparency-log.ts'
import { milliseconds } from '../policy/periods.ts'
import { plusMs } from '../shared/calendar.ts'
import { endWithUsage, readArguments } from '../shared/process/arguments.ts'
import { connectTemporal } from '../temporal/client.ts'
import { startUnlessOpen } from '../temporal/runs.ts'
import { restoreStart, restoreWorkflowId } from '../workflows/backup/restore.contract.ts'
import { redoDeletions } from './restore/deletions.ts'
import { describeRestore } from './restore/describe.ts'
import { type ErasuresOfRuns, erasuresFromDatabase, erasuresFromTemporal } from './restore/erasure-sources.ts'
import { createFailureIsolation, type IsolateFailure } from './restore/failure-isolation.ts'
import { type RebuildOptions, rebuild } from './restore/rebuild.ts'
import { retryUndecided } from './restore/retry.ts'
import { HistoryUnreadable } from './restore/run-history.ts'
import { type RepeatingContext, repeating } from './restore/until-answered.ts'
import { runCommand, whyAway } from './run-command.ts'
import { readConfigBeside } from './running-stack.ts'

/** Clocks differ, and an order is paid an hour after its payment was made at the latest. */
const overlapMs = 2 * milliseconds.hour

const usage = `Usage: npm run restore -- report | retry | confirm-promotions
  npm run restore -- <backup id>|latest <database url> [--allow-old-ledger]
    [--without-runs] [--log-head <seq>:<hash>]
  The database must not exist, or be empty. BACKUP_FOLDER, BACKUP_KEYS and FIELD_KEYS lead to the backup and its keys.
  Erasures are read from the copy in the folder, from DATABASE_URL and from Temporal. With --allow-old-ledger the copy
  alone is enough: people who were erased after it was made may come back. With --log-head the transparency log goes on
  from an end that an operator has kept, when the entries up to it are lost (docs/receipts.md).
  Orders newer than the backup are rebuilt from Stripe, the eSIM providers and the runs in Temporal. With
  --without-runs, for a lost Temporal, they are refunded.
  retry tries the orders and payments again that the newest restore of DATABASE_URL has left undecided, and whose tasks are open.
  Stop the API and the workers for it.
  The restore withdraws all consents to promotions. confirm-promotions restores those that nobody has changed since,
  except of a restore whose task is closed: only for operators who know that nobody has withdrawn one between the backup and the loss.`

const { positionals, values } = readArguments(
  usage,
  {
    'allow-old-ledger': { type: 'boolean', default: false },
    'without-runs': { type: 'boolean', default: false },
    'log-head': { type: 'string' },
  },
  { words: true },
)
const [wanted, target] = positionals
await runCommand(workOf(), { migrates: true })

/**
 * @returns the work of the command, which resolves to the exit code. A wrong command ends the process before it opens
 * anything
 */
function workOf(): () => Promise<number> {
  if (wanted === 'report') return report
  if (wanted === 'retry') return retry
  if (wanted === 'confirm-promotions') return confirm
  if (wanted === undefined) return endWithUsage(usage, 'Which backup? Its id, or latest, is missing.')
  if (target === undefined || !URL.canParse(target))
    return endWithUsage(usage, 'Into which database? Its URL is missing.')
  const logHead = headIn(values['log-head'])
  return () => restore(wanted, target, logHead)
}

/** Prints what the newest restore of the database found, and what became of it. @returns the exit code */
async function report(): Promise<number> {
  const { config } = await readConfigBeside(process.env)
  return withDatabase(config.DATABASE_URL, async (sql) => {
    const [newest] = await listRestores(sql, 1)
    if (!newest) return refuse('This database was never restored.')
    for (const line of await describeRestore(sql, newest.id)) console.log(line)
    return 0
  })
}

/** Tries again what the newest restore of the database has left undecided. @returns the exit code */
async function retry(): Promise<number> {
  const { config, temporal: temporalSettings } = await readConfigBeside(process.env)
  const temporal = connectTemporal(config, temporalSettings, {})
  try {
    const done = await onCopy(config.DATABASE_URL, async (url) => {
      const context = repeating(contextFor(config, url))
      try {
        await assertOwnKeys(context)
        const [newest] = await listRestores(context.sql, 1)
        if (!newest) return undefined
        const counts = await retryUndecided(context, temporal, newest, console.log)
        for (const line of await describeRestore(context.sql, newest.id)) console.log(line)
        return { ...counts, restoreId: newest.id }
      } finally {
        await context.close()
      }
    })
    if (!done) return refuse('This database was never restored.')
    console.log(`${done.tried} orders and payments were tried again, and ${done.decided} of them are decided.`)
    if (done.toSettle) await startUnlessOpen(temporal, restoreStart(done.restoreId, config.TEMPORAL_TASK_QUEUE))
    return 0
  } catch (error) {
    if (error instanceof CopyInUse) return refuse(waitForIt(error))
    if (!(error instanceof DatabaseInUse)) throw error
    return refuse(`${error.message}: stop the API and the workers, and repeat the command.`)
  } finally {
    await temporal.connection.close()
  }
}

/** Gives back the consents to promotions. @returns the exit code */
async function confirm(): Promise<number> {
  const { config } = await readConfigBeside(process.env)
  return withDatabase(config.DATABASE_URL, async (sql) => {
    const count = await sql.begin((tx) => confirmPromotions(tx, new Date()))
    console.log(`${count} consents to promotions are restored, and campaigns can be resumed.`)
    return 0
  })
}

/** @returns the exit code */
async function restore(wanted: string, target: string, logHead: LogHead | undefined): Promise<number> {
  const { config, temporal: temporalSettings } = await readConfigBeside(process.env)
  const folder = openBackupFolder(config.BACKUP_FOLDER, config.BACKUP_KEYS)
  const backupId = wanted === 'latest' ? (await folder.list('dump')).at(-1)?.id : wanted
  if (backupId === undefined) return refuse(`There is no backup in ${config.BACKUP_FOLDER}.`)

  const temporal = connectTemporal(config, temporalSettings, {})
  try {
    return await restoreFrom(backupId, target, { config, folder, temporal, logHead })
  } catch (error) {
    if (error instanceof CopyInUse) return refuse(waitForIt(error))
    throw error
  } finally {
    await temporal.connection.close()
  }
}

interface RestoreFrom {
  config: Config
  folder: BackupFolder
  temporal: Client
  /** the end of the transparency log that an operator has kept */
  logHead: LogHead | undefined
}

async function restoreFrom(
  backupId: string,
  target: string,
  { config, folder, temporal, logHead }: RestoreFrom,
): Promise<number> {
  const sources = await Promise.all([
    known('Temporal', erasuresFromTemporal(temporal)),
    known('the current database', erasuresFromDatabase(config.DATABASE_URL)),
  ])
  if (sources.every((source) => source === undefined) && !values['allow-old-ledger']) {
    return refuse(
      'Neither could be asked: people erased since the last backup would come back. See --allow-old-ledger.',
    )
  }
  if (sources[0] === undefined && !values['without-runs']) {
    return refuse('Without Temporal orders newer than the backup would be refunded. See --without-runs.')
  }
  const erasures = sources.filter((source) => source !== undefined)

  const name = databaseName(target)
  return withDatabase(databaseUrl(target, 'postgres'), (server) => whileAlone(server, name, () => fill(server)))

  async function fill(server: Database): Promise<number> {
    const unfinished = `${name}_restoring`
    const drop = () => server`drop database if exists ${server(unfinished)} with (force)`
    const isFree = async (): Promise<boolean> => {
      const [existing] = await server`select from pg_database where datname = ${name}`
      return !existing || isEmpty(target)
    }
    if (!(await isFree())) return refuse(`The database ${name} exists and is not empty.`)
    await drop()
    await server`create database ${server(unfinished)}`
    try {
      const restoreId = await fillAndRebuild(databaseUrl(target, unfinished))
      // A program that was started too early has made its tables meanwhile, and perhaps served somebody.
      if (!(await isFree()))
        return refuse(`The database ${name} is not empty any more: stop what uses it, drop it, and repeat the command.`)
      await server`drop database if exists ${server(name)}`
      await server`alter database ${server(unfinished)} rename to ${server(name)}`
      console.log(
        `The database ${name} is ready. The API refuses requests until the run ${restoreWorkflowId(restoreId)} ends.`,
      )
      // Without Temporal the draft sweep starts the run later.
      await startUnlessOpen(temporal, restoreStart(restoreId, config.TEMPORAL_TASK_QUEUE)).catch(() =>
        console.error('Temporal does not answer. Once it does, the draft sweep starts this run within ten minutes.'),
      )
      return 0
    } finally {
      // It has people who were erased since the backup, until they are erased again.
      await drop()
    }
  }

  /** @returns the id of the restore */
  async function fillAndRebuild(url: string): Promise<string> {
    console.log(`Restoring ${backupId} ...`)
    const { keysOf } = await fillFromBackup(url, { folder, toolsFolder: config.PG_TOOLS_FOLDER, backupId, erasures })
    const restoreId = randomUUID()
    const context = repeating(contextFor(config, url))
    try {
      await assertOwnKeys(context)
      const { accounts, cameBack, readable } = await whoCameBack(context.sql)
      console.log(
        `${accounts} accounts, with the keys of ${keysOf}. ${cameBack} erased people came back, ${readable} readable.`,
      )
      const runs = sources[0] && { temporal, deletions: sources[0] }
      const readsSince = plusMs(timeOfBackup(backupId), -overlapMs)
      await context.sql.begin((tx) => insertRestore(tx, { id: restoreId, backupId, readsSince, at: new Date() }))
      const isolate = createFailureIsolation(context.sql, restoreId)
      const settled = await eraseAgain(context, folder, { runs, isolate })
      const lost = logHead ? await continueFrom(context.sql, logHead, new Date()) : 0
      const { seq, hash } = await readHead(context.sql)
      console.log(`The transparency log ends with entry ${seq}, ${hash}. ${lost} entries are lost.`)
      await rebuildNewer(context, { restoreId, since: readsSince, settled, temporal: runs && temporal, isolate })
      return restoreId
    } finally {
      await context.close()
    }
  }
}

function waitForIt({ message }: CopyInUse): string {
  return `${message}: wait until it has ended, and repeat the command.`
}

function contextFor(config: Config, url: string): Context {
  return createContext({ ...config, DATABASE_URL: url }, { name: 'ama-esim-restore', limits: timeLimits.maintenance })
}

function headIn(text: string | undefined): LogHead | undefined {
  if (text === undefined) return undefined
  const [, seq, hash] = /^(\d{1,9}):([0-9a-f]{64})$/.exec(text) ?? []
  if (!seq || !hash) return endWithUsage(usage, '--log-head takes <seq>:<hash>, with 64 hexadecimal digits.')
  return { seq: Number(seq), hash }
}

/**
 * Erases everybody again who was erased since the backup. @returns payments that need nothing more
 * @param options.runs undefined when Temporal is lost
 */
async function eraseAgain(
  context: RepeatingContext,
  folder: BackupFolder,
  { runs, isolate }: { runs: { temporal: Client; deletions: ErasuresOfRuns } | undefined; isolate: IsolateFailure },
): Promise<string[]> {
  const { sql, cipher } = context
  const at = new Date()
  const settled = await settledPaymentsOfErased(sql)
  // Accounts whose deletion run exists keep their receipt; the ledger names the others as well.
  const byRuns = runs ? await redoDeletions(context, runs.temporal, runs.deletions.runs, { at, isolate }) : 0
  for (const subjectId of runs?.deletions.unreadable ?? [])
    await isolate({ kind: 'run', subjectId }, () => Promise.reject(new HistoryUnreadable()))
  console.log(`${byRuns + (await replayOver(sql, cipher, folder, at))} erased again.`)
  const { cameBack: left } = await whoCameBack(sql)
  if (left > 0)
    throw new Error(
      `${left} erased people are still there, so the database was not taken into use: repeat the restore, and if it says so again give its output to a developer`,
    )
  return settled
}

/** Rebuilds what is newer than the backup, and prints what became of it. */
async function rebuildNewer(context: RepeatingContext, options: Omit<RebuildOptions, 'say'>): Promise<void> {
  const { restoreId } = options
  await context.sql.begin(async (tx) => {
    const at = new Date()
    await suspendPermissions(tx, { restoreId, at })
    await warnAgain(tx, at)
    await retryEverywhereNow(tx, at)
  })
  await rebuild(context, { ...options, say: (line) => console.log(line) })
  for (const line of await describeRestore(context.sql, restoreId)) console.log(line)
}

async function isEmpty(url: string): Promise<boolean> {
  return withDatabase(url, async (sql) => {
    const [table] = await sql`select from pg_class where relnamespace = 'public'::regnamespace limit 1`
    return table === undefined
  })
}

async function known<Found extends Erasures>(where: string, asking: Promise<Found>): Promise<Found | undefined> {
  try {
    const erasures = await asking
    console.log(`${erasures.ledger.length} ledger entries and ${erasures.receipts.length} receipts from ${where}.`)
    return erasures
  } catch (error) {
    const why = whyAway(error) ?? (error instanceof Error ? error.name : typeof error)
    console.error(`${where} could not be asked. ${why}`)
    return undefined
  }
}

function refuse(why: string): number {
  console.error(why)
  return 1
}
