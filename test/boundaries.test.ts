/** The allowed imports between folders, checked in the sources. */
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { ProgramName } from '../cli/programs/entry-points.ts'
import { isBundled, programsOf, sources } from '../dev/programs/sources.ts'
import { imageFiles } from './image/image.ts'
import { importsOf } from './image/imports.ts'

const root = fileURLToPath(new URL('../', import.meta.url))
const folders =
  'activities api bench cli db dev mails messages policy providers shared sim temporal test worker workflows'.split(' ')

const files = (await Promise.all([...folders.map((folder) => filesIn(folder)), rootFiles()])).flat()
const imports = await Promise.all(
  files.map(async (file) => ({
    file,
    targets: importsOf(file, await readFile(join(root, file), 'utf8')).filter(({ isPackage }) => !isPackage),
  })),
)

async function filesIn(folder: string, ending = /\.tsx?$/): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true })
  return entries.filter((entry) => ending.test(entry)).map((entry) => join(folder, entry))
}

async function rootFiles(): Promise<string[]> {
  return (await readdir(root)).filter((entry) => entry.endsWith('.ts') && !entry.endsWith('.config.ts'))
}

/** The files that production runs: .dockerignore decides. */
const image = new Set(await imageFiles())

const folderOf = (file: string): string => (file.includes('/') ? (file.split('/')[0] ?? '') : file)
/** The table of an order's states is a part of its contract. */
const isContract = (file: string): boolean => /^workflows\/(.*\.contract|order\/order-states)\.ts$/.test(file)

/** The forbidden imports from one set of files to another. */
function violations(
  from: (file: string) => boolean,
  allowed: (target: string, typeOnly: boolean) => boolean,
): string[] {
  return imports
    .filter(({ file }) => from(file))
    .flatMap(({ file, targets }) =>
      targets.filter(({ target, typeOnly }) => !allowed(target, typeOnly)).map(({ target }) => `${file} → ${target}`),
    )
}

const within =
  (...names: string[]) =>
  (file: string) =>
    names.includes(folderOf(file))

test('the check of imports finds the sources', () => {
  expect(files.length).toBeGreaterThan(150)
  expect(imports.flatMap(({ targets }) => targets).length).toBeGreaterThan(500)
})

test('policy/ imports only policy/', () => {
  expect(violations(within('policy'), within('policy'))).toEqual([])
})

test('shared/ imports only shared/ and policy/', () => {
  expect(violations(within('shared'), within('shared', 'policy'))).toEqual([])
})

test('workflows/ imports policy/, shared/, workflows/, and only types of everything else', () => {
  // Workflow code runs in a sandbox, without log, metrics and signals of the process.
  const sandboxed = (target: string) =>
    /^shared\/(calendar|failures|keys-of|lost-worker|search-attributes)\.ts$/.test(target)
  expect(
    violations(
      within('workflows'),
      (target, typeOnly) => within('workflows', 'policy')(target) || sandboxed(target) || typeOnly,
    ),
  ).toEqual([])
})

test('workflows take messages by workflows/run/messages.ts alone, which checks their form', async () => {
  const workflows = files.filter((file) => within('workflows')(file) && file !== 'workflows/run/messages.ts')
  const texts = await Promise.all(workflows.map((file) => readFile(join(root, file), 'utf8')))
  expect(workflows.filter((_file, index) => /\bset(Default\w+)?Handler\b/.test(texts[index] ?? ''))).toEqual([])
})

test('messages/ imports only messages/, policy/ and types', () => {
  expect(
    violations(within('messages'), (target, typeOnly) => typeOnly || within('messages', 'policy')(target)),
  ).toEqual([])
})

test('providers/ imports only shared/ and providers/', () => {
  expect(violations(within('providers'), within('providers', 'shared'))).toEqual([])
})

test('the meanings of Stripe’s reasons are documentation: the page of codes alone reads them', () => {
  const readers = imports.filter(({ targets }) =>
    targets.some(({ target }) => target === 'providers/codes/stripe-reasons.ts'),
  )
  expect(readers.map(({ file }) => file)).toEqual(['test/providers/codes/pages.test.ts'])
})

test('temporal/ imports only contracts, configuration and shared/', () => {
  const allowed = (target: string, typeOnly: boolean) =>
    typeOnly || within('temporal', 'shared', 'policy', 'config.ts')(target) || isContract(target)
  expect(violations(within('temporal'), allowed)).toEqual([])
})

