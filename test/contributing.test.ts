/** CONTRIBUTING.md is correct: the files and folders of its table and its commands exist. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { z } from 'zod'

const root = fileURLToPath(new URL('../', import.meta.url))
const read = (name: string): Promise<string> => readFile(root + name, 'utf8')
const text = await read('CONTRIBUTING.md')

/** The files in both lists of a row. */
const rows = [...text.matchAll(/^\| (?!I want to|---)([^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, what = '', files = '', heldBy = '']) => ({
    what,
    paths: pathsIn(`${files} ${heldBy}`),
    touched: pathsIn(files),
  }),
)

function pathsIn(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, path]) => path ?? '').filter((name) => !/^np[mx] /.test(name))
}

test('every file in the table of CONTRIBUTING.md exists, and every pattern has files', async () => {
  expect(rows.length).toBeGreaterThan(12)
  for (const { what, paths } of rows) {
    expect(paths, what).not.toEqual([])
    for (const path of paths) {
      const [folder = '', ending] = path.split('<name>')
      if (ending === undefined) expect(existsSync(root + path), `${what}: ${path}`).toBe(true)
      else
        expect(
          (await readdir(root + folder)).some((name) => name.endsWith(ending)),
          `${what}: ${path}`,
        ).toBe(true)
    }
  }
})

test('a folder into which a row of the table puts new files has room for four more', async () => {
  const folders = rows
    .filter(({ what }) => what.startsWith('add '))
    .flatMap(({ touched }) => touched)
    .flatMap((path) => /^(.*\/)(?:<name>.*)?$/.exec(path)?.[1] ?? [])
  expect(folders).toEqual(
    expect.arrayContaining(['workflows/', 'activities/', 'test/workflows/', 'mails/', 'api/routes/']),
  )
  const codeFiles = async (folder: string): Promise<number> =>
    (await readdir(root + folder)).filter((name) => /\.(tsx?|[mc]js)$/.test(name)).length
  // A route or a page of operators and persons goes into the folder of its kind.
  const kinds = ['api/routes/', 'api/pages/']
  const ofKinds = await Promise.all(
    kinds.map(async (kind) =>
      (await readdir(root + kind, { recursive: true, withFileTypes: true }))
        .filter((entry) => entry.isDirectory())
        .map(({ parentPath, name }) => `${relative(root, join(parentPath, name))}/`),
    ),
  )
  const all = new Set([...folders, ...kinds, ...ofKinds.flat()])
  expect([...all]).toEqual(expect.arrayContaining(['api/routes/operator/', 'api/routes/web/', 'api/pages/console/']))
  // test/boundaries.test.ts allows 20 in one folder.
  const full = await Promise.all([...all].map(async (folder) => ({ folder, files: await codeFiles(folder) })))
  expect(full.filter(({ files }) => files > 20 - 4)).toEqual([])
})

/** A table of these types has an entry for each member: the compiler asks for it in each of these files. */
const tables = {
  'add a workflow': /\b(?:Record<WorkflowType,|in WorkflowType\])/,
  'add an outside party': /: (?:Readonly<)?Record<OutsideParty,[^=]*= \{/,
  'add an eSIM provider': /: (?:Readonly<)?(?:Record<EsimProviderId,|\{ [^}]*\bin EsimProviderId\])[^=]*= \{/,
  'add a language': /: (?:Readonly<)?(?:Record<Language,|\{ [^}]*\bin Language\])[^=]*= \{/,
}

/** TypeScript files of the project, by their paths from the root. */
async function sourceFiles(): Promise<string[]> {
  const top = (await readdir(root, { withFileTypes: true })).filter(({ name }) => !/^\.|^node_modules$/.test(name))
  const inFolders = top
    .filter((entry) => entry.isDirectory())
    .map(async ({ name }) => (await readdir(root + name, { recursive: true })).map((file) => `${name}/${file}`))
  return [...top.map(({ name }) => name), ...(await Promise.all(inFolders)).flat()].filter(
    (name) => /\.tsx?$/.test(name) && name !== 'test/contributing.test.ts',
  )
}

test('CONTRIBUTING.md names each file with a table of workflows, outside parties, eSIM providers or languages', async () => {
  const files = await sourceFiles()
  const texts = new Map(await Promise.all(files.map(async (file) => [file, await read(file)] as const)))
  for (const [what, form] of Object.entries(tables)) {
    const row = rows.findIndex((each) => each.what === what)
    // The row of an eSIM provider says that the one above it, of an outside party, is done first.
    const above = what === 'add an eSIM provider' ? rows[row - 1]?.paths : []
    const named = [...(rows[row]?.paths ?? []), ...(above ?? [])]
    const needed = files.filter((file) => form.test(texts.get(file) ?? ''))
    expect(needed.length, what).toBeGreaterThan(what === 'add a workflow' ? 2 : 0)
    const missing = needed.filter((file) => !named.includes(file))
    expect(missing, what).toEqual([])
  }
})

test('every folder is in the table of CONTRIBUTING.md', async () => {
  const ignored = ['node_modules', ...(await read('.gitignore')).split('\n').map((line) => line.replace(/\/$/, ''))]
  const folders = (await readdir(root, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && !ignored.includes(entry.name))
    .map(({ name }) => name)
  const named = new Set(rows.flatMap(({ paths }) => paths.map((path) => path.split('/')[0])))
  expect(folders.filter((folder) => !named.has(folder))).toEqual([])
})

test('every command in CONTRIBUTING.md exists, with its files', async () => {
  const { scripts } = z
    .object({ scripts: z.record(z.string(), z.string()) })
    .parse(JSON.parse(await read('package.json')))
  for (const [, name = ''] of text.matchAll(/\bnpm run ([\w:-]+)/g)) expect(Object.keys(scripts)).toContain(name)
  const files = [...text.matchAll(/(?:npm test -- |--import tsx |debug\.ts )((?:[\w-]+\/)+[\w.-]+)/g)]
  expect(files.length).toBeGreaterThan(3)
  for (const [, file = ''] of files) expect(existsSync(root + file), file).toBe(true)
})
