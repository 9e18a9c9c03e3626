/** `npm run doctor` and `npm run setup`, as somebody who deploys for the first time runs them. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkStores } from '../../cli/doctor/stores.ts'
import { runningSettingsFile } from '../../cli/running-stack.ts'
import { openBackupFolder } from '../../db/backup/backup-folder.ts'
import { databaseName } from '../../db/backup/restore.ts'
import { connectDatabase } from '../../db/connection/database.ts'
import { keepSecrets } from '../../dev/development-secrets.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'
import type { OutsideParty } from '../../policy/outside-parties.ts'
import { backupIdOf } from '../../workflows/backup/backup.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { lacks } from '../harness/optional/optional.ts'
import { startProgram } from '../harness/processes.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack()

// Each run of doctor asks Airalo for a token, of which it gives three a minute.
beforeAll(() => harness.sims.airalo.do('limits', { tokenPerMinute: 1000 }))
afterAll(() => harness.sims.airalo.do('limits', { tokenPerMinute: 3 }))

async function run(program: string, env: Record<string, string>, ...args: string[]) {
  const started = startProgram(process.execPath, ['--import', 'tsx', `cli/${program}`, ...args], env)
  const { code } = await started.ended
  return { code, output: started.output() }
}

/** The lines of a doctor's faults: what they are about, and what to do. */
const faultsIn = (output: string): Record<string, string> =>
  Object.fromEntries(
    [...output.matchAll(/^FAULT +(.+?) {2,}.*\n(?: +→ (.*))?/gm)].map(([, about = '', remedy = '']) => [about, remedy]),
  )

test('doctor names all faults of the settings at once, each explained, and asks nobody without a setting', async () => {
  const { code, output } = await run('doctor/main.ts', { NODE_ENV: 'production', TEMPORAL_ADDRESS: '127.0.0.1:1' })
  expect(code).toBe(1)
  const faults = faultsIn(output)
  for (const name of ['DATABASE_URL', 'PAYLOAD_KEYS', 'STRIPE_SECRET_KEY', 'SMTP_URL', 'TRUSTED_PROXIES'])
    expect(faults[name], name).toMatch(/.{20}/)
  expect(faults.Temporal).toContain('look at TEMPORAL_ADDRESS')
  expect(output).toMatch(/^- +Stripe +needs STRIPE_SECRET_KEY, STRIPE_PUBLISHABLE_KEY, STRIPE_WEBHOOK_SECRET$/m)
  expect(output).not.toMatch(/\n +at /)
})

test('setup prepares an empty database and a cluster without our namespace, and doctor is content afterwards', async () => {
  const name = `setup_${Date.now()}`
  await harness.context.sql.unsafe(`create database ${name}`)
  const url = new URL(harness.settings.DATABASE_URL ?? '')
  url.pathname = `/${name}`
  const env = { ...harness.settings, DATABASE_URL: url.href, TEMPORAL_NAMESPACE: name.replace('_', '-') }
  const before = await run('doctor/main.ts', env)
  expect(before.code).toBe(1)
  expect(faultsIn(before.output)).toEqual({
    migrations: 'npm run setup',
    operators: expect.stringContaining('--operator-email'),
    Temporal: 'npm run setup',
  })

  const person = ['--operator-name', 'Ada', '--operator-email', 'ada@example.com']
  const first = await run('setup.ts', env, '--retention-days', '9', ...person)
  expect(first.output).toMatch(/password: \S{20,}/)
  expect(first.code, first.output).toBe(0)
  const after = await run('doctor/main.ts', env)
  expect(after.output).toContain('No fault')
  expect(after.code).toBe(0)

  const again = await run('setup.ts', env, ...person)
  expect(again.code).toBe(0)
  expect(again.output).not.toContain('password')
  expect(again.output).toMatch(/every migration already[\s\S]*has everything already[\s\S]*1 can sign in already/)
  const sql = connectDatabase(url.href, { maxConnections: 1 })
  expect(await sql`select 1 from security_log where kind = 'operator_saved'`).toHaveLength(1)
  await sql.end()
}, 240_000)

