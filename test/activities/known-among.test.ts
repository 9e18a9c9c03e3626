/** The payments of erased persons are read again only for one that was in no seal. */
import { expect, test } from 'vitest'
import { knownAmong } from '../../activities/payment-sweep.ts'

test('pages are read for an id that is not known, and not again for those that are', async () => {
  const pages = [['pi_1', 'pi_2'], ['pi_3']]
  let opened = 0
  const isKnown = knownAmong(async function* () {
    for (const page of pages) {
      opened += 1
      yield page
    }
  })
  expect([await isKnown('pi_3'), await isKnown('pi_1'), opened]).toEqual([true, true, 2])
  // A person was erased since.
  expect(await isKnown('pi_4')).toBe(false)
  pages.push(['pi_4'])
  expect([await isKnown('pi_4'), opened]).toEqual([true, 7])
})
