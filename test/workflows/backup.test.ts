import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { MockActivityEnvironment } from '@temporalio/testing'
import postgres from 'postgres'
import { afterAll, describe, expect, test } from 'vitest'
import { createBackupActivities } from '../../activities/backup.ts'
import { findAccount } from '../../db/accounts.ts'
import { openBackupFolder } from '../../db/backup/backup-folder.ts'
import { whileAlone } from '../../db/backup/database-copy.ts'
import { drillDatabase } from '../../db/backup/drill-databases.ts'
import { databaseUrl, fillFromBackup, tablesWithoutData, withDatabase } from '../../db/backup/restore.ts'
import { connectDatabase, type Database } from '../../db/connection/database.ts'
import type { Accounts, DataKeys } from '../../db/connection/schema.ts'
import { tableEncryption } from '../../db/crypto/column-encryption.ts'
import { createDataKeys } from '../../db/crypto/data-keys.ts'
import { exportLedger, importLedger, replayLedger } from '../../db/erasure/deletion-ledger.ts'
import { findReceipt } from '../../db/erasure/deletions.ts'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'
import { failureCode } from '../../shared/failures.ts'
import { startWorker } from '../../worker/run-worker.ts'
import { accountDeletionWorkflowId } from '../../workflows/account-deletion.contract.ts'
import {
  type BackupResult,
  backupIdOf,
  backupType,
  backupWorkflowId,
  type DrillResult,
  restoreDrillType,
} from '../../workflows/backup/backup.contract.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { until } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { sql, cipher, config } = harness.context
const folder = openBackupFolder(config.BACKUP_FOLDER, config.BACKUP_KEYS)

const backUp = (inDays = 0) => runLater<BackupResult>(harness, backupType, inDays)
const drill = (backupId: string) => runLater<DrillResult>(harness, restoreDrillType, 0, [{ backupId }])
const files = async (): Promise<string[]> => (await readdir(config.BACKUP_FOLDER)).sort()

async function erase(person: Person): Promise<void> {
  expectStatus(await person.caller.delete(`/v1/accounts/${person.accountId}`), 200)
}

const opened: Database[] = []
afterAll(() => Promise.all(opened.map((each) => each.end())))
function openDatabase(name: string): Database {
  const database = connectDatabase(databaseUrl(config.DATABASE_URL, name), { maxConnections: 1 })
  opened.push(database)
  return database
}

/** `npm run restore` as an operator runs it. */
async function restore(args: string[], settings: Record<string, string> = {}): Promise<{ code: number; said: string }> {
  const env = { ...process.env, ...harness.settings, ...settings }
  return promisify(execFile)(process.execPath, ['--import', 'tsx', 'cli/restore.ts', ...args], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    (error: { code: number; stdout: string; stderr: string }) => ({
      code: error.code,
      said: error.stdout + error.stderr,
    }),
  )
}

