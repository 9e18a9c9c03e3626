/**
 * G3: everybody can delete their account. A deleted data key is out of the files of the database once no snapshot sees
 * it; a snapshot of another database never does.
 */
import postgresJs from 'postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectDatabase, type Database } from '../../db/connection/database.ts'
import { migrate } from '../../db/connection/migrate.ts'
import { currentTransaction, vacuumDeletedKeys } from '../../db/connection/vacuum.ts'
import { type PostgresServer, startPostgres } from '../../dev/postgres/postgres.ts'

let postgres: PostgresServer
let sql: Database
/** the address of another database of the server */
let elsewhere: string

beforeAll(async () => {
  postgres = await startPostgres()
  await migrate(postgres.url)
  sql = connectDatabase(postgres.url)
  await sql`create database elsewhere`
  const other = new URL(postgres.url)
  other.pathname = '/elsewhere'
  elsewhere = other.href
})

afterAll(async () => {
  await sql.end()
  await postgres.stop()
})

/** Deletes while a snapshot from before is open at an address. @returns whether the deleted rows are vacuumed */
async function deletedBeside(url: string): Promise<boolean> {
  const older = postgresJs(url, { max: 1 })
  await older`begin isolation level repeatable read`
  await older`select pg_current_snapshot()`
  const vacuumed = await vacuumDeletedKeys(sql, await aTransaction())
  await older.end()
  return vacuumed
}

const aTransaction = () => sql.begin((tx) => currentTransaction(tx))

test('a snapshot of the database from before a deletion is waited for', async () => {
  expect(await deletedBeside(postgres.url)).toBe(false)
  expect(await vacuumDeletedKeys(sql, await aTransaction())).toBe(true)
})

test('a snapshot of another database of the same server is waited for by no deletion', async () => {
  expect(await deletedBeside(elsewhere)).toBe(true)
})
