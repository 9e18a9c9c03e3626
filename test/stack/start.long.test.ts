/** `npm start`, from its first output to its last process. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { createCaller, expectStatus } from '../harness/http.ts'
import { descendants, type Program, startProgram, survivors } from '../harness/processes.ts'
import { seededInt } from '../harness/seed.ts'
import { until } from '../harness/until.ts'

const folder = await mkdtemp(join(tmpdir(), 'ama-esim-start-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

const command = ['cli/start.mjs']
const environment = { AMA_DATA_DIR: folder, AMA_PORTS: 'free', NO_COLOR: '1' }

async function untilReady(program: Program) {
  const [, url = ''] = await program.untilWritten(/API +(http:\S+)/)
  const [, service = ''] = await program.untilWritten(/service key\s+(\S+)/)
  await program.untilWritten(/Ctrl-C stops everything/)
  return { url, service: createCaller(url, service) }
}

test('npm start is ready for requests, stops on Ctrl-C or SIGTERM, keeps its data, and stops when only npm gets the signal', async () => {
  const first = startProgram(process.execPath, command, environment)
  const { url, service } = await untilReady(first)
  expect((await fetch(`${url}/readyz`)).status).toBe(200)
  const made = { email: 'kept@people.example', firstName: 'Kim', lastName: 'Kept' }
  const account = expectStatus(await service.post('/v1/accounts', made), 201)
  const processes = await descendants(first.pid)
  // A start takes as long as many tests: a run sends one of the two signals.
  first.kill(seededInt(0, 2) === 0 ? 'SIGINT' : 'SIGTERM')
  expect(await first.ended, first.output()).toEqual({ code: 0, signal: null })
  await until('nothing of it is left', async () => (await survivors(processes)).length === 0)

  // Like npm, through a shell, which ends on a signal without forwarding it.
  const line = `"${process.execPath}" ${command.join(' ')}; exit`
  const shell = startProgram('/bin/sh', ['-c', line], { ...environment, npm_lifecycle_event: 'start' })
  const again = await untilReady(shell)
  expect(again.service.token).toBe(service.token)
  expect((await again.service.get(`/v1/accounts/${account.id}`)).body).toMatchObject(made)
  const others = await descendants(shell.pid)
  shell.kill('SIGTERM')
  await until('nothing of it is left', async () => (await survivors(others)).length === 0)
}, 180_000)

test('a stack ends when its owner is killed', async () => {
  const owner = startProgram(process.execPath, ['--import', 'tsx', 'test/stack/owner.ts'])
  await owner.untilWritten(/^up: /m)
  const processes = await descendants(owner.pid)
  expect(processes.size).toBeGreaterThan(6)
  owner.kill('SIGKILL')
  await until('nothing of it is left', async () => (await survivors(processes)).length === 0)
}, 180_000)

test('npm start fails when a part dies, names it, and stops the rest', async () => {
  const start = startProgram(process.execPath, command, environment)
  await untilReady(start)
  const processes = await descendants(start.pid)
  const [postgres = 0] = [...processes].find(([, args]) => /bin\/postgres -D/.test(args)) ?? []
  process.kill(postgres, 'SIGKILL')
  const { code } = await start.ended
  expect([code, start.output()]).toEqual([1, expect.stringContaining('PostgreSQL ended')])
  await until('nothing of it is left', async () => (await survivors(processes)).length === 0)
}, 180_000)
