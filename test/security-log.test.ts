import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ensureDays, partitionOf } from '../db/access/daily-partitions.ts'
import { connectDatabase, type Database } from '../db/connection/database.ts'
import { migrate } from '../db/connection/migrate.ts'
import type { Sealed } from '../db/connection/schema.ts'
import { createDataKeys } from '../db/crypto/data-keys.ts'
import { createFieldCipher } from '../db/crypto/field-cipher.ts'
import { recordSecurityEvent } from '../db/security-log.ts'
import { type PostgresServer, startPostgres } from '../dev/postgres/postgres.ts'

let postgres: PostgresServer
let sql: Database
const cipher = createFieldCipher({ activeId: 'k', keys: new Map([['k', randomBytes(32)]]) }, randomBytes(32))
const encryption = { cipher, dataKeys: createDataKeys(cipher) }

beforeAll(async () => {
  postgres = await startPostgres()
  sql = connectDatabase(postgres.url)
  await migrate(postgres.url)
})
afterAll(async () => {
  await sql.end()
  await postgres.stop()
})

async function partitions(): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select inhrelid::regclass::text as name from pg_inherits where inhparent = 'security_log'::regclass order by 1`
  return rows.map((row) => row.name)
}

test('S1: the key for data without an account is never one that was rolled back with its first use', async () => {
  const dataKeys = createDataKeys(cipher)
  const first = sql.begin(async (tx) => {
    await dataKeys.system(tx)
    await dataKeys.system(tx)
    throw new Error('rolled back')
  })
  await expect(first).rejects.toThrow('rolled back')
  const next = await dataKeys.system(sql)
  // As another process reads it.
  expect(await createDataKeys(cipher).system(sql)).toEqual(next)
})

test('R4: each UTC day has one partition of the security log, also with simultaneous requests', async () => {
  const from = new Date('2031-12-30T23:59:59Z')
  await Promise.all(Array.from({ length: 5 }, () => ensureDays(sql, 'security_log', from, 3)))
  expect(await partitions()).toEqual(['2031_12_30', '2031_12_31', '2032_01_01'].map((day) => `security_log_${day}`))
  expect(partitionOf('security_log', from)).toBe('security_log_2031_12_30')
})

test('a security event on a day without a partition is stored, also with simultaneous events', async () => {
  const at = new Date('2033-03-01T00:00:00Z')
  const requestIds = Array.from({ length: 10 }, () => randomUUID())
  await Promise.all(
    requestIds.map((requestId) =>
      recordSecurityEvent(sql, encryption, { kind: 'sign_in', actor: 'person', ip: '203.0.113.5', requestId, at }),
    ),
  )
  const rows = await sql<{ ip: Sealed; partition: string }[]>`
    select ip, tableoid::regclass::text as partition from security_log where request_id = any(${requestIds})`
  expect(rows.map((row) => row.partition)).toEqual(Array(10).fill('security_log_2033_03_01'))
  const key = await encryption.dataKeys.system(sql)
  expect(rows.map((row) => cipher.decrypt(key, 'security_log.ip', row.ip))).toEqual(Array(10).fill('203.0.113.5'))
})

test('a security event in the last instant of a day is in the partition of that day', async () => {
  const requestId = randomUUID()
  const at = new Date('2034-06-30T23:59:59.999Z')
  await recordSecurityEvent(sql, encryption, { kind: 'sign_in', actor: 'person', requestId, at })
  const [row] =
    await sql`select tableoid::regclass::text as partition, ip from security_log where request_id = ${requestId}`
  expect({ ...row }).toEqual({ partition: 'security_log_2034_06_30', ip: null })
})
