/**
 * Each call to each outside party, alone, with pairs of all faults in both orders; `npm test -- --all` has all pairs.
 */
import { afterAll, expect, test } from 'vitest'
import { openHarness } from '../../../harness/harness.ts'
import { pairs } from '../plant-pairs.ts'
import type { Call } from './call.ts'
import { faultNames } from './faults.ts'
import { openParties } from './parties.ts'

const harness = await openHarness({ workers: 0, books: false })
const { parties, run, count, close } = await openParties(harness, 8)
afterAll(close)

test('each request of a call is known: one that a call makes newly gets no pairs of faults before it is counted', async () => {
  const known: Record<string, Record<string, number>> = {}
  const counted: typeof known = {}
  for (const [party, calls] of Object.entries(parties)) {
    known[party] = Object.fromEntries(Object.entries<Call>(calls).map(([name, { requests = 1 }]) => [name, requests]))
    counted[party] = await count(calls)
  }
  expect(counted).toEqual(known)
})

test.each(Object.entries(parties))(
  '%s: each call is done once, after each pair of faults at each of its requests',
  { timeout: 1_200_000 },
  async (_party, calls) => {
    await run(calls, () => pairs(faultNames))
  },
)