describe('a backup', () => {
  test('is made on demand and is encrypted', async () => {
    const person = await harness.signUp()
    await harness.buy(person)
    expectStatus(await harness.operator.post('/v1/backups'), 202)
    const [shown] = await until('the backup', async () => {
      const { items } = expectStatus(await harness.operator.get('/v1/backups'), 200)
      return items[0]?.state === 'kept' && items
    })
    expect(shown).toMatchObject({ code: null, prunedAt: null, bytes: expect.any(Number) })
    const ledger = expect.stringMatching(/^ledger-[\dTZ-]+\.enc$/)
    expect(await files()).toEqual([`dump-${shown.id}.enc`, `keys-${shown.id}.enc`, ledger])
    for (const name of await files()) {
      const text = (await readFile(join(config.BACKUP_FOLDER, name))).toString('latin1')
      for (const word of [person.accountId, person.email, 'PGDMP', 'accounts']) expect(text).not.toContain(word)
    }
  })

  test('that is asked for while another one is made is not begun, and the answer says so', {
    tags: 'long',
  }, async () => {
    const untilEnded = () => harness.temporal.workflow.getHandle(backupWorkflowId).result()
    await untilEnded()
    const locker = postgres(config.DATABASE_URL, { max: 1 })
    await locker`begin`
    // The dump waits for the table.
    await locker`lock table packages in access exclusive mode`
    const first = expectStatus(await harness.operator.post('/v1/backups'), 202)
    expect(first).toEqual({ workflowId: backupWorkflowId, startedAt: expect.any(String), joined: false })
    expect(expectStatus(await harness.operator.post('/v1/backups'), 202)).toEqual({ ...first, joined: true })
    await locker`rollback`
    await locker.end()
    await untilEnded()
    expect(expectStatus(await harness.operator.post('/v1/backups'), 202).joined).toBe(false)
    await untilEnded()
  })

  test('holds no data keys, and only the newest snapshot of them is kept', async () => {
    const { id } = await backUp()
    expect((await folder.list('keys')).map((file) => file.id)).toEqual([id])
    expect(await folder.list('ledger')).toHaveLength(1)
    const plain = await mkdtemp(join(tmpdir(), 'ama-esim-archive-'))
    const archive = join(plain, 'dump')
    await pipeline(folder.read('dump', id), createWriteStream(archive))
    const { stdout } = await promisify(execFile)('pg_restore', ['--data-only', '--table=data_keys', '-f', '-', archive])
    expect(stdout).not.toMatch(/COPY public\.data_keys/)
    const accounts = await promisify(execFile)('pg_restore', ['--data-only', '--table=accounts', '-f', '-', archive])
    expect(accounts.stdout).toMatch(/COPY public\.accounts/)
    await rm(plain, { recursive: true })
  })

  test('has no row that refers to a row that it leaves out', async () => {
    const referring = await sql`
      select conrelid::regclass::text as from, confrelid::regclass::text as to from pg_constraint
      where contype = 'f' and confrelid = any(${[...tablesWithoutData]}::regclass[])
        and conrelid <> all(${[...tablesWithoutData]}::regclass[])`
    expect(referring).toEqual([])
  })

  test('R3: a backup is deleted before it is thirty days old, also when the catalogue does not list it', {
    tags: 'long',
  }, async () => {
    const { id } = await backUp()
    const unknown = await backUp()
    await sql`delete from backups where id = ${unknown.id}`
    const before = await backUp(28)
    expect((await folder.list('dump')).map((file) => file.id)).toEqual(expect.arrayContaining([id, unknown.id]))
    expect(await sql`select state from backups where id = ${unknown.id}`).toEqual([{ state: 'kept' }])
    const { pruned } = await backUp(29)
    expect(pruned).toBeGreaterThanOrEqual(2)
    const left = (await folder.list('dump')).map((file) => file.id)
    expect(left).not.toContain(id)
    expect(left).not.toContain(unknown.id)
    expect(left).toContain(before.id)
    expect(
      await sql`select state, pruned_at > now() + interval '28 days' as later from backups where id = ${id}`,
    ).toEqual([{ state: 'pruned', later: true }])
  })
})

/** The activities on a folder of their own. */
const activitiesOn = (path: string) =>
  createBackupActivities({
    ...harness.context,
    config: { ...config, BACKUP_FOLDER: path },
    temporal: harness.temporal,
  })

describe('a backup that fails halfway', () => {
  const at = new Date()
  const input = { id: backupIdOf(at), asOf: at.toISOString() }

  test.each(['keys', 'ledger'])('is none: a dump without its %s is not in the folder', async (purpose) => {
    const path = await throwawayFolder('ama-esim-half-')
    // The disk is full, or the worker ends, at this step: no file gets a name that a folder has.
    if (purpose === 'keys') await mkdir(join(path, `keys-${input.id}.enc`))
    else await sql`alter table deletion_ledger rename to deletion_ledger_away`
    try {
      const { makeBackup } = activitiesOn(path)
      const failed = await new MockActivityEnvironment().run(makeBackup, input).catch((error: unknown) => error)
      expect(failureCode(failed)).toBe(purpose === 'keys' ? 'eisdir' : '42p01')
      expect((await readdir(path)).filter((name) => name.startsWith('dump'))).toEqual([])
    } finally {
      if (purpose === 'ledger') await sql`alter table deletion_ledger_away rename to deletion_ledger`
    }
  })

  test('says by its code what the file system refuses', async () => {
    const path = join(await throwawayFolder('ama-esim-no-folder-'), 'a file')
    await writeFile(path, '')
    const { makeBackup } = activitiesOn(join(path, 'backups'))
    const failed = await new MockActivityEnvironment().run(makeBackup, input).catch((error: unknown) => error)
    expect(failureCode(failed)).toBe('enotdir')
  })
})

