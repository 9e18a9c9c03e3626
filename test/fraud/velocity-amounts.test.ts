/** U5: fraud is prevented. The limits of amounts are reached in every currency, also in those with small units. */
import { afterAll, expect, test } from 'vitest'
import { connectDatabase } from '../../db/connection/database.ts'
import { migrate } from '../../db/connection/migrate.ts'
import { countPurchase, mostBought, type VelocityKey } from '../../db/order/velocity.ts'
import { startPostgres } from '../../dev/postgres/postgres.ts'
import { milliseconds, periods } from '../../policy/periods.ts'
import { costMinor } from '../../policy/pricing.ts'
import { plusMs } from '../../shared/calendar.ts'

const postgres = await startPostgres()
await migrate(postgres.url)
const sql = connectDatabase(postgres.url)
afterAll(async () => {
  await sql.end({ timeout: 5 })
  await postgres.stop()
})

const at = new Date('2026-11-30T12:34:56Z')
const card: VelocityKey = { kind: 'card', hash: Buffer.alloc(32, 7) }

test.each([
  ['IDR', 16_400],
  ['LBP', 89_500],
])('purchases in %s add up beyond the limits', async (currency, ratePerUsd) => {
  await sql`delete from velocity_counts`
  const exchange = { currency, ratePerUsdMicros: ratePerUsd * 1_000_000 }
  const ofDay = costMinor(periods.velocity.maxGrossUsdMicros, exchange)
  const ofMonth = costMinor(periods.velocityAcrossAccounts.maxGrossUsdMicros, exchange)
  // Ten purchases of 80 dollars, in one hour, and as many on each of three days before.
  const grossMinor = costMinor(80_000_000, exchange)
  for (const days of [0, 1, 2, 3])
    for (let bought = 0; bought < 10; bought += 1)
      await sql.begin((tx) => countPurchase(tx, [card], { grossMinor, at: plusMs(at, -days * milliseconds.day) }))
  const since = { lately: plusMs(at, -milliseconds.hour), longAgo: plusMs(at, -10 * milliseconds.day) }
  const { lately, altogether } = await mostBought(sql, [card], since)
  expect(lately.grossMinor).toBeGreaterThan(ofDay)
  expect(altogether.grossMinor).toBeGreaterThan(ofMonth)
  expect(Math.abs(altogether.grossMinor - 40 * grossMinor)).toBeLessThanOrEqual(40 * 500)
})
