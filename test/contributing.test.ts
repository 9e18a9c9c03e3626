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

test('CONTRIBUTING.md names for a new workflow each file that needs an entry for its type', async () => {
  const { paths = [] } = rows.find(({ what }) => what === 'add a workflow') ?? {}
  const folders = ['activities', 'api', 'cli', 'db', 'shared', 'temporal', 'test', 'worker', 'workflows']
  const files = (
    await Promise.all(
      folders.map(async (folder) =>
        (await readdir(root + folder, { recursive: true })).map((name) => `${folder}/${name}`),
      ),
    )
  ).flat()
  const needed: string[] = []
  for (const file of files.filter((name) => name.endsWith('.ts') && name !== 'test/contributing.test.ts'))
    if (/\b(?:Record<WorkflowType,|in WorkflowType\])/.test(await read(file))) needed.push(file)
  expect(needed.length).toBeGreaterThan(2)
  expect(needed.filter((file) => !paths.includes(file))).toEqual([])
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
