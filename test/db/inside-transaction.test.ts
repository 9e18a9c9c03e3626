/** Inside a transaction only its own connection may be used, not the pool. */
import { afterAll, expect, test } from 'vitest'
import { connectDatabase, type Database } from '../../db/connection/database.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'

const server = await startPostgres()
const opened: Database[] = []
afterAll(async () => {
  await Promise.all(opened.map((sql) => sql.end({ timeout: 1 })))
  await server.stop()
})

function open(maxConnections: number): Database {
  const sql = connectDatabase(server.url, { maxConnections })
  opened.push(sql)
  return sql
}

const asked = { name: 'AskedInsideTransaction' }

test.each<[string, (sql: Database) => PromiseLike<unknown>]>([
  ['a statement', (sql) => sql`select 1`],
  ['a statement made outside', (sql) => sql.unsafe('select 1')],
  ['a transaction', (sql) => sql.begin(async (tx) => tx`select 1`)],
  ['several at once', (sql) => Promise.all([sql`select 1`, sql`select 2`])],
])('a transaction that asks the pool for %s fails and is rolled back', async (_what, ask) => {
  const sql = open(3)
  await sql`create table if not exists kept (id int)`
  const work = sql.begin(async (tx) => {
    await tx`insert into kept values (1)`
    await ask(sql)
  })
  await expect(work).rejects.toMatchObject(asked)
  expect(await sql`select from kept`).toHaveLength(0)
})

test('a transaction that uses another pool is refused', async () => {
  const [sql, other] = [open(1), open(1)]
  await expect(sql.begin(async () => other`select 1`)).rejects.toMatchObject(asked)
})

test('a transaction that catches the refusal of the pool still fails', async () => {
  const sql = open(2)
  const work = sql.begin(async (tx) => {
    await Promise.resolve(sql`select 1`).catch(() => undefined)
    return tx`select 2`
  })
  await expect(work).rejects.toMatchObject(asked)
})

test('a transaction may build fragments with the pool, and its unawaited work may use the pool after its end', async () => {
  const sql = open(2)
  let release = (): void => {}
  const ended = new Promise<void>((resolve) => {
    release = resolve
  })
  let later: Promise<unknown> | undefined
  const [row] = await sql.begin(async (tx) => {
    later = ended.then(() => sql`select 3 as three`)
    return tx`select ${sql`1 + 1`} as ${sql('two')}`
  })
  release()
  expect([row?.two, await later]).toEqual([2, [{ three: 3 }]])
})

test('a savepoint inside a transaction is allowed', async () => {
  const sql = open(1)
  expect(await sql.begin((tx) => tx.savepoint(async (inner) => (await inner`select 1 as one`)[0]?.one))).toBe(1)
})
