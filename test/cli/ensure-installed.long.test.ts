/** The installation at the start of each command, in a test project with one local dependency and no registry. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startProgram } from '../harness/processes.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ama-esim-install-'))
  await mkdir(join(folder, 'cli/programs'), { recursive: true })
  for (const file of ['cli/ensure-installed.mjs', 'cli/programs/is-alive.mjs']) await cp(file, join(folder, file))
  await writeProject('1.0.0')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

async function writeProject(version: string, node = '>=20.0.0'): Promise<void> {
  const project = { name: 'p', version: '1.0.0', engines: { node }, dependencies: { one: 'file:one' } }
  await mkdir(join(folder, 'one'), { recursive: true })
  await writeFile(join(folder, 'one/package.json'), JSON.stringify({ name: 'one', version }))
  await writeFile(join(folder, 'package.json'), JSON.stringify(project))
  const packages = { '': project, 'node_modules/one': { resolved: 'one', link: true }, one: { name: 'one', version } }
  await writeFile(join(folder, 'package-lock.json'), JSON.stringify({ name: 'p', lockfileVersion: 3, packages }))
}

async function ensure(): Promise<{ code: number | null; output: string }> {
  const program = startProgram(process.execPath, [join(folder, 'cli/ensure-installed.mjs')])
  const { code } = await program.ended
  return { code, output: program.output() }
}

const installed = async (): Promise<string> =>
  JSON.parse(await readFile(join(folder, 'node_modules/one/package.json'), 'utf8')).version

test('ensure-installed installs missing dependencies, and prints nothing afterwards', async () => {
  const first = await ensure()
  expect([first.code, await installed()]).toEqual([0, '1.0.0'])
  expect(first.output).toMatch(/Installing the dependencies/)
  expect(await ensure()).toEqual({ code: 0, output: '' })
}, 60_000)

test('ensure-installed installs again after a change of the lock file', async () => {
  await ensure()
  await writeProject('2.0.0')
  expect((await ensure()).output).toMatch(/Installing/)
  expect(await ensure()).toEqual({ code: 0, output: '' })
}, 60_000)

test('ensure-installed runs in one process at a time: the second one waits', async () => {
  const both = await Promise.all([ensure(), ensure()])
  expect(both.map(({ code }) => code)).toEqual([0, 0])
  const text = both.map(({ output }) => output).join('')
  expect(text.match(/Installing the dependencies/g)).toHaveLength(1)
}, 60_000)

test('ensure-installed ignores the lock of a process that has died', async () => {
  await mkdir(join(folder, '.data'))
  await writeFile(join(folder, '.data/install.lock'), '999999999')
  expect((await ensure()).code).toBe(0)
}, 60_000)

test('ensure-installed prints the needed version with an old Node', async () => {
  await writeProject('1.0.0', '>=99.1.0')
  const { code, output } = await ensure()
  expect(code).toBe(1)
  expect(output).toContain(`Node 99.1.0 or newer is needed`)
})
