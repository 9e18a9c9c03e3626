/** Commands as processes: the API from start to SIGTERM, `npm run keys` and `npm run operators`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'
import { startProgram } from '../harness/processes.ts'
import { drawPart } from '../harness/seed.ts'

let harness: ApiHarness

beforeAll(async () => {
  harness = await startApiHarness()
})
afterAll(() => harness.stop())

function start(...args: string[]) {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, TEMPORAL_ADDRESS: '127.0.0.1:9', ...harness.env }
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const ended = once(child, 'close').then(([code]: (number | null)[]) => ({ code, out, err }))
  return { child, ended }
}

const keys = (...args: string[]) => start('cli/keys.ts', ...args).ended

test('npm run keys makes a key, shows it once, lists it without its secret, and revokes it', async () => {
  const made = await keys('create', 'operator', '--label', 'night shift')
  expect(made.code, made.err).toBe(0)
  const token = made.out.trim()
  const [, , id = ''] = token.split('_')
  expect((await harness.call('GET', '/metrics', { token })).status).toBe(200)

  const listed = await keys('list')
  expect(listed.out).toMatch(new RegExp(`^${id}\toperator\t.*\tin force\tnight shift\tall$`, 'm'))
  expect(listed.out).not.toContain(token.split('_').slice(3).join('_'))

  expect((await keys('revoke', id)).code).toBe(0)
  expect((await harness.call('GET', '/metrics', { token })).status).toBe(401)
  expect((await keys('revoke', id)).code).toBe(1)
  const events = await harness.api.sql`select kind from security_log where detail = ${id} order by at`
  expect(events.map((event) => event.kind)).toEqual(['key_created', 'key_revoked'])
}, 30_000)

test('npm run operators saves an operator, shows the credentials once, lists and disables them', async () => {
  const operators = (...args: string[]) => start('cli/operators.ts', ...args).ended
  const made = await operators('save', '--name', 'Ada', '--email', 'ada@ama-esim.example', '--role', 'support')
  expect(made.code, made.err).toBe(0)
  expect(made.out).toMatch(/^password: [\w-]{24}$/m)
  expect(made.out).toMatch(/^authenticator: otpauth:\/\/totp\//m)
  const { out } = await operators('list')
  const id = /^([0-9a-f]{16})\tsupport\t.*\tactive\tAda\tada@ama-esim\.example\tpassword$/m.exec(out)?.[1] ?? ''
  expect((await operators('disable', id)).code).toBe(0)
  expect((await operators('disable', id)).code).toBe(1)
  expect((await operators('save', '--name', 'Ada', '--email', 'ada@ama-esim.example', '--role', 'boss')).code).toBe(2)
}, 60_000)

// A program takes seconds to load: a run tries one of the cases, and `npm test -- --all` all of them.
const wrongArguments = [[[]], [['create', 'admin', '--label', 'x']], [['create', 'service']], [['revoke']]]

test.each(drawPart(4)(wrongArguments))(
  'npm run keys with the arguments %j prints its usage',
  async (args) => {
    const { code, err } = await keys(...args)
    expect([code, err.includes('Usage:')]).toEqual([2, true])
  },
  30_000,
)

test('a program without its settings prints their names and ends, without a stack trace', async () => {
  const programs = [
    ['api/main.ts'],
    ['worker/main.ts'],
    ['cli/migrate.ts'],
    ['cli/keys.ts', 'list'],
    ['cli/restore.ts', 'latest', 'postgres://127.0.0.1:9/x'],
  ]
  const environment = { NODE_ENV: 'production' }
  await Promise.all(
    programs.map(async (args) => {
      const program = startProgram(process.execPath, ['--import', 'tsx', ...args], environment)
      expect((await program.ended).code, args[0]).toBe(1)
      for (const name of ['DATABASE_URL', 'TEMPORAL_ADDRESS', 'FIELD_KEYS'])
        expect(program.output(), args[0]).toMatch(new RegExp(`^ +${name}: missing`, 'm'))
      expect(program.output(), args[0]).not.toMatch(/\n +at /)
    }),
  )
})

test.each(drawPart(2)(['SIGTERM', 'SIGINT'] as const))(
  'the API ends with exit code 0 on %s',
  async (signal) => {
    harness.env.API_PORT = '0'
    harness.env.API_HOST = '127.0.0.1'
    const { child, ended } = start('api/main.ts')
    let output = ''
    const port = await new Promise<number>((resolve) => {
      child.stdout.on('data', (text: string) => {
        output += text
        const listening = /"port":(\d+)/.exec(output)
        if (listening) resolve(Number(listening[1]))
      })
    })
    const keptAlive = await fetch(`http://127.0.0.1:${port}/livez`)
    expect(keptAlive.status).toBe(200)
    await keptAlive.text()
    child.kill(signal)
    const { code, err } = await ended
    expect([code, err]).toEqual([0, ''])
  },
  30_000,
)
