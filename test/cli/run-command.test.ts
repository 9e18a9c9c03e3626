/** What a command says when a service does not answer: which one, and the setting to look at. */
import { ServiceError } from '@temporalio/client'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { checkStores } from '../../cli/doctor/stores.ts'
import { whyAway } from '../../cli/run-command.ts'
import { ConfigurationError } from '../../config.ts'
import { UnreadableBackup } from '../../db/backup/backup-cipher.ts'
import { PgToolFailed, PgToolsMissing } from '../../db/backup/pg-tools.ts'
import { NothingToRestore } from '../../db/backup/restore.ts'
import { connectDatabase } from '../../db/connection/database.ts'
import { TablesInUse } from '../../db/connection/migrate.ts'
import { WrongKeys } from '../../db/crypto/wrong-keys.ts'
import { ProviderFailure } from '../../providers/failure.ts'
import { connectTemporal } from '../../temporal/client.ts'

const configured = { DATABASE_URL: 'postgres://db.example/ama', TEMPORAL_ADDRESS: 'temporal.example:7233' }
const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => error,
  )

test('a database that does not answer is named with its address, and with the setting', async () => {
  const sql = connectDatabase('postgres://nobody@127.0.0.1:9/nothing', { maxConnections: 1 })
  const error = await failureOf(sql`select 1`.execute())
  await sql.end({ timeout: 1 })
  const said = whyAway(error, configured)
  expect(said).toMatch(/^PostgreSQL does not answer: .*ECONNREFUSED.*127\.0\.0\.1:9.*\.\nLook at DATABASE_URL\./)
  // A developer has set nothing: the command has taken the settings of a stack that has ended.
  expect(whyAway(error, {})).toContain('npm start')
  expect(whyAway(error, { NODE_ENV: 'production' })).not.toContain('npm start')
})

test('Temporal that does not answer is named, with the setting', async () => {
  const temporal = connectTemporal({ NODE_ENV: 'test', PAYLOAD_KEYS: undefined }, { TEMPORAL_ADDRESS: '127.0.0.1:9' })
  const error = await failureOf(
    temporal.withDeadline(Date.now() + 1_000, () => temporal.workflow.getHandle('none').describe()),
  )
  await temporal.connection.close()
  expect(error).toBeInstanceOf(ServiceError)
  expect(whyAway(error, configured)).toMatch(/^Temporal does not answer: .+\.\nLook at TEMPORAL_ADDRESS\./)
  expect(whyAway(error, { ...configured, TEMPORAL_PROFILE: 'cloud' })).toContain('Look at TEMPORAL_PROFILE')
})

test('doctor names the setting of a database that does not answer', async () => {
  const findings = await checkStores({ DATABASE_URL: 'postgres://nobody@127.0.0.1:9/nothing' }, {})
  const asked = findings.filter(({ about }) => ['PostgreSQL', 'migrations'].includes(about))
  const fault = { state: 'fault', remedy: expect.stringContaining('look at DATABASE_URL') }
  expect(asked).toEqual([expect.objectContaining(fault), expect.objectContaining(fault)])
})

const ofPostgres = (code: string, message: string) =>
  Object.assign(new postgres.PostgresError(message), { code, message })

test.each([
  [ofPostgres('28P01', 'password authentication failed for user "ama"'), /does not let this command in: password/],
  [ofPostgres('3D000', 'database "ama" does not exist'), /does not let this command in: database "ama"/],
  [ofPostgres('42501', 'permission denied for schema public'), /refuses what.*: permission denied for schema public/],
  [ofPostgres('25006', 'cannot execute CREATE TABLE in a read-only transaction'), /read-only.*\n.*standby/],
  [ofPostgres('53100', 'could not extend file: No space left on device'), /No space left.*\n.*DATABASE_URL.*disk/],
  [ofPostgres('42P01', 'relation "api_keys" does not exist'), /lacks what this version needs.*\n.*npm run migrate/],
  [Object.assign(new Error('no such host'), { code: 'ENOTFOUND' }), /PostgreSQL does not answer/],
  [
    Object.assign(new AggregateError([new Error('connect ECONNREFUSED ::1:5432')]), { code: 'ECONNREFUSED' }),
    /PostgreSQL does not answer: connect ECONNREFUSED ::1:5432/,
  ],
  [Object.assign(new Error('self-signed certificate'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' }), /self-signed/],
  [new UnreadableBackup('unknown_key'), /^No key of BACKUP_KEYS opens .* Give BACKUP_KEYS the key again/],
  [new UnreadableBackup('truncated'), /^Refused: the backup file is truncated\. .*BACKUP_FOLDER/],
  [new NothingToRestore('there is no key snapshot'), /^Refused: there is no key snapshot\.$/],
  [new PgToolsMissing('pg_dump_too_old'), /pg_dump_too_old\. Install .* or set PG_TOOLS_FOLDER/],
  [
    new PgToolFailed(
      'pg_restore',
      1,
      'pg_restore: error: unsupported version (1.16) in file header\nDETAIL: ada@example.com',
    ),
    /^pg_restore ended with 1\. pg_restore: error: unsupported version \(1\.16\) in file header$/,
  ],
  [
    Object.assign(new Error("ENOTDIR: not a directory, scandir '/backups'"), { code: 'ENOTDIR' }),
    /^ENOTDIR: .* '\/backups'\.\nLook at BACKUP_FOLDER/,
  ],
  [
    Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
    /no space left.*\n.*space is left/,
  ],
  [new ConfigurationError(['TEMPORAL_*: Profile x']), /1 fault\(s\):\n {2}TEMPORAL_\*: Profile x$/],
  [new TablesInUse('0001.sql changes tables that others use'), /^0001\.sql changes .* Nothing of it was applied\.$/],
  [new WrongKeys(['INDEX_KEY', 'FIELD_KEYS']), /^Refused: .* another INDEX_KEY and other FIELD_KEYS\./],
  [new ProviderFailure('stripe', 'unavailable', 'timeout'), /outside party .*stripe: unavailable \(timeout\)/],
])('%s is said in words', (error, words) => {
  expect(whyAway(error, configured)).toMatch(words)
})

test('a fault of the program keeps its stack', () => {
  const faults = [
    new Error('bug'),
    ofPostgres('42601', 'syntax error'),
    Object.assign(new Error('x'), { code: 'ENOENT' }),
    'text',
  ]
  for (const fault of faults) expect(whyAway(fault, configured)).toBeUndefined()
})
