/** A test that is skipped where something is missing is skipped in one way, and its title says for want of what. */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const folder = fileURLToPath(new URL('../', import.meta.url))
/** `test.skipIf(lacks('promtool'))('... (skipped without promtool)'`, also with cases. */
const saying = /^\.skipIf\(lacks\('([^']+)'\)\)(?:\.each\([\s\S]*?\))?\(\s*(['"`])([\s\S]*?)\2/

/** Each place where a test may be skipped that does not say what it lacks. */
function unsaidIn(source: string): string[] {
  const places = [
    ...source.matchAll(/\.(?:skip|skipIf|runIf|todo)[.(]|\(\{[^{}()]*\bskip\b[^{}()]*\}|\b(?:skip|todo): ?true/g),
  ]
  return places.flatMap(({ index, 0: found }) => {
    const rest = source.slice(index + Math.max(0, found.indexOf('.')))
    const [, lacking, , title] = saying.exec(rest) ?? []
    const says =
      lacking !== undefined && new RegExp(`\\(skipped without [^)]*\\b${lacking}\\b[^)]*\\)$`).test(title ?? '')
    return says ? [] : [rest.slice(0, 80)]
  })
}

test('a test that may be skipped says in its title for want of what', async () => {
  const names = await readdir(folder, { recursive: true })
  const files = names.filter((name) => /\.test\.tsx?$/.test(name) && name !== 'sources/optional.test.ts')
  expect(files.length).toBeGreaterThan(200)
  const unsaid: string[] = []
  let skipping = 0
  for (const file of files) {
    const source = await readFile(folder + file, 'utf8')
    skipping += source.split('.skipIf(lacks(').length - 1
    unsaid.push(...unsaidIn(source).map((place) => `${file}: ${place}`))
  }
  expect(unsaid).toEqual([])
  expect(skipping).toBeGreaterThan(10)
})

test.each([
  ["test.skipIf(lacks('promtool'))('rules are read (skipped without promtool)', () => {})", true],
  ["test.skipIf(lacks('a-b')).each(part(3)(['x'] as const))(\n  'asks as %s (skipped without a-b)', () => {})", true],
  ["test.skipIf(lacks('Maven'))('is built (skipped without --all, Maven or JDK 17)', () => {})", true],
  ["test.skipIf(lacks('promtool'))('rules are read', () => {})", false],
  ["test.skipIf(lacks('promtool'))('rules are read (skipped without python3)', () => {})", false],
  ["describe.skipIf(!hasBrowser)('pages (skipped without Chromium)', () => {})", false],
  ["test('a', ({ skip }) => {\n  skip('there is no library')\n})", false],
  ["test.skip('a (skipped without b)', () => {})", false],
  ["test.concurrent.skip('a', () => {})", false],
  ["test('a', { skip: true }, () => {})", false],
  ["test('a', ({ annotate, skip }) => {\n  skip()\n})", false],
])('of a test that may be skipped it is noticed whether it says so: %s', (source, says) => {
  expect(unsaidIn(source).length === 0).toBe(says)
})
