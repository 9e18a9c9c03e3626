/** S1: keys are rotated. One rotation of a purpose is open at a time, and one that has ended stays so. */
import { randomUUID } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { connectDatabase } from '../../db/connection/database.ts'
import { migrate } from '../../db/connection/migrate.ts'
import { findKeyRotation, insertKeyRotation, openRotation, recordRotation } from '../../db/crypto/key-rotations.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'

const postgres = await startPostgres()
await migrate(postgres.url)
const sql = connectDatabase(postgres.url)
afterAll(async () => {
  await sql.end({ timeout: 5 })
  await postgres.stop()
})

const at = new Date('2026-11-30T12:00:00Z')

async function open(): Promise<string> {
  const id = randomUUID()
  await insertKeyRotation(sql, { id, purpose: 'field', toKey: 'b', at, by: 'test' })
  expect(await openRotation(sql, id, 'field')).toBe('opened')
  return id
}

test('a report that comes after the end of a rotation does not open it again, and another one can begin', async () => {
  const first = await open()
  await recordRotation(sql, first, { status: 'done', rewrapped: 7, remaining: 0, at })
  // An attempt that was given up, and writes after all.
  await recordRotation(sql, first, { status: 'rewrapping', rewrapped: 3, remaining: 4, at })
  expect(await findKeyRotation(sql, first)).toMatchObject({ status: 'done', rewrapped: 7, endedAt: at })
  const second = await open()
  await recordRotation(sql, second, { status: 'rewrapping', rewrapped: 3, remaining: 4, at })
  expect(await findKeyRotation(sql, second)).toMatchObject({ status: 'rewrapping', rewrapped: 3, endedAt: null })
})