describe('the nightly look into the folder', () => {
  const lost = () => sql<{ detail: string; open: boolean }[]>`
    select detail, resolved_at is null as open from attention where kind = 'backup_lost'`

  test('R3: a backup that is not in the folder before its time has come counts as there, and operators learn of it', {
    tags: 'long',
  }, async () => {
    const { id } = await backUp()
    const elsewhere = join(config.BACKUP_FOLDER, 'elsewhere')
    await rename(join(config.BACKUP_FOLDER, `dump-${id}.enc`), elsewhere)
    const missing = async () => (await sql`select state, code from backups where id = ${id}`)[0]
    await backUp()
    expect(await missing()).toEqual({ state: 'kept', code: 'missing' })
    expect(await lost()).toEqual([{ detail: '1 not in the folder', open: true }])
    await rename(elsewhere, join(config.BACKUP_FOLDER, `dump-${id}.enc`))
    await backUp()
    expect(await missing()).toEqual({ state: 'kept', code: null })
    expect(await lost()).toMatchObject([{ open: false }])
  })

  test('operators learn of backups of a key that was taken away, until it is there again or they have decided', async () => {
    const path = await throwawayFolder('ama-esim-key-taken-')
    const others = { activeId: 'new', keys: new Map([['new', randomBytes(32)]]) }
    await openBackupFolder(path, others).write(
      'dump',
      backupIdOf(new Date()),
      Readable.from(['a dump'], { objectMode: false }),
    )
    const look = async () => {
      const { pruneBackups } = activitiesOn(path)
      await sql`delete from backups`
      await new MockActivityEnvironment().run(pruneBackups, { asOf: new Date().toISOString() })
    }
    await look()
    expect(await lost()).toEqual([{ detail: '1 of no key of BACKUP_KEYS', open: true }])
    await sql`update attention set resolved_at = now(), resolved_by = 'operator:x' where kind = 'backup_lost'`
    await look()
    expect(await lost()).toMatchObject([{ open: false }])
    await sql`delete from backups`
  })

  test('drops the database of a drill whose worker was killed, with the erased people in it, and no other', {
    tags: 'long',
  }, async () => {
    const hour = 3_600_000
    const [abandoned, underWay] = [25, 1].map((hours) => drillDatabase(new Date(Date.now() - hours * hour)))
    const names = [abandoned ?? '', underWay ?? '', 'restore_drill_0a1b2c3d4e5f']
    for (const name of names) await sql`create database ${sql(name)}`
    await backUp()
    const left = await sql<{ name: string }[]>`
      select datname as name from pg_database where datname = any(${names}) order by datname`
    expect(left.map(({ name }) => name)).toEqual([underWay])
    await sql`drop database ${sql(underWay ?? '')}`
  })
})

test('a receipt does not say that backups are gone while one from before the erasure exists', {
  tags: 'long',
}, async () => {
  const person = await harness.signUp()
  const { id } = await backUp()
  const deletion = await deleteAccount(harness.stack, person)
  const isThere = async () => (await folder.list('dump')).some((file) => file.id === id)
  // The schedule does not prune it meanwhile, because it goes by real time.
  await deletion.fastForward('33 days')
  expect([await isThere(), (await deletion.states()).backups]).toEqual([true, 'pending'])
  expect(Date.parse((await deletion.receipt()).backupsGoneBy) - Date.now()).toBeLessThan(30 * 86_400_000)
  await backUp(30)
  expect(await isThere()).toBe(false)
  await deletion.fastForward('25 hours')
  await deletion.until('backups', 'done')
})

