/** The rules of the connection pool: callers get connections in order, and each wait has a limit. */
import { getDefaultHighWaterMark } from 'node:stream'
import { afterAll, expect, test } from 'vitest'
import { exportKeys } from '../../db/backup/key-snapshot.ts'
import { connectDatabase, type Database, timeLimits } from '../../db/connection/database.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'
import { until } from '../harness/until.ts'

const server = await startPostgres()
const opened: Database[] = []
afterAll(async () => {
  await Promise.all(opened.map((sql) => sql.end({ timeout: 1 })))
  await server.stop()
})

function open(maxConnections: number, limits: Partial<typeof timeLimits.api> | object = {}): Database {
  const sql = connectDatabase(server.url, { maxConnections, limits: { ...timeLimits.api, ...limits } })
  opened.push(sql)
  return sql
}

/** Resolves when `release` is called. */
function held(): { until: Promise<void>; release: () => void } {
  let release = (): void => {}
  const until = new Promise<void>((resolve) => {
    release = resolve
  })
  return { until, release }
}

test.each<[string, (sql: Database) => PromiseLike<unknown>]>([
  ['a statement', (sql) => sql`select 1`],
  ['a transaction', (sql) => sql.begin((tx) => tx`select 1`)],
])('%s that gets no connection in time fails, and leaves no open work', async (_what, ask) => {
  const sql = open(1, { waitMs: 50 })
  const { until: freed, release } = held()
  const holding = sql.begin(() => freed)
  await expect(Promise.resolve(ask(sql))).rejects.toMatchObject({ code: 'NO_TURN' })
  release()
  await holding
  expect((await sql`select 1 as one`)[0]?.one).toBe(1)
})

test('statements get connections in order, and a connection runs one statement at a time', async () => {
  const sql = open(2)
  const { until: freed, release } = held()
  const holding = sql.begin(() => freed)
  const order = await Promise.all(Array.from({ length: 50 }, (_, index) => sql`select ${index}::int as index`))
  expect(order.map(([row]) => row?.index)).toEqual(Array.from({ length: 50 }, (_, index) => index))
  release()
  await holding
})

test('a failed statement, a failed transaction and a streamed table return their connection to the pool', async () => {
  const sql = open(1, { waitMs: 5_000 })
  await expect(Promise.resolve(sql`select 1 / 0`)).rejects.toMatchObject({ code: '22012' })
  await expect(sql.begin((tx) => tx`select 1 / 0`)).rejects.toMatchObject({ code: '22012' })
  let copied = ''
  for await (const chunk of await sql`copy (select generate_series(1, 3)) to stdout`.readable()) copied += chunk
  expect([copied, (await sql`select 1 as one`)[0]?.one]).toEqual(['1\n2\n3\n', 1])
})

test('a table that is streamed to a slow reader leaves no connection that nobody answers any more', async () => {
  const sql = open(1, { waitMs: 5_000 })
  // The last of these rows is more than a stream takes unread: postgres.js then stops reading its socket.
  const rows = Math.ceil(getDefaultHighWaterMark(false) / 1_001)
  const table = sql.unsafe(`copy (select repeat('x', 1000) from generate_series(1, ${rows})) to stdout`)
  const stream = await table.readable()
  await until('all of it has come', () => stream.readableLength === rows * 1_001)
  let length = 0
  for await (const chunk of stream) length += chunk.length
  expect(length).toBe(rows * 1_001)
  // Without an answer the test runs into its limit.
  expect(await sql`select 1 as one`).toMatchObject([{ one: 1 }])
})

test('a snapshot of the keys that nobody reads to its end gives its connection back', async () => {
  const sql = open(1, { waitMs: 5_000 })
  await sql`create table data_keys (account_id, kek_id, wrapped_key) as
    select id, 'a', repeat('x', 1000) from generate_series(1, 10000) as id`
  const snapshot = await exportKeys(sql)
  snapshot.destroy()
  expect((await sql`select 1 as one`)[0]?.one).toBe(1)
})

