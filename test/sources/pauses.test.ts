/**
 * Tests wait for conditions (`test/harness/until.ts`), never for a time: it is too short on a slow machine, and long on
 * each. Nor is a test tried again: what fails now and then has found something.
 */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../', import.meta.url))
const pauses =
  /\bset(?:Timeout|Interval)(?:\(|\))|'(?:node:)?timers(?:\/promises)?'|\bAtomics\.wait|\.waitForTimeout\(|['"`]sleep['"` ]/
/** Of the runner: options of a test or of all, and its own loops around an expectation. */
const retries = /\bretry: ?(?:\d|\{)|\bexpect\.poll\(|\bvi\.waitFor|\bvi\.waitUntil/

/** Helpers that may wait for a time, and for which. */
const allowed: Record<string, string> = {
  'attack/slow-readers.long.test.ts': 'a slow line is what it plays',
  'harness/until.ts': 'between two reads of a condition',
  'harness/delays.ts': 'delays are what it makes',
  'harness/outside-network.ts': 'a slow network is what it plays',
  'sign-in/openid-provider.ts': 'a slow provider is what it plays',
  'stack/outage.ts': 'an outage has a length: 30 seconds are longer than callers and connections repeat',
}
/** A chaos world plays in real time, with pauses that its seed draws. */
const isOfWorld = (name: string): boolean => name.startsWith('chaos/world/')

const names = (await readdir(folder, { recursive: true })).filter((name) => /\.tsx?$/.test(name))
const sources = await Promise.all(
  ['../vitest.config.ts', ...names.filter((name) => name !== 'sources/pauses.test.ts')].map(
    async (file) => [file, await readFile(folder + file, 'utf8')] as const,
  ),
)
const filesWith = (way: RegExp): string[] =>
  sources
    .filter(([, text]) => way.test(text))
    .map(([file]) => file)
    .sort()

test('no test pauses for a fixed time, nor does a helper but those that play time', () => {
  expect(names.length).toBeGreaterThan(200)
  expect(names.some((name) => name.endsWith('.tsx'))).toBe(true)
  expect(filesWith(pauses).filter((name) => !isOfWorld(name))).toEqual(Object.keys(allowed).sort())
})

test('no test that has failed is tried again', () => {
  expect(filesWith(retries)).toEqual([])
})

test.each([
  'await new Promise((done) => setTimeout(done, 10))',
  'await promisify(setTimeout)(10)',
  "import { setTimeout as pause } from 'node:timers/promises'",
  "import { setTimeout as pause } from 'timers'",
  'Atomics.wait(shared, 0, 0, 10)',
  'await page.waitForTimeout(10)',
  "execFileSync('sleep', ['1'])",
])('a pause is found: %s', (text) => {
  expect(text).toMatch(pauses)
})

test.each([
  "test('a', { retry: 2 }, () => {})",
  'retry: { count: 2 }',
  'await expect.poll(read).toBe(1)',
  'await vi.waitFor(read)',
])('a test that is tried again is found: %s', (text) => {
  expect(text).toMatch(retries)
})
