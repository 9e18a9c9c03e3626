import { test } from 'vitest'
import { openHarness } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const harness = await openHarness()

test('orders live through half a minute without the database', { timeout: 120_000 }, async () => {
  await liveThrough(harness, { begin: harness.database.crash, end: harness.database.start })
})