test('doctor makes no folder for backups: a volume that is not mounted would be hidden by it', async () => {
  const { DATABASE_URL = '', PG_TOOLS_FOLDER } = harness.settings
  const above = await mkdtemp(join(tmpdir(), 'doctor-'))
  const asked = async (folder: string) => {
    const config = { DATABASE_URL, BACKUP_FOLDER: folder, ...(PG_TOOLS_FOLDER !== undefined && { PG_TOOLS_FOLDER }) }
    return (await checkStores(config, {})).find(({ about }) => about === 'backups')
  }
  const missing = await asked(join(above, 'volume', 'backups'))
  expect(missing).toMatchObject({ state: 'ok', detail: expect.stringContaining(`will be made in ${above}`) })
  expect(await readdir(above)).toEqual([])
  expect(await asked(above)).toMatchObject({ state: 'ok', detail: expect.stringContaining('can be written') })
})

test('doctor finds backups that no key opens any more, before they are needed', async () => {
  const { DATABASE_URL = '', PG_TOOLS_FOLDER } = harness.settings
  const folder = await throwawayFolder('ama-esim-doctor-')
  const keys = (id: string) => ({ activeId: id, keys: new Map([[id, randomBytes(32)]]) })
  const [taken, now] = [keys('taken'), keys('now')]
  for (const [day, keyring] of [taken, now].entries())
    await openBackupFolder(folder, keyring).write('dump', backupIdOf(new Date(day)), Readable.from([Buffer.of(1)]))
  const config = { DATABASE_URL, BACKUP_FOLDER: folder, ...(PG_TOOLS_FOLDER !== undefined && { PG_TOOLS_FOLDER }) }
  const askedWith = async (BACKUP_KEYS: typeof now) =>
    (await checkStores({ ...config, BACKUP_KEYS }, {})).find(({ about }) => about === 'backups')
  expect(await askedWith(now)).toMatchObject({ state: 'fault', detail: 'no key of BACKUP_KEYS opens 1 of 2 files' })
  expect(await askedWith({ ...now, keys: new Map([...now.keys, ...taken.keys]) })).toMatchObject({ state: 'ok' })
})

test.skipIf(lacks('openssl'))(
  'with sslmode=verify-full pg_dump gets in where we do (skipped without openssl)',
  async () => {
    const server = await startPostgres()
    const sql = connectDatabase(server.url, { maxConnections: 1 })
    const folder = await throwawayFolder('ama-esim-certificate-')
    const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => join(folder, name))
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
    const form = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2']
    execFileSync('openssl', ['req', '-x509', ...form, ...subject, '-keyout', key ?? '', '-out', certificate ?? ''], {
      stdio: 'ignore',
    })
    // The server's own user has to write them: PostgreSQL takes no key that belongs to somebody else.
    for (const [path, name] of [
      [key, 'server.key'],
      [certificate, 'server.crt'],
    ] as const) {
      const pem = await readFile(path ?? '', 'utf8')
      await sql.unsafe(
        `copy (select unnest(string_to_array('${pem.trim()}', E'\\n'))) to program 'umask 077 && cat > ${name}'`,
      )
    }
    await sql.unsafe("alter system set ssl = 'on'")
    await sql`select pg_reload_conf()`
    await until('it takes TLS', async () => (await sql<{ ssl: string }[]>`show ssl`)[0]?.ssl === 'on')
    const DATABASE_URL = `${server.url.replace('127.0.0.1', 'localhost')}?sslmode=verify-full`
    const known = await run('doctor/main.ts', {
      ...harness.settings,
      DATABASE_URL,
      NODE_EXTRA_CA_CERTS: certificate ?? '',
    })
    expect(known.output).toMatch(/^ok +PostgreSQL .*with TLS/m)
    expect(known.output).toMatch(/^ok +backups +pg_dump/m)
    const unknown = await run('doctor/main.ts', { ...harness.settings, DATABASE_URL })
    expect(faultsIn(unknown.output)).toMatchObject({ PostgreSQL: expect.any(String), backups: expect.any(String) })
    await sql.end()
    await server.stop()
  },
)

