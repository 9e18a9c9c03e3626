/**
 * Tests wait for conditions (`test/harness/until.ts`), never for a time: it is too short on a slow machine, and long on
 * each.
 */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../', import.meta.url))
const pauses = /\bset(?:Timeout|Interval)\(|timers\/promises/

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

test('no test pauses for a fixed time, nor does a helper but those that play time', async () => {
  const names = await readdir(folder, { recursive: true })
  const files = names.filter((name) => /\.tsx?$/.test(name) && name !== 'sources/pauses.test.ts' && !isOfWorld(name))
  expect(files.length).toBeGreaterThan(200)
  expect(files.some((name) => name.endsWith('.tsx'))).toBe(true)
  const found = await Promise.all(files.map(async (file) => [file, await readFile(folder + file, 'utf8')] as const))
  expect(
    found
      .filter(([, text]) => pauses.test(text))
      .map(([file]) => file)
      .sort(),
  ).toEqual(Object.keys(allowed).sort())
})
