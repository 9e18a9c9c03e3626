/**
 * Each call to each outside party, alone, with pairs of all faults: it fails as what may pass, is done once, and
 * succeeds when the faults are over. Here the seed draws some of the calls, and a pair for each; each-call.long.test.ts
 * has all calls and more pairs.
 */
import { afterAll, expect, test } from 'vitest'
import { shareStack } from '../../../harness/harness.ts'
import { drawPart, seededInt } from '../../../harness/seed.ts'
import { coveredCalls } from '../covered-calls.ts'
import { faultNames } from './faults.ts'
import type { Pair } from './lanes.ts'
import { openParties } from './parties.ts'

const harness = await shareStack({ books: false })
const { parties, names, run, close } = await openParties(harness, 3)
afterAll(close)

test('each call of the table of pairs is made here, except those that have a reason', () => {
  const wanted = Object.entries(coveredCalls).flatMap(([call, { elsewhere }]) => (elsewhere ? [] : [call]))
  expect(names.sort()).toEqual(wanted.sort())
})

const drawn = (): Pair => {
  const first = seededInt(0, faultNames.length)
  const second = (first + seededInt(1, faultNames.length)) % faultNames.length
  return [faultNames[first] ?? 'slow', faultNames[second] ?? 'slow']
}

const partOf = drawPart(5)

test('calls are done once, after a pair of faults', async () => {
  const all = Object.entries(parties).flatMap(([party, calls]) =>
    Object.entries(calls).map(([name, call]) => [`${party}.${name}`, call] as const),
  )
  await run(
    Object.fromEntries(partOf(all)),
    () => [drawn()],
    (places) => places.slice(seededInt(0, places.length)).slice(0, 1),
  )
})
