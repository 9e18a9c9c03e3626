/** Built programs of `npm start` are those of the sources as they are. */
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { buildPrograms } from '../../../cli/programs/build-programs.ts'
import { deleteUnusedBuilds, hashOfInputs, hasPackages, isCurrent, readInputs } from '../../../cli/programs/built.mjs'
import { packageFilesFile } from '../../../cli/programs/entry-points.ts'
import { withoutOwnPath } from '../../../cli/programs/own-address.ts'
import { fromBuilt } from '../../../dev/programs/separate-processes.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

async function folderHere(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ama-esim-built-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('inputs are all sources of the programs with their contents, and the lock file', async () => {
  const inputs = readInputs()
  for (const file of ['config.ts', 'api/main.ts', 'sim/stripe.ts', 'package-lock.json', 'tsconfig.json'])
    expect(inputs.get(file)?.equals(await readFile(join(root, file))), file).toBe(true)
  const name = `programs-${hashOfInputs(inputs)}`
  expect([isCurrent(join('anywhere', name)), isCurrent(`${name}0`)]).toEqual([true, false])
  expect([...inputs.keys()].filter((file) => /^(test|bench|node_modules|\.data)\//.test(file))).toEqual([])
})

test('programs are built anew after each change of what they are made of, and else not', () => {
  const inputs = new Map([
    ['api/main.ts', Buffer.from('export {}')],
    ['package-lock.json', Buffer.from('{}')],
  ])
  const changed = (change: (copy: Map<string, Buffer>) => unknown): string => {
    const copy = new Map(inputs)
    change(copy)
    return hashOfInputs(copy)
  }
  const before = hashOfInputs(inputs)
  expect(hashOfInputs(new Map([...inputs].reverse()))).toBe(before)
  const after = [
    changed((copy) => copy.set('api/main.ts', Buffer.from('export { }'))),
    changed((copy) => copy.set('api/second.ts', Buffer.from(''))),
    changed((copy) => copy.delete('api/main.ts')),
    changed((copy) => copy.set('package-lock.json', Buffer.from('{ }'))),
    changed((copy) => copy.delete('api/main.ts') && copy.set('api/other.ts', Buffer.from('export {}'))),
    // Bytes that move from one file to another change the hash.
    changed((copy) => copy.set('api/main.ts', Buffer.from('export')).set('package-lock.json', Buffer.from(' {}{}'))),
    hashOfInputs(inputs, '/elsewhere/'),
    hashOfInputs(inputs, undefined, 'v99.0.0 linux x64'),
  ]
  expect(new Set([before, ...after]).size).toBe(after.length + 1)
})

test('programs are built of the bytes that were hashed, also when the file has changed since', {
  tags: 'long',
}, async () => {
  const folder = join(await folderHere(), 'programs')
  const inputs = readInputs()
  const health = inputs.get('api/routes/health.ts')?.toString() ?? ''
  inputs.set('api/routes/health.ts', Buffer.from(health.replaceAll("'alive'", "'as it was hashed'")))
  await buildPrograms(folder, inputs)
  const files = (await readdir(folder, { recursive: true })).filter((file) => file.endsWith('.mjs'))
  const text = (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('')
  expect(text).toContain('as it was hashed')
  expect(text).not.toContain('import.meta.url')

  for (const [program, loads] of [
    ['api', '@temporalio/client'],
    ['worker', '@temporalio/worker'],
  ] as const) {
    const { entry, warmUp, compiled } = await fromBuilt(folder, program)
    // It goes with the build.
    expect(compiled).toBe(join(folder, 'compiled'))
    expect(files.map((file) => join(folder, file))).toContain(entry)
    expect(warmUp).toContain(loads)
  }

  inputs.delete('api/routes/health.ts')
  await expect(buildPrograms(`${folder}-2`, inputs)).rejects.toThrow(/health\.ts is not among the inputs/)
  expect(await readdir(join(folder, '..'))).toEqual(['programs'])
})

test('packages are built in, and those that have changed since are built in anew', async () => {
  const folder = await folderHere()
  const file = join(folder, 'package.js')
  const wasBuiltOf = async () => {
    const { size, mtimeMs } = await stat(file)
    await writeFile(join(folder, packageFilesFile), JSON.stringify({ [file]: `${size} ${mtimeMs}` }))
  }
  await writeFile(file, 'module.exports = 1')
  await wasBuiltOf()
  expect(hasPackages(folder)).toBe(true)
  await utimes(file, 1_000, 1_000)
  expect(hasPackages(folder), 'of the same size').toBe(false)
  await wasBuiltOf()
  await writeFile(file, 'module.exports = 10')
  await utimes(file, 1_000, 1_000)
  expect(hasPackages(folder), 'of the same time').toBe(false)
  await rm(file)
  expect(hasPackages(folder), 'without the file').toBe(false)
})

test('a file of a package finds what is beside it from where it was', () => {
  const address = pathToFileURL(join(root, 'node_modules/one/lib/index.js'))
  const pathsOf = (text: string): unknown => new Function(`${withoutOwnPath(text, address)}\nreturn found`)()
  const folder = join(root, 'node_modules/one/lib')
  expect(pathsOf('const found = [__dirname, __filename]')).toEqual([folder, join(folder, 'index.js')])
  expect(pathsOf("const __dirname = 'its own'\nconst found = __dirname")).toBe('its own')
  expect(withoutOwnPath('const found = 1', address)).toBe('const found = 1')
  expect(withoutOwnPath(`new URL('x', ${['import', 'meta', 'url'].join('.')})`, address)).toBe(
    `new URL('x', "${address.href}")`,
  )
})

test('the builds that were used last stay, and those of running processes', async () => {
  const cache = await folderHere()
  const folders = ['a', 'b', 'c', 'd', 'e', 'f'].map((name) => join(cache, `programs-${name}`))
  for (const [index, folder] of folders.entries()) {
    await mkdir(folder)
    await writeFile(join(folder, `used-by-${folder.endsWith('f') ? process.pid : 999_999_999}`), '')
    await utimes(folder, 1_000 - index, 1_000 - index)
  }
  await writeFile(join(cache, 'workflows-0.js'), '')
  deleteUnusedBuilds(cache, join(cache, 'programs-a'))
  expect((await readdir(cache)).sort()).toEqual([
    'programs-a',
    'programs-b',
    'programs-c',
    'programs-d',
    'programs-f',
    'workflows-0.js',
  ])
})