test('doctor finds that no backup could be restored, for want of the right to create a database', async () => {
  const { DATABASE_URL, BACKUP_FOLDER } = harness.context.config
  const { sql } = harness.context
  await sql`create role without_createdb login password 'plain'`
  const url = new URL(DATABASE_URL)
  Object.assign(url, { username: 'without_createdb', password: 'plain' })
  const { PG_TOOLS_FOLDER } = harness.settings
  const tools = PG_TOOLS_FOLDER === undefined ? {} : { PG_TOOLS_FOLDER }
  const asked = async () => {
    const findings = await checkStores({ DATABASE_URL: url.href, BACKUP_FOLDER, ...tools }, {})
    return findings.find(({ about }) => about === 'backups')
  }
  expect(await asked()).toMatchObject({
    state: 'fault',
    detail: expect.stringContaining('without_createdb'),
    remedy: expect.stringContaining('createdb'),
  })
  // Nor could one be made: the role reads no table.
  await sql`alter role without_createdb createdb`
  expect(await asked()).toMatchObject({
    state: 'fault',
    detail: expect.stringMatching(/^pg_dump cannot read the database: .*permission denied/),
  })
  await sql`drop role without_createdb`
})

test('doctor shows what a restore that was killed has left', async () => {
  const { DATABASE_URL } = harness.context.config
  const { sql } = harness.context
  const asked = async () => (await checkStores({ DATABASE_URL }, {})).find(({ about }) => about === 'migrations')
  const left = `${databaseName(DATABASE_URL)}_restoring`
  await sql`create database ${sql(left)}`
  expect(await asked()).toMatchObject({ state: 'fault', detail: expect.stringContaining(left) })
  await sql`drop database ${sql(left)}`
  expect(await asked()).toMatchObject({ state: 'ok' })
})

test('doctor, and commands that write, refuse the keys of another database', async () => {
  await harness.signUp()
  const { DATABASE_URL, FIELD_KEYS, INDEX_KEY, NODE_ENV } = harness.context.config
  const other = randomBytes(32).toString('base64')
  const asked = async (settings: object) => {
    const findings = await checkStores({ DATABASE_URL, FIELD_KEYS, INDEX_KEY, NODE_ENV, ...settings }, harness.settings)
    return findings.find(({ about }) => about === 'keys')
  }
  expect(await asked({})).toMatchObject({ state: 'ok' })
  const others = { activeId: 'new', keys: new Map([['new', randomBytes(32)]]) }
  for (const settings of [{ INDEX_KEY: other }, { FIELD_KEYS: others }]) {
    const [name = ''] = Object.keys(settings)
    expect(await asked(settings)).toMatchObject({
      state: 'fault',
      detail: `the database was written with another ${name}`,
    })
  }
  const PAYLOAD_KEYS = { activeId: 'now', keys: new Map([['now', randomBytes(32)]]) }
  const { sql } = harness.context
  await sql`delete from encryption_keys where purpose = 'payload'`
  await sql`insert into encryption_keys (purpose, id, first_seen_at, retired_at) values ('payload', 'ended', now(), now())`
  expect(await asked({ PAYLOAD_KEYS })).toMatchObject({ state: 'ok' })
  await sql`insert into encryption_keys (purpose, id, first_seen_at) values ('payload', 'taken-too-early', now())`
  expect(await asked({ PAYLOAD_KEYS })).toMatchObject({
    state: 'fault',
    detail: expect.stringContaining('taken-too-early'),
  })
  await sql`delete from encryption_keys where id in ('ended', 'taken-too-early')`
  for (const [program, ...words] of [['operators.ts', 'list'], ['keys.ts', 'list'], ['setup.ts']] as const) {
    const { code, output } = await run(program, { ...harness.settings, INDEX_KEY: other }, ...words)
    expect([program, code, output.includes('written with another INDEX_KEY')]).toEqual([program, 1, true])
    expect(output).not.toContain(other)
  }
})