test('a pool is stuck only while callers wait and no connection comes back', async () => {
  const sql = open(2, { waitMs: 50, stuckAfterMs: 100 })
  const { until: freed, release } = held()
  const holding = [sql.begin(() => freed), sql.begin(() => freed)]
  expect(sql.pool.isStuck()).toBe(false)
  await expect(Promise.resolve(sql`select 1`)).rejects.toMatchObject({ code: 'NO_TURN' })
  await until('it is stuck', () => sql.pool.isStuck())
  release()
  await Promise.all(holding)
  expect(sql.pool.isStuck()).toBe(false)
})

test('a full pool without waiting callers is not stuck', async () => {
  const sql = open(1, { stuckAfterMs: 0 })
  const { until: freed, release } = held()
  const holding = sql.begin(() => freed)
  expect(sql.pool.isStuck()).toBe(false)
  release()
  await holding
})

test('the time limits end a statement, a wait for a lock, an idle transaction and a long transaction', async () => {
  const sql = open(4, { statementMs: 300, lockMs: 100, idleInTransactionMs: 300, transactionMs: 200 })
  await expect(Promise.resolve(sql`select pg_sleep(20)`)).rejects.toMatchObject({ code: '57014' })
  await sql`create table if not exists locked (id int)`
  const { until: freed, release } = held()
  const holder = open(1)
  const holding = holder.begin(async (tx) => {
    await tx`lock table locked`
    await freed
  })
  await until(
    'it is locked',
    async () => (await sql`select 1 from pg_locks where relation = 'locked'::regclass`).length > 0,
  )
  await expect(Promise.resolve(sql`select from locked`)).rejects.toMatchObject({ code: '55P03' })
  release()
  await holding
  await expect(sql.begin(() => new Promise(() => {}))).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  const long = sql.begin(async (tx) => {
    for (;;) await tx`select pg_sleep(0.01)`
  })
  await expect(long).rejects.toMatchObject({ code: 'TRANSACTION_TOO_LONG' })
})

test('connections to a server that does not write any more, as after a failover, are not used again', async () => {
  const [admin, sql] = [open(1), open(2)]
  await admin`create table written_after_failover (id int)`
  const [{ name = '' } = {}] = await admin<{ name: string }[]>`select current_database() as name`
  // Stands for the old primary: what is connected while this holds does not write, and what connects later does.
  await admin`alter database ${admin(name)} set default_transaction_read_only = on`
  const { until: freed, release } = held()
  const both = [1, 2].map(() => sql.begin((tx) => tx`select 1`.then(() => freed)))
  await until('both are connected', async () => {
    const used = await admin`select from pg_stat_activity where datname = ${name} and state = 'idle in transaction'`
    return used.length === 2
  })
  release()
  await Promise.all(both)
  await admin`alter database ${admin(name)} reset default_transaction_read_only`
  const write = async () => sql`insert into written_after_failover values (1)`
  await expect(write()).rejects.toMatchObject({ code: '25006' })
  await Promise.all([write(), write()])
  expect(await sql`select from written_after_failover`).toHaveLength(2)
})

test('a transaction that meets a plan of before a migration has lost its connection, and no other one meets it', async () => {
  const [admin, sql] = [open(1), open(2)]
  await admin`create table migrated_meanwhile (id int)`
  const read = () => sql.begin(async (tx) => (await tx`select * from migrated_meanwhile`).columns.length)
  // Both connections have the plan.
  const { until: freed, release } = held()
  const both = [1, 2].map(() =>
    sql.begin(async (tx) => {
      await tx`select * from migrated_meanwhile`
      await freed
    }),
  )
  await until('both have it', async () => {
    const used =
      await admin`select from pg_stat_activity where query like '%migrated_meanwhile%' and state = 'idle in transaction'`
    return used.length === 2
  })
  release()
  await Promise.all(both)
  await admin`alter table migrated_meanwhile add column added int`
  await expect(read()).rejects.toMatchObject({ code: 'CONNECTION_CLOSED' })
  expect(await Promise.all([read(), read()])).toEqual([2, 2])
})
