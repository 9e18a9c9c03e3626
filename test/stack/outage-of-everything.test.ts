import { test } from 'vitest'
import { always } from '../harness/checks/placements.ts'
import { openStack } from '../harness/harness.ts'
import { liveThrough } from './outage.ts'

const rig = await openStack({ durable: true })
const { stripe, esimAccess, airalo, firebase, google, apple, meta, googleAnalytics, mailbox } = rig.sims
const outside = [stripe, esimAccess, airalo, firebase, google, apple, meta, googleAnalytics]

test('orders live through half a minute in which nothing and nobody is there', { timeout: 120_000 }, async () => {
  await liveThrough(rig, {
    async begin() {
      await Promise.all(outside.map((party) => party.fault({ cut: 'before', times: always })))
      await mailbox.do('rule', { code: 421, times: always })
      await Promise.all([rig.database.crash(), rig.temporalServer.crash()])
    },
    async end() {
      await Promise.all([rig.database.start(), rig.temporalServer.start()])
      await Promise.all(outside.map((party) => party.clearFaults()))
      await mailbox.do('clear-rules')
    },
  })
})
