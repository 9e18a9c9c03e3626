/** No value is exported that no other file names: it is dead, or belongs to its own file alone. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** The sources, without the generated client, which is for other programs. */
async function sourceFiles(): Promise<string[]> {
  const entries = await readdir(root, { withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory() && !/^(\..*|node_modules|client)$/.test(entry.name))
  const inFolders = folders.map(async ({ name }) =>
    (await readdir(join(root, name), { recursive: true })).map((file) => join(name, file)),
  )
  const all = [...entries.map(({ name }) => name), ...(await Promise.all(inFolders)).flat()]
  return all.filter((file) => /\.(tsx?|mjs)$/.test(file))
}

test('every exported value is named by another file', async () => {
  const texts = await Promise.all(
    (await sourceFiles()).map(async (file) => [file, await readFile(join(root, file), 'utf8')] as const),
  )
  const namedBy = new Map<string, number>()
  for (const [, text] of texts) {
    for (const word of new Set(text.match(/\w+/g))) namedBy.set(word, (namedBy.get(word) ?? 0) + 1)
  }
  const exported = texts.flatMap(([file, text]) =>
    [...text.matchAll(/^export (?:async )?(?:const|function\*?|class) (\w+)/gm)].map(([, name = '']) => ({
      file,
      name,
    })),
  )
  expect(exported.length).toBeGreaterThan(1_000)
  expect(exported.filter(({ name }) => (namedBy.get(name) ?? 0) < 2)).toEqual([])
})