/** How doctor calls each outside party; null for one that it cannot ask. */
const askedAs: Record<OutsideParty, string | null> = {
  stripe: 'Stripe',
  'esim-access': 'eSIM Access',
  airalo: 'Airalo',
  smtp: 'mail server',
  apple: 'Apple',
  google: 'Google',
  firebase: 'Firebase',
  fcm: 'Firebase’s push messages',
  meta: 'Meta',
  // Google Analytics accepts every event of every sender.
  google_analytics: null,
}

test('doctor shows each outside party that refuses our credentials or cannot be reached, all in one run', async () => {
  const { settings } = harness
  const { output } = await run('doctor/main.ts', {
    ...settings,
    STRIPE_SECRET_KEY: 'sk_test_wrong',
    ESIM_ACCESS_CODE: 'wrong',
    AIRALO_CLIENT_SECRET: 'wrong',
    APPLE_KEY_ID: 'wrong',
    GOOGLE_CERTS_URL: 'http://127.0.0.1:1/keys',
    FIREBASE_CLIENT_EMAIL: 'nobody@example.com',
    SMTP_URL: 'smtp://127.0.0.1:1',
    META_ACCESS_TOKEN: 'wrong',
    DATABASE_CONNECTIONS: '500',
    PG_TOOLS_FOLDER: '/nonexistent',
  })
  expect(faultsIn(output)).toMatchObject({
    PostgreSQL: expect.stringContaining('max_connections'),
    backups: expect.stringContaining('PG_TOOLS_FOLDER'),
    Stripe: expect.stringContaining('STRIPE_SECRET_KEY'),
    'eSIM Access': expect.stringContaining('ESIM_ACCESS_CODE'),
    Airalo: expect.stringContaining('AIRALO_CLIENT_SECRET'),
    Apple: expect.stringContaining('APPLE_KEY_ID'),
    Google: expect.stringContaining('firewall'),
    Firebase: expect.stringContaining('FIREBASE_CLIENT_EMAIL'),
    'Firebase’s push messages': expect.stringContaining('FIREBASE_CLIENT_EMAIL'),
    'mail server': expect.stringContaining('firewall'),
    Meta: expect.stringContaining('META_ACCESS_TOKEN'),
  })
  const asked = Object.values(askedAs).filter((name) => name !== null)
  expect(Object.keys(faultsIn(output))).toEqual(expect.arrayContaining(asked))
  for (const secret of ['STRIPE_WEBHOOK_SECRET', 'ESIM_ACCESS_SECRET', 'FIELD_KEYS'])
    expect(output).not.toContain(settings[secret] ?? 'unset')
})

test('beside npm start each command takes the settings of that stack, and doctor is content with its operator key', async () => {
  const AMA_DATA_DIR = await throwawayFolder('ama-esim-beside-')
  await keepSecrets(runningSettingsFile({ AMA_DATA_DIR }), harness.settings)
  const outputs: Record<string, RegExp> = {
    'keys.ts list': /operator\t/,
    'operators.ts list': /^/,
    'migrate.ts': /Nothing to apply/,
    'restore.ts report': /never restored/,
    'deploy.ts status': /has ever polled|build/i,
    'doctor/main.ts': /^ok +operators +\d+ operator keys open the console$/m,
  }
  for (const [command, expected] of Object.entries(outputs)) {
    const [program = '', ...args] = command.split(' ')
    const { output } = await run(program, { AMA_DATA_DIR }, ...args)
    expect(output, command).not.toMatch(/No stack runs here|configuration has/)
    expect(output, command).toMatch(expected)
  }
}, 240_000)

test('without a stack and without settings each command says that none runs here', async () => {
  const AMA_DATA_DIR = await throwawayFolder('ama-esim-beside-')
  for (const command of [
    'keys.ts list',
    'operators.ts list',
    'setup.ts',
    'migrate.ts',
    'restore.ts report',
    'deploy.ts status',
  ]) {
    const [program = '', ...args] = command.split(' ')
    const { code, output } = await run(program, { AMA_DATA_DIR }, ...args)
    expect({ code, output }, command).toEqual({
      code: 1,
      output: expect.stringContaining('No stack runs here (npm start)'),
    })
  }
}, 240_000)
