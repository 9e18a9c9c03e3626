/** The container image has the sources and packages of production, and no simulators, development code or tests. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { entryPoints } from '../../cli/programs/entry-points.ts'
import { imageFiles } from './image.ts'
import { importsOf } from './imports.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const read = (file: string): Promise<string> => readFile(join(root, file), 'utf8')

const image = new Set(await imageFiles())
const programs = [...image].filter((file) => /^cli\/[\w-]+\.ts$|^(api|worker|cli\/doctor)\/main\.ts$/.test(file))
const manifest: { dependencies: Record<string, string>; scripts: Record<string, string> } = JSON.parse(
  await read('package.json'),
)

/** All files that a program loads at its start or later, including the program itself. */
async function loadedBy(program: string): Promise<{ files: Set<string>; packages: Set<string> }> {
  const files = new Set([program])
  const packages = new Set<string>()
  for (const file of files) {
    // A missing file counts as empty; the comparison with the image reports it.
    const text = await read(file).catch(() => '')
    for (const { target, isPackage, typeOnly } of importsOf(file, text)) {
      if (!typeOnly) (isPackage ? packages : files).add(target)
    }
  }
  return { files, packages }
}

test('the image has the kept histories, which npm run deploy replays, and nothing else of the tests', async () => {
  const ofTests = [...image].filter((file) => file.startsWith('test/'))
  const kept = await readdir(join(root, 'test/replay/histories'))
  expect(kept.length).toBeGreaterThan(300)
  expect(ofTests.sort()).toEqual(kept.map((name) => `test/replay/histories/${name}`).sort())
})

test('the image copies no simulator, development or test code', () => {
  const folders = new Set([...image].filter((file) => file.includes('/')).map((file) => file.split('/')[0] ?? ''))
  expect([...folders].sort()).toEqual(
    'activities api cli db docs mails messages policy providers shared temporal test worker workflows'.split(' '),
  )
  expect([...image].filter((file) => /\.test\.tsx?$|^cli\/(demo|generate|start\.|start-embedded)/.test(file))).toEqual(
    [],
  )
})

test('the programs of the image are those that run in production', () => {
  expect(programs).toEqual(
    expect.arrayContaining(
      ['api/main', 'worker/main', 'cli/bundle', 'cli/deploy', 'cli/keys', 'cli/migrate', 'cli/restore'].map(
        (name) => `${name}.ts`,
      ),
    ),
  )
})

test.each(programs)('the program %s loads only files of the image and packages of production', async (program) => {
  const { files, packages } = await loadedBy(program)
  expect([...files].filter((file) => !image.has(file))).toEqual([])
  expect([...packages].filter((name) => !(name in manifest.dependencies))).toEqual([])
})

test('every import in the image has a fixed target', async () => {
  const unnamed = await Promise.all(
    [...image]
      // What was built of these files has no name before.
      .filter((file) => /\.(tsx?|mjs|cjs)$/.test(file) && !file.startsWith('cli/programs/'))
      .map(async (file) => (/\bimport\((?!\s*')|\bcreateRequire\b/.test(await read(file)) ? [file] : [])),
  )
  expect(unnamed.flat()).toEqual([])
})

test('the image installs no packages of development, and makes workflow bundles and programs', async () => {
  const dockerfile = await read('Dockerfile')
  const copied = [...dockerfile.matchAll(/^(?:COPY|ADD) (.+)$/gm)].map(([, what]) => what)
  expect(copied).toEqual(['package.json package-lock.json ./', '. .', '--from=build /app /app'])
  expect(dockerfile).toMatch(/^RUN npm ci --omit=dev /m)
  expect(dockerfile.indexOf('bundle')).toBeGreaterThan(dockerfile.indexOf('COPY . .'))
  expect(dockerfile).toMatch(/^RUN npm run --silent bundle$/m)
  const [, command] = /^CMD \["node", "cli\/run\.mjs", "([^"]+)"\]$/m.exec(dockerfile) ?? []
  expect(programs).toContain(command)
  expect(entryPoints).toEqual(expect.arrayContaining([command, 'api/main.ts', 'worker/main.ts']))
})

test('both images are built from one base, by its digest, and run as a user without rights', async () => {
  const files = await Promise.all(['Dockerfile', 'ops/compose/Dockerfile'].map(read))
  const bases = files.flatMap((text) => text.match(/node:\S+@sha256:[0-9a-f]{64}$/gm) ?? [])
  expect(new Set(bases).size).toBe(1)
  expect(bases).toHaveLength(2)
  for (const text of files) {
    expect(
      [...text.matchAll(/^FROM (.+)$/gm)].every(([, base]) => /@sha256:|^\$\{NODE\}( AS \w+)?$/.test(base ?? '')),
    ).toBe(true)
    expect(text.lastIndexOf('\nUSER node\n')).toBeGreaterThan(text.lastIndexOf('\nRUN '))
  }
  expect(files[0]).toMatch(/^HEALTHCHECK .*CMD \["node", "cli\/healthy\.mjs"\]$/m)
  expect(image.has('cli/healthy.mjs')).toBe(true)
})

test('the image of the simulators holds every file that they load', async () => {
  const held = new Set(await imageFiles('ops/compose/Dockerfile.dockerignore'))
  const { files } = await loadedBy('dev/simulators/serve.ts')
  expect([...files].filter((file) => !held.has(file))).toEqual([])
})
