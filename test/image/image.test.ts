/** The container image has the sources and packages of production, and no simulators, development code or tests. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
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

test('the image copies no simulator, development or test code', () => {
  const folders = new Set([...image].filter((file) => file.includes('/')).map((file) => file.split('/')[0] ?? ''))
  expect([...folders].sort()).toEqual(
    'activities api cli db docs mails messages policy providers shared temporal worker workflows'.split(' '),
  )
  expect(
    [...image].filter((file) => /\.test\.tsx?$|^cli\/(client|demo|dev|schema|start\.|start-embedded)/.test(file)),
  ).toEqual([])
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
      .filter((file) => /\.(tsx?|mjs|cjs)$/.test(file))
      .map(async (file) => (/\bimport\((?!\s*')|\bcreateRequire\b/.test(await read(file)) ? [file] : [])),
  )
  expect(unnamed.flat()).toEqual([])
})

test('the image installs no packages of development, and makes the workflow bundles', async () => {
  const dockerfile = await read('Dockerfile')
  const copied = [...dockerfile.matchAll(/^(?:COPY|ADD) (.+)$/gm)].map(([, what]) => what)
  expect(copied).toEqual(['package.json package-lock.json ./', '. .'])
  expect(dockerfile).toMatch(/^RUN npm install --omit=dev /m)
  expect(dockerfile.indexOf('bundle')).toBeGreaterThan(dockerfile.indexOf('COPY . .'))
  expect(dockerfile).toMatch(/^RUN npm run --silent bundle$/m)
  const [, command] = /^CMD \["node", "--import", "tsx", "([^"]+)"\]$/m.exec(dockerfile) ?? []
  expect(programs).toContain(command)
})