test('only temporal/ asks whether an error is gRPC’s: others ask temporal/grpc-status.ts for its status', async () => {
  const others = files.filter((file) => !within('temporal')(file) && file !== 'test/boundaries.test.ts')
  const texts = await Promise.all(others.map((file) => readFile(join(root, file), 'utf8')))
  expect(others.filter((_file, index) => texts[index]?.includes('isGrpcServiceError'))).toEqual([])
})

test('db/ imports only contracts, policy/, shared/ and types', () => {
  const allowed = (target: string, typeOnly: boolean) =>
    typeOnly || within('db', 'policy', 'shared')(target) || isContract(target)
  expect(violations(within('db'), allowed)).toEqual([])
})

const inProcess = ['policy', 'shared', 'temporal', 'providers', 'db', 'mails', 'messages', 'config.ts', 'context.ts']

test('activities/ imports only contracts of workflows, and neither API nor simulators', () => {
  const allowed = (target: string, typeOnly: boolean) =>
    typeOnly || within('activities', ...inProcess)(target) || isContract(target)
  expect(violations(within('activities'), allowed)).toEqual([])
})

test('api/ imports only contracts of workflows, and no activities', () => {
  const allowed = (target: string, typeOnly: boolean) =>
    typeOnly || within('api', ...inProcess)(target) || isContract(target)
  expect(violations(within('api'), allowed)).toEqual([])
})

test('sim/ imports only sim/', () => {
  expect(violations(within('sim'), within('sim'))).toEqual([])
})

test('what the image holds imports no simulators, embedded stack or tests', () => {
  expect([...image]).toEqual(
    expect.arrayContaining([
      'cli/acts.ts',
      'cli/setup.ts',
      'cli/doctor/main.ts',
      'cli/restore/rebuild.ts',
      'worker/main.ts',
    ]),
  )
  const isForbidden = within('sim', 'dev', 'test', 'bench')
  expect(
    violations(
      (file) => image.has(file),
      (target) => !isForbidden(target),
    ),
  ).toEqual([])
})

test('no folder has more than 20 code files', async () => {
  const count = new Map<string, number>()
  const codeFiles = (await Promise.all(folders.map((folder) => filesIn(folder, /\.(tsx?|[mc]js)$/)))).flat()
  expect(codeFiles).toEqual(expect.arrayContaining(['cli/healthy.mjs', 'dev/late-settings.mjs']))
  for (const file of codeFiles) count.set(dirname(file), (count.get(dirname(file)) ?? 0) + 1)
  const full = [...count].filter(([, loose]) => loose > 20)
  expect(full, 'put files that belong together into a folder of their own, as in activities/order').toEqual([])
})

test('a source has at most 350 lines, unless it is one table', async () => {
  const tables = ['policy/personal-data.ts', 'db/connection/schema.ts']
  const long = await Promise.all(
    files
      .filter((file) => !within('test')(file) && !tables.includes(file))
      .map(async (file) => [file, (await readFile(join(root, file), 'utf8')).split('\n').length] as const),
  )
  expect(long.filter(([, lines]) => lines > 350)).toEqual([])
})

test('only config.ts, and entry points that pass it to config.ts, read the environment', () => {
  // worker/bundle.ts reads the user's cache folder, and db/backup/trusted-roots.ts whom Node trusts: no settings of ours.
  const entries =
    /^config\.ts$|^temporal\/client\.ts$|^(api|worker)\/main\.ts$|^worker\/bundle\.ts$|^db\/backup\/trusted-roots\.ts$|^(cli|dev|bench|test)\//
  return Promise.all(
    files
      .filter((file) => !entries.test(file))
      .map(async (file) => [file, (await readFile(join(root, file), 'utf8')).includes('process.env')] as const),
  ).then((read) => expect(read.filter(([, reads]) => reads).map(([file]) => file)).toEqual([]))
})

/** A file and all that it loads, directly or not. */
function loadedBy(entry: string): string[] {
  const found = new Set<string>([entry])
  for (const file of found) {
    const targets = imports.find((one) => one.file === file)?.targets ?? []
    for (const { target, typeOnly } of targets) if (!typeOnly) found.add(target)
  }
  return [...found]
}

test('npm run dev watches each file that a program loads, and restarts the program when it is saved', () => {
  const isWatched = (file: string) => sources.some((part) => file === part || file.startsWith(`${part}/`))
  for (const program of ['api', 'worker'] satisfies ProgramName[]) {
    const loaded = loadedBy(`${program}/main.ts`)
    expect(loaded.length).toBeGreaterThan(200)
    expect(loaded.filter((file) => !(isWatched(file) && programsOf(file).includes(program)))).toEqual([])
  }
  expect(loadedBy('workflows/index.ts').filter((file) => !isBundled(file))).toEqual([])
})