describe('a restore drill', () => {
  test('restores erased persons, and the deletion ledger erases them again', { tags: 'long' }, async () => {
    const [erased, bystander] = [await harness.signUp(), await harness.signUp()]
    const { id } = await backUp()
    const before = await drill(id)
    expect(before).toMatchObject({ erasedAgain: before.cameBack, left: 0, erasedTwice: 0 })
    await erase(erased)
    expect(await drill(id)).toEqual({
      ...before,
      cameBack: before.cameBack + 1,
      readable: before.readable + 1,
      erasedAgain: before.cameBack + 1,
      seconds: expect.any(Number),
    })

    await backUp()
    const { cameBack, readable } = await drill(id)
    expect({ cameBack, readable }).toEqual({ cameBack: before.cameBack + 1, readable: before.readable })
    expect(await harness.service.get(`/v1/accounts/${bystander.accountId}`)).toMatchObject({ status: 200 })
    expect(await sql`select from pg_database where datname like 'restore_drill_%'`).toHaveLength(0)
    const { items } = expectStatus(await harness.operator.get('/v1/backups'), 200)
    const shown = items.find((each: { id: string }) => each.id === id)
    expect(shown.drill).toMatchObject({ cameBack, left: 0 })
  })

  test('can decrypt an erased person only while their data key is in the newest snapshot', {
    tags: 'long',
  }, async () => {
    const person = await harness.signUp()
    // Whose key is in both snapshots.
    await harness.signUp()
    const { id } = await backUp()
    await erase(person)
    const fill = async (name: string) => {
      const url = databaseUrl(config.DATABASE_URL, name)
      await sql`create database ${sql(name)}`
      await fillFromBackup(url, { folder, toolsFolder: config.PG_TOOLS_FOLDER, backupId: id, erasures: [] })
      const restored = openDatabase(name)
      const encryption = { sql: restored, cipher, dataKeys: createDataKeys(cipher) }
      return { restored, read: () => findAccount(restored, encryption, person.accountId) }
    }
    const rows = (restored: Database) =>
      restored<Pick<Accounts, 'email'>[]>`select email from accounts where id = ${person.accountId}`

    const back = await fill('drilled_before')
    expect(await back.read()).toMatchObject({ email: person.email, lastName: person.lastName })

    await backUp()
    const older = await fill('drilled_after')
    const [row] = await rows(older.restored)
    expect(row?.email).toBeInstanceOf(Buffer)
    expect(await older.read()).toBeUndefined()
    // No key decrypts it.
    const left = await older.restored<Pick<DataKeys, 'account_id'>[]>`select account_id from data_keys`
    expect(left.length).toBeGreaterThan(0)
    for (const { account_id } of left) {
      const key = await createDataKeys(cipher).get(older.restored, account_id)
      expect(() => tableEncryption(cipher, key, 'accounts').open('email', row?.email ?? Buffer.of())).toThrow()
    }

    await importLedger(back.restored, await exportLedger(sql))
    const replayed = [
      await replayLedger(back.restored, cipher, new Date()),
      await replayLedger(back.restored, cipher, new Date()),
    ]
    expect(replayed).toEqual([{ erased: expect.any(Number) }, { erased: 0 }])
    expect(replayed[0]?.erased).toBeGreaterThan(0)
    expect(await rows(back.restored)).toHaveLength(0)
    expect(await back.restored`select 1 from data_keys where account_id = ${person.accountId}`).toHaveLength(0)
    // The snapshot file does not hold the old rows either.
    const [dead] = await back.restored`
      select n_dead_tup::int as rows from pg_stat_all_tables where relname = 'data_keys'`
    expect(dead?.rows).toBe(0)
  })

  test('is started by operators only, for a backup that exists', { tags: 'long' }, async () => {
    const { id } = await backUp()
    expectStatus(await harness.operator.post(`/v1/backups/${id}/drill`), 202)
    await until('the drill', async () => {
      const { items } = expectStatus(await harness.operator.get('/v1/backups'), 200)
      return items.find((each: { id: string }) => each.id === id)?.drilledAt
    })
    expect((await harness.operator.post('/v1/backups/2020-01-01T00-00-00-000Z/drill')).status).toBe(404)
    for (const caller of [harness.service, harness.anonymous]) {
      expect([401, 403]).toContain((await caller.get('/v1/backups')).status)
      expect([401, 403]).toContain((await caller.post('/v1/backups')).status)
      expect([401, 403]).toContain((await caller.post(`/v1/backups/${id}/drill`)).status)
    }
  })
})

