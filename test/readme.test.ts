/** The README is correct and complete. */
import { access, readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { promises } from '../policy/promises.ts'

const root = new URL('../', import.meta.url)
const read = (name: string): Promise<string> => readFile(new URL(name, root), 'utf8')
const readme = await read('README.md')

test('every workflow is in the table of the README', async () => {
  const types = [...(await read('workflows/index.ts')).matchAll(/export \{ (\w+) \}/g)].map(([, type]) => type)
  expect(types.length).toBeGreaterThan(5)
  const missing = types.filter((type) => !readme.includes(`[\`${type}\`]`))
  expect(missing, 'add a row to "Which workflow keeps which promise" in README.md').toEqual([])
})

test('every promise in the table of the README has its sentence below the table', () => {
  const rows = [...readme.matchAll(/^\| \[`\w+`\].*?\| ([A-Z]\d[^|]*) \|/gm)].map(([, ids]) => ids ?? '')
  expect(rows.length).toBeGreaterThan(5)
  // `P1-P5` is in the row of orders.
  const ids = rows.flatMap((row) => row.replace('P1-P5', 'P1, P2, P3, P4, P5').match(/[A-Z]\d/g) ?? [])
  const known = new Map<string, string>(Object.entries(promises).map(([id, { sentence }]) => [id, sentence]))
  const missing = [...new Set(ids)].filter((id) => !readme.includes(`- ${id}: ${known.get(id)}`))
  expect(missing).toEqual([])
})

test('every linked file of the README exists', async () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => link ?? '')
  expect(links.length).toBeGreaterThan(10)
  for (const link of links) await access(fileURLToPath(new URL(link, root)))
})

test('every command in the README exists', async () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await read('package.json')))
  const named = [...readme.matchAll(/`?npm run ([\w:-]+)/g)].map(([, name]) => name ?? '')
  for (const name of named) expect(Object.keys(scripts), name).toContain(name)
})

test('the layout in the README has exactly the existing folders', async () => {
  const entries = await readdir(root, { withFileTypes: true })
  const ignored = ['node_modules', ...(await read('.gitignore')).split('\n').map((line) => line.replace(/\/$/, ''))]
  const folders = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !ignored.includes(entry.name))
    .map(({ name }) => name)
  const listed = [...readme.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, name]) => name)
  expect(listed.sort()).toEqual(folders.sort())
})

test.each(['api', 'db'])('the layout in the README has each folder of %s/', async (folder) => {
  const entries = await readdir(new URL(`${folder}/`, root), { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory()).map(({ name }) => `${folder}/${name}/`)
  expect(folders.length).toBeGreaterThan(5)
  expect(folders.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
})
