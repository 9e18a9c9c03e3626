/**
 * All runs of a worker share the modules of the workflow bundle (worker/bundle.ts): what a module keeps, every run
 * sees.
 */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** The folders that workflow code may import. */
const folders = ['workflows', 'policy', 'shared']

/** A variable at the top of a module, and a constant there that begins empty and so waits to be filled. */
const keeps =
  /^(?:export )?(?:let|var) |^(?:export )?const \w+(?:: [^=]+)? = (?:\[\]|\{\}|new (?:Weak)?(?:Map|Set)(?:<.*>)?\(\))/

/** @returns the lines that keep something */
const kept = (source: string): string[] => source.split('\n').filter((line) => keeps.test(line))

test.each(folders)('no module of %s keeps anything that a run could change', async (folder) => {
  const files = (await readdir(join(root, folder), { recursive: true })).filter((file) => file.endsWith('.ts'))
  expect(files.length).toBeGreaterThan(0)
  const found: string[] = []
  for (const file of files) {
    for (const line of kept(await readFile(join(root, folder, file), 'utf8'))) found.push(`${folder}/${file}: ${line}`)
  }
  expect(found).toEqual([])
})

test.each([
  'let last = 0',
  'export let last: Date | undefined',
  'const seen = new Set<string>()',
  'export const byId = new Map()',
  'const waiting: string[] = []',
  'const cache: Record<string, string> = {}',
])('a module that keeps state is found by its line %j', (line) => {
  expect(kept(`// a module\n${line}\n`)).toEqual([line])
})
