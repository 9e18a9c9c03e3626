import { test } from 'vitest'
import { openHarness } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const harness = await openHarness()

test('orders reach their ends after an outage of the database for half a minute', { timeout: 120_000 }, async () => {
  await liveThrough(harness, { begin: harness.database.crash, end: harness.database.start })
})
