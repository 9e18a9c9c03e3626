import { test } from 'vitest'
import { openHarness } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const harness = await openHarness({ durable: true })

test('orders reach their ends after an outage of Temporal for half a minute', { timeout: 120_000 }, async () => {
  await liveThrough(harness, { begin: harness.temporalServer.crash, end: harness.temporalServer.start })
})
