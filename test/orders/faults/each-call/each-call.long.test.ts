/**
 * Each call to each outside party, alone, with pairs of all faults in both orders; `npm test -- --all` has all pairs.
 */
import { afterAll, test } from 'vitest'
import { openHarness } from '../../../harness/harness.ts'
import { pairs } from '../plant-pairs.ts'
import { faultNames } from './faults.ts'
import { openParties } from './parties.ts'

const harness = await openHarness({ workers: 0, books: false })
const { parties, run, close } = await openParties(harness, 8)
afterAll(close)

test.each(Object.entries(parties))(
  '%s: each call is done once, after each pair of faults',
  { timeout: 1_200_000 },
  async (_party, calls) => {
    await run(calls, () => pairs(faultNames))
  },
)
