import { test } from 'vitest'
import { openStack } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const rig = await openStack({ processes: 'apart' })

test('orders live through half a minute without the API', { timeout: 120_000 }, async () => {
  await liveThrough(rig, { begin: rig.api.kill, end: rig.api.start, apiIsGone: true })
})
