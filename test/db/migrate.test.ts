/** Migrations are applied beside a service that goes on: nobody waits for one that has to wait itself. */
import { writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { dropDays, ensureDays } from '../../db/access/daily-partitions.ts'
import { connectDatabase, timeLimits } from '../../db/connection/database.ts'
import { migrate, TablesInUse } from '../../db/connection/migrate.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'
import { until } from '../harness/until.ts'

const server = await startPostgres()
await migrate(server.url)
const sql = connectDatabase(server.url, { maxConnections: 4 })
afterAll(async () => {
  await sql.end({ timeout: 1 })
  await server.stop()
})

const folder = pathToFileURL(`${await throwawayFolder('ama-esim-migrations-')}/`)

/** Reads a table as pg_dump does, until it is told to end. */
async function reading(table: string) {
  let end = (): void => {}
  const told = new Promise<void>((resolve) => {
    end = resolve
  })
  let begun = (): void => {}
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve
  })
  const ended = sql.begin(async (tx) => {
    await tx`lock table ${tx(table)} in access share mode`
    begun()
    await told
  })
  await hasBegun
  return async () => {
    end()
    await ended
  }
}

const asksFor = (table: string) => async () =>
  (await sql`select from pg_locks where relation = ${table}::regclass and not granted`).length > 0

test('a migration of a table that a backup reads keeps nobody from it, and is applied when the backup has ended', async () => {
  await writeFile(
    new URL('9998-columns.sql', folder),
    'alter table accounts add column one int; alter table orders add column one int;',
  )
  const end = await reading('orders')
  const migrating = migrate(server.url, { folder, lockMs: 100, firstPauseMs: 20 })
  await until('it asks for the table', asksFor('orders'))
  // Both are the migration's: the one it has, until it gives up, and the one that it asks for.
  for (const table of ['accounts', 'orders'])
    expect(await sql`select count(*)::int as rows from ${sql(table)}`).toHaveLength(1)
  await end()
  expect(await migrating).toEqual(['9998-columns.sql'])
  expect(await sql`select from information_schema.columns where column_name = 'one'`).toHaveLength(2)
})

test('a migration that others keep from its tables for too long is not applied, and says so', async () => {
  await writeFile(
    new URL('9999-more.sql', folder),
    'alter table accounts add column two int; alter table orders add column two int;',
  )
  const end = await reading('orders')
  const migrating = migrate(server.url, { folder, lockMs: 20, firstPauseMs: 1, triesForMs: 50 })
  await expect(migrating).rejects.toBeInstanceOf(TablesInUse)
  await end()
  expect(await sql`select from information_schema.columns where column_name = 'two'`).toHaveLength(0)
  expect(await migrate(server.url, { folder })).toEqual(['9999-more.sql'])
})

test('the partition of a day is not waited for without an end either, nor its end', { tags: 'long' }, async () => {
  // Without a limit of its own: a backup may take hours.
  const patient = connectDatabase(server.url, { maxConnections: 1, limits: timeLimits.maintenance })
  const end = await reading('security_log')
  const making = ensureDays(patient, 'security_log', new Date('2040-02-29T00:00:00Z'), 1)
  await expect(making).rejects.toMatchObject({ code: '55P03' })
  await end()
  await ensureDays(patient, 'security_log', new Date('2040-02-29T00:00:00Z'), 1)
  const made = () => sql`select from pg_class where relname = 'security_log_2040_02_29'`
  expect(await made()).toHaveLength(1)
  const endAgain = await reading('security_log')
  await expect(dropDays(patient, 'security_log', new Date('2040-02-29T00:00:00Z'))).rejects.toMatchObject({
    code: '55P03',
  })
  await endAgain()
  expect(await dropDays(patient, 'security_log', new Date('2040-02-29T00:00:00Z'))).toBeGreaterThan(0)
  expect(await made()).toHaveLength(0)
  await patient.end()
})
