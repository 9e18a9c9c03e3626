/** The README stays true: what it names exists, and what exists it names. */
import { access, readFile } from 'node:fs/promises'
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
