/**
 * `npm run restore -- <backup id>|latest <url of the database to make>`: restores a backup into a new database, and
 * erases again everybody who was erased since the backup. The database gets its name only then: no program can use it
 * earlier.
 */
import { parseArgs } from 'node:util'
import { readConfigOrExit } from '../config.ts'
import { openBackupFolder } from '../db/backup/backup-folder.ts'
import {
  databaseName,
  databaseUrl,
  fillFromBackup,
  replayOver,
  whoCameBack,
  withDatabase,
} from '../db/backup/restore.ts'
import type { Erasures } from '../db/erasure/erasures.ts'
import { continueFrom, type LogHead, readHead } from '../db/transparency/transparency-log.ts'
import { connectTemporal } from '../temporal/client.ts'
import { erasuresFromDatabase, erasuresFromTemporal } from './restore/erasure-sources.ts'

const usage = `Usage: npm run restore -- <backup id>|latest <database url> [--allow-old-ledger] [--log-head <seq>:<hash>]
  The database must not exist, or be empty. BACKUP_FOLDER, BACKUP_KEYS and FIELD_KEYS lead to the backup and its keys.
  Erasures are read from the copy in the folder, from DATABASE_URL and from Temporal. With --allow-old-ledger the copy
  alone is enough: people who were erased after it was made may come back. With --log-head the transparency log goes on
  from an end that somebody has kept, when the entries up to it are lost (docs/receipts.md).`

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'allow-old-ledger': { type: 'boolean', default: false }, 'log-head': { type: 'string' } },
})
const [wanted, target] = positionals
const keptHead = headIn(values['log-head'])
if (!wanted || !target || !URL.canParse(target) || keptHead === 'unreadable') {
  console.error(usage)
  process.exitCode = 2
} else {
  process.exitCode = await restore(wanted, target, keptHead)
}

/** @returns the exit code */
async function restore(wanted: string, target: string, logHead: LogHead | undefined): Promise<number> {
  const config = readConfigOrExit(process.env)
  const folder = openBackupFolder(config.BACKUP_FOLDER, config.BACKUP_KEYS)
  const backupId = wanted === 'latest' ? (await folder.list('dump')).at(-1)?.id : wanted
  if (backupId === undefined) return refuse(`There is no backup in ${config.BACKUP_FOLDER}.`)

  const temporal = connectTemporal(config)
  const sources = await Promise.all([
    known('Temporal', erasuresFromTemporal(temporal)),
    known('the current database', erasuresFromDatabase(config.DATABASE_URL)),
  ])
  await temporal.connection.close()
  if (sources.every((source) => source === undefined) && !values['allow-old-ledger']) {
    return refuse(
      'Neither could be asked: people erased since the last backup would come back. See --allow-old-ledger.',
    )
  }
  const erasures = sources.filter((source) => source !== undefined)

  const name = databaseName(target)
  const unfinished = `${name}_restoring`
  const server = databaseUrl(target, 'postgres')
  const isFree = await withDatabase(server, async (sql) => {
    const [existing] = await sql`select from pg_database where datname = ${name}`
    if (existing && !(await isEmpty(target))) return false
    await sql`drop database if exists ${sql(unfinished)} with (force)`
    await sql`create database ${sql(unfinished)}`
    return true
  })
  if (!isFree) return refuse(`The database ${name} exists and is not empty.`)

  const url = databaseUrl(target, unfinished)
  console.log(`Restoring ${backupId} ...`)
  const { keysOf } = await fillFromBackup(url, { folder, toolsFolder: config.PG_TOOLS_FOLDER, backupId, erasures })
  await withDatabase(url, async (sql) => {
    const { accounts, cameBack, readable } = await whoCameBack(sql)
    console.log(
      `${accounts} accounts, with the keys of ${keysOf}. ${cameBack} erased people came back, ${readable} readable.`,
    )
    console.log(`${await replayOver(sql, folder, new Date())} erased again.`)
    const { cameBack: left } = await whoCameBack(sql)
    if (left > 0) throw new Error(`${left} erased people are still there`)
    const lost = logHead ? await continueFrom(sql, logHead, new Date()) : 0
    const { seq, hash } = await readHead(sql)
    console.log(`The transparency log ends with entry ${seq}, ${hash}. ${lost} entries are lost.`)
  })
  await withDatabase(server, async (sql) => {
    await sql`drop database if exists ${sql(name)}`
    await sql`alter database ${sql(unfinished)} rename to ${sql(name)}`
  })
  console.log(`The database ${name} is ready.`)
  return 0
}

function headIn(text: string | undefined): LogHead | undefined | 'unreadable' {
  if (text === undefined) return undefined
  const [, seq, hash] = /^(\d{1,9}):([0-9a-f]{64})$/.exec(text) ?? []
  return seq && hash ? { seq: Number(seq), hash } : 'unreadable'
}

async function isEmpty(url: string): Promise<boolean> {
  return withDatabase(url, async (sql) => {
    const [table] = await sql`select from pg_class where relnamespace = 'public'::regnamespace limit 1`
    return table === undefined
  })
}

async function known(where: string, asking: Promise<Erasures>): Promise<Erasures | undefined> {
  try {
    const erasures = await asking
    console.log(`${erasures.ledger.length} ledger entries and ${erasures.receipts.length} receipts from ${where}.`)
    return erasures
  } catch (error) {
    console.error(`${where} could not be asked (${error instanceof Error ? error.name : typeof error}).`)
    return undefined
  }
}

function refuse(why: string): number {
  console.error(why)
  return 1
}
