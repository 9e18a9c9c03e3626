import { test } from 'vitest'
import { openHarness } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const harness = await openHarness({ durable: true })

test('orders live through half a minute without Temporal', { timeout: 120_000 }, async () => {
  await liveThrough(harness, { begin: harness.temporalServer.crash, end: harness.temporalServer.start })
})
