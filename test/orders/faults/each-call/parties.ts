/** The calls of all parties, by `<outside party>.<function of its port>`, on a network that can fail. */
import type { Harness } from '../../../harness/harness.ts'
import { openNetwork } from '../../../harness/outside-network.ts'
import { type Call, withAll } from './call.ts'
import { airaloCalls, esimAccessCalls } from './esim-calls.ts'
import { openLanes } from './lanes.ts'
import { startOpenId } from './openid-calls.ts'
import { messageCalls, signInCalls } from './other-calls.ts'
import { stripeCalls } from './stripe-calls.ts'

/** Under the same key. */
const repeatedBySdk = {
  faults: ['request lost', 'reply lost'],
  why: 'the SDK sends a request once more whose connection was closed',
} as const

/** Much more than all of it costs. */
const rich = 1_000_000_000

/** @param atOnce as many calls are tried at the same time */
export async function openParties(harness: Harness, atOnce: number) {
  const { sims } = harness
  // What these calls make is nobody's order: our API is not told of it.
  await sims.stripe.do('webhooks', { events: ['none'] })
  await sims.esimAccess.do('webhooks', { drop: rich })
  await sims.esimAccess.do('balance', { amount: rich })
  await sims.airalo.do('balance', { amount: rich / 10_000 })
  await sims.airalo.do('limits', { tokenPerMinute: 1_000 })
  const openId = await startOpenId()
  const network = await openNetwork(['fcm.googleapis.com', 'identitytoolkit.googleapis.com', 'oauth2.googleapis.com'])
  const lanes = await openLanes(harness, network, openId.url, atOnce)
  const parties: Record<string, Record<string, Call>> = {
    stripe: withAll(stripeCalls(harness), { goesOnAfter: repeatedBySdk }),
    'esim-access': esimAccessCalls(harness),
    airalo: airaloCalls(harness),
    ...signInCalls(harness),
    ...messageCalls(harness),
    operatorSignIn: openId.calls,
  }
  return {
    parties,
    names: Object.entries(parties).flatMap(([party, calls]) => Object.keys(calls).map((name) => `${party}.${name}`)),
    run: lanes.run,
    count: lanes.count,
    async close(): Promise<void> {
      await lanes.close()
      await network.close()
      await openId.stop()
    },
  }
}
