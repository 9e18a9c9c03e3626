import { test } from 'vitest'
import { openStack } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const rig = await openStack()

test('orders live through half a minute without the database', { timeout: 120_000 }, async () => {
  await liveThrough(rig, { begin: rig.database.crash, end: rig.database.start })
})
