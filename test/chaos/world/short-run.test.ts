/**
 * A short world of a fixed seed, without shrinking: `npm run chaos` plays longer ones. A failure is played again, and
 * shrunk, by `npm run chaos -- --seed 11 --orders 5 --years 0`, whose books stay.
 */
import { afterAll, expect, test } from 'vitest'
import { violationsIn } from '../oracles/oracles.ts'
import { planOf } from './plan.ts'
import { play } from './play.ts'
import { startWorldStack } from './stack/stack.ts'

const size = { seed: 11, orders: 5, years: 0 }
/** The books end: by themselves, years add no act. */
const years = 7
const stack = await startWorldStack()
afterAll(() => stack.stop())

test('U2 U3 G3 R2: a short world of faults and crashes breaks no promise', { timeout: 300_000 }, async () => {
  const { books, said, stuck } = await play(stack, planOf(size), { world: 'short', years })
  expect(stuck).toEqual([])
  expect(violationsIn(books, said)).toEqual([])
  expect(said.journal.entries.length).toBeGreaterThan(0)
  expect(said.journalAfterPeriod?.entries).toEqual([])
  expect(said.orders.length).toBeGreaterThanOrEqual(size.orders)
})
