/** `npm run demo` beside a running `npm start`. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { descendants, startProgram, survivors } from '../harness/processes.ts'
import { until } from '../harness/until.ts'

const folder = await mkdtemp(join(tmpdir(), 'ama-esim-demo-'))
afterAll(() => rm(folder, { recursive: true, force: true }))

test('npm run demo passes every step beside npm start, and leaves nothing behind', { timeout: 400_000 }, async () => {
  const environment = { AMA_PORTS: 'free', NO_COLOR: '1' }
  const start = startProgram(process.execPath, ['cli/start.mjs'], {
    ...environment,
    AMA_DATA_DIR: folder,
  })
  const [, api = ''] = await start.untilWritten(/API +(http:\S+)/)
  const demo = startProgram(process.execPath, ['--import', 'tsx', 'cli/demo.ts'], environment)
  await demo.untilWritten(/The stack is up/)
  const processes = await descendants(demo.pid)
  expect(await demo.ended, demo.output()).toEqual({ code: 0, signal: null })
  const [, steps = ''] = /All (\d+) steps passed/.exec(demo.output()) ?? []
  expect(Number(steps)).toBeGreaterThan(30)
  expect(demo.output()).not.toMatch(/\n +at /)
  await until('nothing of it is left', async () => (await survivors(processes)).length === 0)
  expect((await fetch(`${api}/readyz`)).status).toBe(200)
  start.kill('SIGTERM')
  expect((await start.ended).code).toBe(0)
})
