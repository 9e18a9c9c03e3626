/** The random values of a test run can be repeated. */
import fc from 'fast-check'
import { beforeEach, expect, test } from 'vitest'
import { drawPart, seed, seededBytes, seededInt, seededUuid, startStream } from './harness/seed.ts'

beforeEach(() => startStream('a file'))

test('every process of a test run uses its seed, also for property tests', () => {
  expect(process.env.TEST_SEED).toBe(String(seed))
  expect(fc.readConfigureGlobal().seed).toBe(seed)
  const first = fc.sample(fc.integer(), { seed, numRuns: 5 })
  expect(fc.sample(fc.integer(), 5)).toEqual(first)
})

test('a test file gets the same random values in any order of files, and never one twice', () => {
  const draw = () => [seededUuid(), seededBytes(60).toString('hex'), seededInt(0, 1_000_000), seededUuid()]
  const drawn = draw()
  expect(new Set([...drawn, ...draw()]).size).toBe(8)
  startStream('another file')
  expect(draw()).not.toEqual(drawn)
  startStream('a file')
  expect(draw()).toEqual(drawn)
})

test('seeded ids are UUIDs, and seeded numbers are in their range', () => {
  for (let turn = 0; turn < 200; turn += 1) {
    expect(seededUuid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    const number = seededInt(5, 8)
    expect(number).toBeGreaterThanOrEqual(5)
    expect(number).toBeLessThan(8)
  }
})

test('a drawn part has each item in one of so many cases, and each case has its share of the items', () => {
  const items = [...Array(12).keys()]
  const part = drawPart(4)
  const cases = [0, 1, 2, 3].map((atCase) => part(items, atCase))
  const all = process.env.TEST_ALL === '1'
  expect(cases.map(({ length }) => length)).toEqual(all ? [12, 12, 12, 12] : [3, 3, 3, 3])
  expect([...new Set(cases.flat())].sort((a, b) => a - b)).toEqual(items)
  expect(part(items, 4)).toEqual(cases[0])
})