describe('npm run restore', () => {
  test('makes a database with all accounts but the erased ones', { tags: 'long' }, async () => {
    const [erased, bystander] = [await harness.signUp(), await harness.signUp()]
    const order = await harness.buy(bystander)
    const silent = { url: 'http://127.0.0.1:9/', types: ['policy.moved'] }
    const endpoint = expectStatus(await harness.service.post('/v1/webhook-endpoints', silent), 201)
    await sql`insert into events (type, data) values ('policy.moved', ${sql.json({ version: 'p1' })})`
    await until('an event waits', async () => (await sql`select from event_retries`).length === 1)
    await sql`update webhook_endpoints set failures = 3, retry_at = now() + interval '1 hour' where id = ${endpoint.id}`
    const { id } = await backUp()
    expectStatus(await harness.service.delete(`/v1/webhook-endpoints/${endpoint.id}`), 204)
    await erase(erased)
    const { code, said } = await restore([id, databaseUrl(config.DATABASE_URL, 'restored')])
    expect({ code, said }).toMatchObject({ code: 0 })
    expect(said).toMatch(/1 readable/)

    const restored = openDatabase('restored')
    expect(await restored`select from accounts where id = ${erased.accountId}`).toHaveLength(0)
    expect(await restored`select from data_keys where account_id = ${erased.accountId}`).toHaveLength(0)
    expect(await restored`select from accounts where id = ${bystander.accountId}`).toHaveLength(1)
    expect(await restored`select status from orders where id = ${order.id}`).toEqual([{ status: 'delivered' }])
    expect(
      await restored`
      select failures, retry_at, claimed_until from webhook_endpoints where id = ${endpoint.id}`,
    ).toEqual([{ failures: 0, retry_at: null, claimed_until: null }])
    const [live] = await sql`select * from accounts where id = ${bystander.accountId}`
    const [back] = await restored`select * from accounts where id = ${bystander.accountId}`
    // Everybody signs in anew after a restore.
    expect(back).toEqual({ ...live, signed_out_at: expect.any(Date) })
    expect(await restored`select from pg_database where datname = 'restored_restoring'`).toHaveLength(0)

    const again = await restore(['latest', databaseUrl(config.DATABASE_URL, 'restored')])
    expect(again).toMatchObject({ code: 1, said: expect.stringContaining('not empty') })
  })

  test('is refused with keys of another installation, with which nobody and no payment of ours would be found', {
    tags: 'long',
  }, async () => {
    await harness.signUp()
    const { id } = await backUp()
    const other = randomBytes(32).toString('base64')
    const [activeId = ''] = config.FIELD_KEYS.keys.keys()
    for (const settings of [{ INDEX_KEY: other }, { FIELD_KEYS: `${activeId}:${other}` }]) {
      const [name = ''] = Object.keys(settings)
      const { code, said } = await restore([id, databaseUrl(config.DATABASE_URL, 'with_other_keys')], settings)
      expect({ code, said }).toMatchObject({ code: 1, said: expect.stringContaining(`written with another ${name}`) })
      expect(said).not.toContain(other)
    }
    expect(await sql`select from pg_database where datname like 'with_other_keys%'`).toHaveLength(0)
  })

  test('is refused while another one makes the same database, and takes nothing from it', {
    tags: 'long',
  }, async () => {
    const url = databaseUrl(config.DATABASE_URL, 'made_twice')
    const refused = await withDatabase(databaseUrl(url, 'postgres'), (server) =>
      whileAlone(server, 'made_twice', async () => {
        await server`create database made_twice_restoring`
        return restore(['latest', url])
      }),
    )
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('another command restores made_twice') })
    expect(await sql`select from pg_database where datname = 'made_twice_restoring'`).toHaveLength(1)
    await sql`drop database made_twice_restoring`
  })

  test('finds erased accounts in Temporal when the database is lost', { tags: 'long' }, async () => {
    const erased = await harness.signUp()
    const { id } = await backUp()
    await erase(erased)
    const run = harness.temporal.workflow.getHandle(accountDeletionWorkflowId(cipher.accountRef(erased.accountId)))
    await until('the run to be listed', async () => {
      const { workflowId } = await run.describe()
      for await (const listed of harness.temporal.workflow.list({ query: `WorkflowId = '${workflowId}'` }))
        return listed
      return undefined
    })
    const lost = { DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:9/lost' }
    const alone = { ...lost, TEMPORAL_ADDRESS: '127.0.0.1:9' }
    const [{ code, said }, refused] = await Promise.all([
      restore([id, databaseUrl(config.DATABASE_URL, 'rescued')], lost),
      restore([id, databaseUrl(config.DATABASE_URL, 'blind')], alone),
    ])
    expect({ code, said }).toMatchObject({ code: 0, said: expect.stringContaining('could not be asked') })
    expect(await openDatabase('rescued')`select from accounts where id = ${erased.accountId}`).toHaveLength(0)
    expect(refused).toMatchObject({ code: 1, said: expect.stringContaining('--allow-old-ledger') })
  })

  test('restores receipts in their current state, not in that of the dump', { tags: 'long' }, async () => {
    const [slow, localFirst] = [await harness.signUp(), await harness.signUp()]
    await harness.sims.mailbox.do('rule', { recipient: slow.email, code: 421 })
    await harness.sims.firebase.fault({ match: { path: 'accounts:delete' }, status: 503, times: 1_000_000 })
    const deletion = await deleteAccount(harness.stack, slow)
    const { id } = await backUp()
    await harness.sims.mailbox.do('clear-rules')
    await deletion.fastForward('2 hours')
    await deletion.until('mail', 'done')
    const younger = await deleteAccount(harness.stack, localFirst)
    await younger.until('mail', 'done')
    await backUp()

    const lost = { DATABASE_URL: 'postgres://nobody:nothing@127.0.0.1:9/lost' }
    const [fromDatabase, fromCopy] = await Promise.all([
      restore([id, databaseUrl(config.DATABASE_URL, 'receipts_by_database')]),
      restore([id, databaseUrl(config.DATABASE_URL, 'receipts_by_copy')], lost),
    ])
    expect([fromDatabase, fromCopy].map(({ code, said }) => (code === 0 ? 'restored' : said))).toEqual([
      'restored',
      'restored',
    ])
    for (const name of ['receipts_by_database', 'receipts_by_copy']) {
      const restored = openDatabase(name)
      for (const { receiptId } of [deletion, younger]) {
        const [now, back] = await Promise.all([sql, restored].map((each) => findReceipt(each, receiptId)))
        expect(back, name).toEqual(now)
      }
      // The dump still had the address for the last mail.
      const [seal] = await restored`
        select address is null as address, firebase is null as firebase from deletion_seals
        where receipt_id = ${deletion.receiptId}`
      expect(seal, name).toEqual({ address: true, firebase: false })
    }
    await harness.sims.firebase.clearFaults()
  })

  test('refuses a damaged backup and leaves no database behind', { tags: 'long' }, async () => {
    const { id } = await backUp()
    const path = join(config.BACKUP_FOLDER, `dump-${id}.enc`)
    const bytes = await readFile(path)
    await writeFile(path, bytes.subarray(0, bytes.length - 1000))
    const { code, said } = await restore([id, databaseUrl(config.DATABASE_URL, 'damaged')])
    expect({ code, said }).toMatchObject({
      code: 1,
      said: expect.stringMatching(/the backup file is (damaged|truncated)/),
    })
    expect(said).not.toMatch(/\n +at /)
    expect(await sql`select from pg_database where datname like 'damaged%'`).toHaveLength(0)
    await rm(path)
  })
})

