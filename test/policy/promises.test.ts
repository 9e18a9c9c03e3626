/**
 * Each promise has a file that keeps it, a test that proves it and a figure that shows it, and each of these names a
 * promise.
 */
import { existsSync, readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { figures } from '../../policy/figures.ts'
import { personalData } from '../../policy/personal-data.ts'
import { type PromiseEntry, promises } from '../../policy/promises.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const entries: [string, PromiseEntry][] = Object.entries(promises)
const ids = entries.map(([id]) => id)

/** The ids of the product's documents. */
const made = 'C1 C2 C3 C4 C5 C6 C7 U1 U2 U3 U4 U5 U6 P1 P2 P3 P4 P5 P6 P7 P8 S1 R1 R2 R3 R4 G1 G2 G3 G4 G5 G6 K1 N1 N2'
const likeAnId = /\b[CUPSRGKN][1-9]\b/g

/**
 * Titles of all tests and groups of tests in a file, without those that only `--long` runs where these are not wanted.
 */
function titlesIn(file: string, { long = true } = {}): string[] {
  const source = readFileSync(root + file, 'utf8')
  const tests =
    /(?<=^|[\s;])(?:test|describe)(?:\.each\(.*?\)|\.skipIf\(.*?\))?\(\s*(['"`])(.*?)\1(,\s*\{ tags: 'long' \})?/gms
  return [...source.matchAll(tests)].filter(([, , , tag]) => long || tag === undefined).map((found) => found[2] ?? '')
}

/** The promises that titles name before their colon. */
function promisedIn(titles: string[]): Set<string> {
  const named = titles.map((title) => /^((?:[A-Z]\d ?)+):/.exec(title)?.[1] ?? '')
  return new Set(named.flatMap((ids) => ids.split(' ')).filter(Boolean))
}

async function filesIn(folder: string): Promise<string[]> {
  const files = await readdir(root + folder, { recursive: true })
  return files.filter((file) => /\.tsx?$/.test(file)).map((file) => `${folder}/${file}`)
}

test('policy/promises.ts has all promises of the policy', () => {
  expect([...ids].sort()).toEqual(made.split(' ').sort())
})

describe('a promise', () => {
  test.each(entries)('%s leads to the file that keeps it, which names the promise', (id, { keptBy }) => {
    expect(existsSync(root + keptBy), keptBy).toBe(true)
    expect(new RegExp(`\\b${id}\\b`).test(readFileSync(root + keptBy, 'utf8')), keptBy).toBe(true)
  })

  test.each(entries)('%s leads to a test with the promise in its title, which is not skipped', (id, { provenBy }) => {
    expect(provenBy.title).toMatch(new RegExp(`^(?:[A-Z]\\d )*${id}\\b.*: `))
    const found = titlesIn(provenBy.file).filter((title) => title.startsWith(provenBy.title))
    expect(found, provenBy.file).toHaveLength(1)
    const idle = /\b(?:test|describe)\.(?:skip|only|todo)\(/
    expect(idle.test(readFileSync(root + provenBy.file, 'utf8')), provenBy.file).toBe(false)
  })

  test.each(entries)('%s leads to figures that exist', (_id, { figures: its }) => {
    expect(its.length).toBeGreaterThan(0)
    expect(its.filter((name) => !(name in figures))).toEqual([])
    expect(its.some((name) => 'brokenAbove' in figures[name])).toBe(true)
  })
})

describe('the promises', () => {
  test('are named by every figure: each figure belongs to a promise', () => {
    const used = new Set<string>(entries.flatMap(([, entry]) => entry.figures))
    expect(Object.keys(figures).filter((name) => !used.has(name))).toEqual([])
  })

  test('have every id that a test title names', async () => {
    const files = (await filesIn('test')).filter((file) => /\.test\.tsx?$/.test(file))
    const of = promisedIn(files.flatMap((file) => titlesIn(file)))
    expect([...of].filter((id) => !ids.includes(id))).toEqual([])
  })

  test('have a test each that runs without --long', async () => {
    const files = (await filesIn('test')).filter((file) => /(?<!\.long)\.test\.tsx?$/.test(file))
    const of = promisedIn(files.flatMap((file) => titlesIn(file, { long: false })))
    expect(ids.filter((id) => !of.has(id))).toEqual([])
  })

  test('every column with personal data leads', () => {
    const unpromised = Object.entries(personalData).filter(
      ([, entry]) => entry.class === 'personal' && !ids.includes(entry.promise ?? ''),
    )
    expect(unpromised).toEqual([])
  })

  test('are said in words beside their ids: no comment ends with ids alone', async () => {
    const folders = ['activities', 'api', 'cli', 'db', 'mails', 'policy', 'providers', 'test', 'worker', 'workflows']
    const files = (await Promise.all(folders.map(filesIn))).flat()
    const bare = /[:;] *(?:[CUPSRGKN][1-9](?:,? (?:and |to )?|\. ?)?)+\*\/|\bof (?:[CUPSRGKN][1-9],? (?:and )?){3,}/
    const texts = await Promise.all(files.map(async (file) => [file, await readFile(root + file, 'utf8')] as const))
    expect(texts.filter(([, text]) => bare.test(text)).map(([file]) => file)).toEqual([])
  })

  test('every promise id in the sources leads', async () => {
    const folders = ['activities', 'api', 'db', 'mails', 'policy', 'providers', 'worker', 'workflows']
    const files = (await Promise.all(folders.map(filesIn))).flat()
    const texts = await Promise.all(files.map(async (file) => [file, await readFile(root + file, 'utf8')] as const))
    const unknown = texts.flatMap(([file, text]) =>
      [...text.matchAll(likeAnId)].filter(([id]) => !ids.includes(id)).map(([id]) => `${file}: ${id}`),
    )
    expect(unknown).toEqual([])
  })
})
