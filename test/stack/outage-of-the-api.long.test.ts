import { test } from 'vitest'
import { openHarness } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const harness = await openHarness({ processes: 'apart' })

test('orders reach their ends after an outage of the API for half a minute', { timeout: 120_000 }, async () => {
  await liveThrough(harness, { begin: harness.api.kill, end: harness.api.start, apiIsGone: true })
})
