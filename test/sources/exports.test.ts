/** Nothing is exported that no other file imports: it is dead, or belongs to its own file alone. */
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
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

const texts = new Map(
  await Promise.all(
    (await sourceFiles()).map(async (file) => [file, await readFile(join(root, file), 'utf8')] as const),
  ),
)

/** What a file takes of files of ours. */
function importsOf(file: string, text: string): { from: string; name: string }[] {
  return [...text.matchAll(/\{([^{}]*)\} from '(\.[^']+)'/g)].flatMap(([, list = '', path = '']) =>
    list.split(',').map((each) => ({
      from: join(dirname(file), path),
      name: each
        .trim()
        .replace(/^type /, '')
        .replace(/ as \w+$/, ''),
    })),
  )
}

const taken = new Set(
  [...texts].flatMap(([file, text]) => importsOf(file, text).map(({ from, name }) => `${from} ${name}`)),
)
/** Names of files that are taken whole: `import('...')`, `* as ... from '...'`, or by their address. */
const whole = new Set(
  [...texts.values()].flatMap((text) =>
    [...text.matchAll(/(?:\* (?:as \w+ )?from |import\(|new URL\(|loadBuilt\(built, )'[^'\n]*?([\w.-]+\.tsx?)'/g)].map(
      ([, name = '']) => name,
    ),
  ),
)
const isTaken = ({ file, name }: { file: string; name: string }): boolean =>
  taken.has(`${file} ${name}`) || whole.has(basename(file))

/** @param declarations the words between `export` and the name */
function exportsBy(declarations: string): { file: string; name: string }[] {
  const form = new RegExp(`^export (?:async )?(?:${declarations}) (\\w+)`, 'gm')
  return [...texts].flatMap(([file, text]) => [...text.matchAll(form)].map(([, name = '']) => ({ file, name })))
}

test('every exported value is imported by another file', () => {
  // What JavaScript exports to programs of ours is imported by the name of its types.
  const exported = exportsBy('const|function\\*?|class').filter(({ file }) => !file.endsWith('.mjs'))
  expect(exported.length).toBeGreaterThan(1_000)
  expect(exported.filter((each) => !isTaken(each))).toEqual([])
})

test('every exported type is used, at least in its own file', () => {
  const exported = exportsBy('type|interface').filter(({ file }) => file !== 'db/connection/schema.ts')
  expect(exported.length).toBeGreaterThan(500)
  const isUsedThere = ({ file, name }: { file: string; name: string }): boolean =>
    (texts.get(file)?.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0) > 1
  expect(exported.filter((each) => !isTaken(each) && !isUsedThere(each))).toEqual([])
})
