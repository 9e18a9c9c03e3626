/** Tests wait for conditions (`test/harness/until.ts`), never for a time: it is too short on a slow machine, and long on each. */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../', import.meta.url))
const pauses = /\bset(?:Timeout|Interval)\(|timers\/promises/

test('no test pauses for a fixed time', async () => {
  const names = await readdir(folder, { recursive: true })
  const files = names.filter((name) => /\.test\.tsx?$/.test(name) && name !== 'sources/pauses.test.ts')
  expect(files.length).toBeGreaterThan(200)
  expect(files.some((name) => name.endsWith('.tsx'))).toBe(true)
  const found = await Promise.all(files.map(async (file) => [file, await readFile(folder + file, 'utf8')] as const))
  expect(found.filter(([, text]) => pauses.test(text)).map(([file]) => file)).toEqual([])
})
