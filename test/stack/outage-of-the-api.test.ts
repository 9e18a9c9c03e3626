import { test } from 'vitest'
import { openHarness } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const harness = await openHarness({ processes: 'apart' })

test('orders live through half a minute without the API', { timeout: 120_000 }, async () => {
  await liveThrough(harness, { begin: harness.api.kill, end: harness.api.start, apiIsGone: true })
})
