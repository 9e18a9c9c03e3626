/** A database that crashes during a transaction fails the transaction, and nothing else in the process. */
import { afterAll, expect, test } from 'vitest'
import { connectDatabase } from '../../db/connection/database.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'
import { until } from '../harness/until.ts'

const server = await startPostgres()
const sql = connectDatabase(server.url)
afterAll(async () => {
  await sql.end({ timeout: 1 })
  await server.stop()
})

const lost = expect.stringMatching(/^(CONNECTION_CLOSED|ECONNRESET|EPIPE|57P0[123])$/)
const answers = () => until('the database answers', async () => (await sql`select 1 as one`)[0]?.one)

test.each([
  ['during a statement', 'select pg_sleep(20)', false],
  ['between two statements', 'select 1', true],
])('a crash of the database %s of a transaction fails only the transaction', async (_when, statement, goesOn) => {
  let begun = (): void => {}
  const running = new Promise<void>((resolve) => {
    begun = resolve
  })
  let away = (): void => {}
  const gone = new Promise<void>((resolve) => {
    away = resolve
  })
  let end = (): void => {}
  const ended = new Promise<void>((resolve) => {
    end = resolve
  })
  const work = sql.begin(async (tx) => {
    try {
      await tx`select 1`
      begun()
      await tx.unsafe(statement)
      if (goesOn) await gone
      await tx`select 2`
    } finally {
      end()
    }
  })
  const outcome = expect(work).rejects.toMatchObject({ code: lost })
  await running
  await server.crash()
  await outcome
  away()
  await ended
  await server.start()
  expect(await answers()).toBe(1)
})

test('a transaction that fails without losing its connection is rolled back', async () => {
  await sql`create table kept (id int primary key)`
  await expect(
    sql.begin(async (tx) => {
      await tx`insert into kept values (1)`
      throw new Error('changed its mind')
    }),
  ).rejects.toThrow('changed its mind')
  expect(await sql`select from kept`).toHaveLength(0)
  expect(await sql.begin(async (tx) => (await tx`insert into kept values (2) returning id`)[0]?.id)).toBe(2)
})