describe('without pg_dump', () => {
  test('a failed backup makes an operator task, which the next good backup closes', { tags: 'long' }, async () => {
    const empty = await mkdtemp(join(tmpdir(), 'ama-esim-no-tools-'))
    const bare = { ...config, PG_TOOLS_FOLDER: empty, TEMPORAL_TASK_QUEUE: 'bare' }
    const worker = await startWorker(
      { ...harness.context, config: bare, temporal: harness.temporal },
      { environment: harness.settings, drainMs: 1_000 },
    )
    const result = await runLater<BackupResult>({ temporal: harness.temporal, config: bare }, backupType, 0)
    await worker.stop()
    expect(result.made).toEqual({ state: 'failed', code: 'pg_dump_missing' })
    const tasks = () => sql`select detail, resolved_at is null as open from attention where kind = 'backup_failed'`
    expect(await tasks()).toEqual([{ detail: 'pg_dump_missing', open: true }])
    const { items } = expectStatus(await harness.operator.get('/v1/backups'), 200)
    const shown = items.find((each: { id: string }) => each.id === result.id)
    expect(shown).toMatchObject({ state: 'failed', code: 'pg_dump_missing' })
    await backUp()
    expect(await tasks()).toMatchObject([{ open: false }])
    await rm(empty, { recursive: true })
  })
})
