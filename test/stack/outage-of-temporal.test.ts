import { test } from 'vitest'
import { openStack } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const rig = await openStack({ durable: true })

test('orders live through half a minute without Temporal', { timeout: 120_000 }, async () => {
  await liveThrough(rig, { begin: rig.temporalServer.crash, end: rig.temporalServer.start })
})
