/** The checks of PostgreSQL, Temporal and the backups. */
import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type KeySignIn, keysMaySignIn } from '../../api/sign-in/session-cookie.ts'
import type { Config } from '../../config.ts'
import { type BackupFolder, openBackupFolder } from '../../db/backup/backup-folder.ts'
import { findPgTools, PgToolFailed, PgToolsMissing, tryDump } from '../../db/backup/pg-tools.ts'
import { findClosedRestore } from '../../db/backup/restores.ts'
import { connectDatabase, type Database, timeLimits } from '../../db/connection/database.ts'
import { missingMigrations } from '../../db/connection/migrate.ts'
import { countWrapped, listKeys } from '../../db/crypto/encryption-keys.ts'
import { createFieldCipher } from '../../db/crypto/field-cipher.ts'
import { assertOwnKeys, WrongKeys } from '../../db/crypto/wrong-keys.ts'
import { connectTemporal } from '../../temporal/client.ts'
import { readNamespace, retyping } from '../../temporal/namespace.ts'
import { defaultRetentionDays } from '../../temporal/readiness.ts'
import { readProductionBundle } from '../../worker/production-bundle.ts'
import { scheduleIds } from '../../worker/schedules.ts'
import { temporalBeside } from '../running-stack.ts'
import { check, type Needed } from './check.ts'
import { Fault, type Finding } from './finding.ts'

const oldestMajor = 15
const setup = 'npm run setup'
/** API x2 and worker x2, as docker-compose.yml and ops/kubernetes/ have them; a rolling update has one more of each. */
const processes = 6

/**
 * Asks PostgreSQL and Temporal, and looks for migrations, operators and backups.
 * @param config the settings that are right
 */
export async function checkStores(config: Partial<Config>, environment: Environment): Promise<Finding[]> {
  return await Promise.all([
    check(config, 'PostgreSQL', ['DATABASE_URL'], ({ DATABASE_URL: url, DATABASE_CONNECTIONS: size = 20 }) =>
      withDatabase(url, (sql) => askDatabase(sql, size)),
    ),
    check(config, 'migrations', ['DATABASE_URL'], ({ DATABASE_URL: url }) => withDatabase(url, askMigrations)),
    check(config, 'keys', ['DATABASE_URL', 'FIELD_KEYS', 'INDEX_KEY'], (settings) =>
      withDatabase(settings.DATABASE_URL, (sql) => askKeys(sql, settings)),
    ),
    check(config, 'operators', ['DATABASE_URL', 'NODE_ENV'], (settings) =>
      withDatabase(settings.DATABASE_URL, (sql) => askOperators(sql, settings)),
    ),
    check(config, 'backups', ['DATABASE_URL', 'BACKUP_FOLDER'], (settings) =>
      withDatabase(settings.DATABASE_URL, (sql) => askBackups(sql, settings)),
    ),
    check(config, 'Temporal', ['NODE_ENV'], (settings) => askTemporal(settings, environment), 'TEMPORAL_ADDRESS'),
    ...(config.NODE_ENV === 'production' ? [check(config, 'workflow bundle', [], askBundle)] : []),
  ])
}

type Environment = Readonly<Record<string, string | undefined>>

