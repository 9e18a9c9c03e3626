import { test } from 'vitest'
import { always } from '../harness/checks/placements.ts'
import { openHarness } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const harness = await openHarness({ durable: true })
const { stripe, esimAccess, airalo, firebase, google, apple, meta, googleAnalytics, mailbox } = harness.sims
const outside = [stripe, esimAccess, airalo, firebase, google, apple, meta, googleAnalytics]

test('orders reach their ends after an outage of everything for half a minute', { timeout: 120_000 }, async () => {
  await liveThrough(harness, {
    async begin() {
      await Promise.all(outside.map((simulator) => simulator.fault({ cut: 'before', times: always })))
      await mailbox.do('rule', { code: 421, times: always })
      await Promise.all([harness.database.crash(), harness.temporalServer.crash()])
    },
    async end() {
      await Promise.all([harness.database.start(), harness.temporalServer.start()])
      await Promise.all(outside.map((simulator) => simulator.clearFaults()))
      await mailbox.do('clear-rules')
    },
  })
})
