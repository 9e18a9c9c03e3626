/**
 * The sources that the mutation run changes, and the tests that meet them, are there: a moved one would be left out.
 */
import { readdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { notChanged, parts } from './scope.ts'

const root = new URL('../../../', import.meta.url)

/** A path with `{a,b}` as paths without. */
function unfolded(pattern: string): string[] {
  const [, before = '', words, after = ''] = /^(.*?)\{([^}]*)\}(.*)$/.exec(pattern) ?? []
  return words === undefined ? [pattern] : words.split(',').flatMap((word) => unfolded(before + word + after))
}

async function filesOf(path: string): Promise<string[]> {
  const name = new RegExp(
    `^${path
      .slice(dirname(path).length + 1)
      .replaceAll('.', '\\.')
      .replaceAll('*', '.*')}$`,
  )
  const names = await readdir(new URL(`${dirname(path)}/`, root))
  return names.filter((each) => name.test(each))
}

const named = Object.values(parts).flatMap(({ sources, tests }) => [...sources, ...tests])

test.each([...new Set(named.flatMap((each) => unfolded(each.replace(/:[\d-]+$/, ''))))])(
  '%s is there',
  async (path) => {
    expect(await filesOf(path)).not.toEqual([])
  },
)

test.each(named.filter((each) => /:\d/.test(each)))('%s are whole declarations', async (source) => {
  const [, path = '', first, last] = /^(.*):(\d+)-(\d+)$/.exec(source) ?? []
  const lines = (await readFile(new URL(path, root), 'utf8')).split('\n')
  const [from, until] = [Number(first) - 1, Number(last)]
  expect([lines[from - 1], lines[until]]).toEqual(['', ''])
  expect(lines.slice(from, until).join('\n')).toMatch(/^(\/\*\*|export )[\s\S]*\S$/)
})

test('each file of policy/ is changed by a part, or it is said why not', async () => {
  const files = (await readdir(new URL('policy/', root), { recursive: true }))
    .filter((name) => name.endsWith('.ts'))
    .map((name) => `policy/${name}`)
  const changed = Object.values(parts).flatMap(({ sources }) => sources.flatMap(unfolded))
  const said = [...changed.filter((name) => name.startsWith('policy/')), ...Object.keys(notChanged)]
  expect(said.sort()).toEqual(files.sort())
})
