/** The README stays true: what it names exists, and what exists it names. */
import { access, readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = new URL('../', import.meta.url)
const read = (name: string): Promise<string> => readFile(new URL(name, root), 'utf8')
const readme = await read('README.md')

test('every workflow stands in the table', async () => {
  const types = [...(await read('workflows/index.ts')).matchAll(/export \{ (\w+) \}/g)].map(([, type]) => type)
  expect(types.length).toBeGreaterThan(5)
  for (const type of types) expect(readme, type).toContain(`[\`${type}\`]`)
})

test('every linked file exists', async () => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)\)/g)].map(([, link]) => link ?? '')
  expect(links.length).toBeGreaterThan(10)
  for (const link of links) await access(fileURLToPath(new URL(link, root)))
})

test('every command is one of ours', async () => {
  const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
  const named = [...readme.matchAll(/`?npm run ([\w:-]+)/g)].map(([, name]) => name ?? '')
  for (const name of named) expect(Object.keys(scripts), name).toContain(name)
})

test('every folder stands in the layout, and every folder of the layout is there', async () => {
  const entries = await readdir(root, { withFileTypes: true })
  const ignored = ['node_modules', ...(await read('.gitignore')).split('\n').map((line) => line.replace(/\/$/, ''))]
  const folders = entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !ignored.includes(entry.name))
    .map(({ name }) => name)
  const listed = [...readme.matchAll(/^\| `(\w+)\/` \|/gm)].map(([, name]) => name)
  expect(listed.sort()).toEqual(folders.sort())
})
