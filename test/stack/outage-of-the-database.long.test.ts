import { test } from 'vitest'
import { shareStack } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const harness = await shareStack()

test('orders reach their ends after an outage of the database for half a minute', { timeout: 120_000 }, async () => {
  await liveThrough(harness, { begin: harness.database.crash, end: harness.database.start })
})
