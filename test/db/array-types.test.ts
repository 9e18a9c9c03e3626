/** Arrays as parameters and in rows, and a database that goes away while connections open. */
import postgres from 'postgres'
import { afterAll, expect, test } from 'vitest'
import { connectDatabase } from '../../db/connection/database.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'
import { until } from '../harness/until.ts'

const server = await startPostgres()
const sql = connectDatabase(server.url)
/** postgres.js as it asks the database for its array types. */
const asking = postgres(server.url, { max: 1, types: { bigint: postgres.BigInt } })
afterAll(async () => {
  await Promise.all([sql.end({ timeout: 1 }), asking.end({ timeout: 1 })])
  await server.stop()
})

test.each<[type: string, values: postgres.JSONValue[]]>([
  ['text', ['a', '', 'null', 'NULL', '{a,b}', 'with "quotes"', String.raw`back\slash`, 'a, b', ' edge ', 'ë✓\n']],
  ['text', []],
  ['varchar', ['a']],
  ['uuid', ['6f1f9c7e-6b6e-4b0e-9d8e-0d1c2b3a4f5e']],
  ['int2', [1, -2]],
  ['int4', [0, 2_147_483_647]],
  ['int8', [9_007_199_254_740_993n, -1n].map(String)],
  ['float8', [0.5, -1e300]],
  ['numeric', ['12.30']],
  ['date', ['2026-11-29']],
  ['timestamptz', ['2026-11-29T12:00:00.000Z']],
  ['bool', ['true', 'false']],
  ['jsonb', [{ a: [1, '"'] }]],
  ['json', [{ b: null }]],
  ['name', ['orders']],
  ['oid', [20]],
])('an array of %s is sent and read as it is where postgres.js asks for the types', async (type, values) => {
  const statement = `select $1::${type}[] as back`
  const [ours] = await sql.unsafe(statement, [values])
  const [theirs] = await asking.unsafe(statement, [values])
  expect(ours).toEqual(theirs)
})

test('null in an array is null, where postgres.js reads the text NULL', async () => {
  const [row] = await sql`select array['a', null, 'NULL'] as texts, array[1, null] as numbers, null::text[] as none`
  expect(row).toEqual({ texts: ['a', null, 'NULL'], numbers: [1, null], none: null })
})

test('a database that ends while connections open rejects their queries, and no other promise', {
  tags: 'long',
}, async () => {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => void unhandled.push(reason)
  process.on('unhandledRejection', note)
  for (let round = 0; round < 5; round++) {
    const pool = connectDatabase(server.url, { maxConnections: 50 })
    const queries = Array.from({ length: 50 }, () =>
      pool`select 1`.then(
        () => 'done',
        () => 'failed',
      ),
    )
    await Promise.race(queries)
    await server.crash()
    await server.start()
    await Promise.all(queries)
    await pool.end({ timeout: 1 })
  }
  await until('it answers again', async () => (await sql`select 1 as one`)[0]?.one === 1)
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})