async function withDatabase(url: string, ask: (sql: Database) => Promise<string>): Promise<string> {
  const sql = connectDatabase(url, { maxConnections: 1, name: 'ama-esim-doctor', limits: timeLimits.api })
  try {
    return await ask(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function askDatabase(sql: Database, size: number): Promise<string> {
  const [server] = await sql<{ version: number; connections: number; ssl: boolean }[]>`
    select current_setting('server_version_num')::int / 10000 as version,
      current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int as connections,
      coalesce((select ssl from pg_stat_ssl where pid = pg_backend_pid()), false) as ssl`
  const { version = 0, connections = 0, ssl = false } = server ?? {}
  if (version < oldestMajor) throw new Fault(`is version ${version}`, `PostgreSQL ${oldestMajor} or newer is needed`)
  const wanted = processes * size
  if (wanted > connections)
    throw new Fault(
      `${connections} connections, and ${processes} processes with DATABASE_CONNECTIONS=${size} may want ${wanted}`,
      'raise max_connections, or lower DATABASE_CONNECTIONS: docs/capacity.md',
    )
  return `version ${version}, ${ssl ? 'with' : 'without'} TLS, ${connections} connections for ${wanted} of ${processes} processes`
}

async function askMigrations(sql: Database): Promise<string> {
  const [left] = await sql<{ name: string }[]>`
    select datname as name from pg_database
    where datname in (current_database() || '_restoring', current_database() || '_replaced') order by datname`
  if (left)
    throw new Fault(
      `the database ${left.name} is there: a restore works, or was killed`,
      'wait for it, repeat it, or drop that database: it has people who were erased since the backup',
    )
  const missing = await missingMigrations(sql)
  if (missing.length > 0) throw new Fault(`${missing.length} are missing, the first is ${missing[0]}`, setup)
  if (await findClosedRestore(sql))
    throw new Fault('a restored database is being completed', 'docs/restore.md says how a restore ends')
  return 'all are applied'
}

async function askKeys(sql: Database, settings: Needed<'FIELD_KEYS' | 'INDEX_KEY'>): Promise<string> {
  const [table] = await sql<{ there: boolean }[]>`select to_regclass('data_keys') is not null as there`
  if (!table?.there) return 'nothing was written with any yet'
  const cipher = createFieldCipher(settings.FIELD_KEYS, Buffer.from(settings.INDEX_KEY, 'base64'))
  await assertOwnKeys({ sql, cipher }).catch((error: unknown) => {
    if (!(error instanceof WrongKeys)) throw error
    throw new Fault(error.message, 'set those with which it was written: what is written with others is lost with them')
  })
  const lacking = (await countWrapped(sql)).filter(({ kekId }) => !settings.FIELD_KEYS.keys.has(kekId))
  if (lacking.length > 0)
    throw new Fault(
      `FIELD_KEYS lacks ${lacking.map(({ kekId, count }) => `${kekId}, which ${count} accounts need`).join('; ')}`,
      'give it back, behind the one in use, until POST /v1/key-rotations has moved these accounts',
    )
  const { PAYLOAD_KEYS: payloadKeys } = settings
  const taken = payloadKeys
    ? (await listKeys(sql)).filter(
        (key) => key.purpose === 'payload' && !key.retiredAt && !payloadKeys.keys.has(key.id),
      )
    : []
  if (taken.length > 0)
    throw new Fault(
      `PAYLOAD_KEYS lacks ${taken.map(({ id }) => id).join(', ')}, under which open runs may be`,
      'give it back, behind the one in use, until POST /v1/key-rotations has ended: runs that nobody can read stand still',
    )
  return 'are those with which the database was written'
}

/** In development an operator key opens the console, and an OpenID provider brings operators of its own. */
async function askOperators(sql: Database, settings: KeySignIn & Partial<Config>): Promise<string> {
  const [table] = await sql<{ there: boolean }[]>`select to_regclass('operators') is not null as there`
  const [row] = table?.there
    ? await sql<{ active: number; keys: number }[]>`
        select (select count(*)::int from operators where disabled_at is null) as active,
          (select count(*)::int from api_keys where kind = 'operator' and revoked_at is null) as keys`
    : []
  const { active = 0, keys = 0 } = row ?? {}
  if (active > 0) return `${active} can sign in on the console`
  if (settings.OPERATOR_OPENID_ISSUER_URL) return 'people sign in on the console at the OpenID provider'
  if (keys > 0 && keysMaySignIn(settings)) return `${keys} operator keys open the console`
  throw new Fault('nobody can sign in on the console', `${setup} -- --operator-name <text> --operator-email <address>`)
}

async function askBackups(sql: Database, settings: Needed<'DATABASE_URL' | 'BACKUP_FOLDER'>): Promise<string> {
  const { BACKUP_FOLDER: folder, BACKUP_KEYS: keys, PG_TOOLS_FOLDER: toolsFolder } = settings
  const [server] = await sql<{ major: number; creates: boolean; role: string }[]>`
    select current_setting('server_version_num')::int / 10000 as major, rolcreatedb or rolsuper as creates, rolname as role
    from pg_roles where rolname = current_user`
  const { major = 0, creates = false, role = '' } = server ?? {}
  const tools = await findPgTools(major, toolsFolder).catch((error: unknown) => {
    if (!(error instanceof PgToolsMissing)) throw error
    throw new Fault(error.code, `install the client programs of PostgreSQL ${major} or newer, or set PG_TOOLS_FOLDER`)
  })
  if (!creates)
    throw new Fault(
      `the role ${role} may not create databases, as a restore and its drill do`,
      `as an administrator of the server: alter role ${role} createdb`,
    )
  await tryDump(tools, settings.DATABASE_URL).catch((error: unknown) => {
    if (!(error instanceof PgToolFailed)) throw error
    throw new Fault(
      `pg_dump cannot read the database: ${error.said || error.code}`,
      'look at the TLS settings and the role of DATABASE_URL',
    )
  })
  const there = await nearestExisting(resolve(folder))
  await access(there, constants.W_OK).catch(() => {
    throw new Fault(`${folder} cannot be written`, 'mount a permanent volume there, and let this user write to it')
  })
  if (keys) await refuseUnreadable(openBackupFolder(folder, keys))
  const state = there === resolve(folder) ? 'can be written' : `will be made in ${there}: is the volume mounted?`
  return `pg_dump ${tools.major}, ${folder} ${state}`
}

/** A backup that no key opens is found out when it is needed, unless it is asked for. */
async function refuseUnreadable(folder: BackupFolder): Promise<void> {
  const files = await folder.listAll()
  const unreadable = await folder.unreadable(files)
  if (unreadable.length > 0)
    throw new Fault(
      `no key of BACKUP_KEYS opens ${unreadable.length} of ${files.length} files`,
      'give BACKUP_KEYS the key again under which they were made, behind the one in use, until they are 30 days old',
    )
}

/** The folder itself, or the nearest one above it that exists: nothing is made here. */
async function nearestExisting(folder: string): Promise<string> {
  const isThere = await access(folder).then(
    () => true,
    () => false,
  )
  return isThere || dirname(folder) === folder ? folder : nearestExisting(dirname(folder))
}

async function askTemporal(config: Partial<Config>, environment: Environment): Promise<string> {
  const settings = { NODE_ENV: config.NODE_ENV ?? 'production', PAYLOAD_KEYS: config.PAYLOAD_KEYS }
  const client = connectTemporal(settings, temporalBeside(environment))
  const { namespace } = client.options
  try {
    return await client.withDeadline(Date.now() + 15_000, async () => {
      const state = await readNamespace(client)
      if (!state.exists) throw new Fault(`there is no namespace ${namespace}`, setup)
      const faults = [
        ...state.missing.map((each) => `the search attribute ${each} is missing`),
        ...state.mistyped.map((each) => `the search attribute ${each} has another type`),
        ...(state.retentionDays < defaultRetentionDays
          ? [`closed runs are kept for ${state.retentionDays} days only`]
          : []),
      ]
      if (faults.length > 0) {
        const hosted = 'in Temporal Cloud: tcld namespace search-attributes add (docs/deploying.md)'
        const remedy = state.mistyped.length > 0 ? retyping : setup
        throw new Fault(`${namespace}: ${faults.join('; ')}`, state.isHosted ? hosted : remedy)
      }
      const there = new Map<string, boolean>()
      for await (const { scheduleId, state: its } of client.schedule.list()) there.set(scheduleId, its.paused)
      const missing = scheduleIds.filter((id) => !there.has(id))
      if (missing.length > 0) throw new Fault(`the schedules ${missing.join(', ')} are missing`, setup)
      const paused = scheduleIds.filter((id) => there.get(id))
      const resting = paused.length > 0 ? `; paused: ${paused.join(', ')}` : ''
      return `${namespace} keeps closed runs for ${state.retentionDays} days, and has its search attributes and schedules${resting}`
    })
  } finally {
    await client.connection.close()
  }
}

async function askBundle(): Promise<string> {
  await readProductionBundle({ versioned: false }).catch((error: Error) => {
    throw new Fault(error.message, 'npm run bundle')
  })
  return 'is of these sources'
}
