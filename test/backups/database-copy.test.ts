/** A command that works on a copy of a database is alone with it, and leaves it as it was or as a whole. */
import { afterAll, expect, test } from 'vitest'
import { CopyInUse, onCopy } from '../../db/backup/database-copy.ts'
import { databaseUrl, withDatabase } from '../../db/backup/restore.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'

const server = await startPostgres()
afterAll(() => server.stop())

const url = databaseUrl(server.url, 'books')
await withDatabase(server.url, (sql) => sql`create database books`)
await withDatabase(url, (sql) => sql`create table entries (text text primary key)`)

const write = (where: string, text: string) =>
  withDatabase(where, async (sql) => {
    await sql`insert into entries values (${text})`
  })
const entries = () =>
  withDatabase(url, async (sql) =>
    (await sql<{ text: string }[]>`select text from entries order by text`).map((row) => row.text),
  )
const takesConnections = () =>
  withDatabase(server.url, async (sql) => {
    const [row] = await sql<{ datallowconn: boolean }[]>`select datallowconn from pg_database where datname = 'books'`
    return row?.datallowconn
  })

test('a second command is refused while the first one works, and the first one ends as if it had been alone', async () => {
  let letGo = (): void => {}
  const freed = new Promise<void>((resolve) => {
    letGo = resolve
  })
  let begun = (): void => {}
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve
  })
  const first = onCopy(url, async (copy) => {
    await write(copy, 'first')
    begun()
    await freed
    await write(copy, 'of the first')
  })
  await hasBegun
  await expect(onCopy(url, (copy) => write(copy, 'second'))).rejects.toBeInstanceOf(CopyInUse)
  // Nobody may write to what is replaced.
  expect(await takesConnections()).toBe(false)
  letGo()
  await first
  expect([await entries(), await takesConnections()]).toEqual([['first', 'of the first'], true])
  await onCopy(url, (copy) => write(copy, 'second'))
  expect(await entries()).toEqual(['first', 'of the first', 'second'])
})

test('a command that fails leaves the database as it was, and lets the next one in', async () => {
  const before = await entries()
  const failing = onCopy(url, async (copy) => {
    await write(copy, 'half')
    throw new Error('it has failed')
  })
  await expect(failing).rejects.toThrow('it has failed')
  expect([await entries(), await takesConnections()]).toEqual([before, true])
  await onCopy(url, (copy) => write(copy, 'whole'))
  expect(await entries()).toEqual([...before, 'whole'])
})
