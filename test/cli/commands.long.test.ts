/** Each command of package.json as a program: asked for what it cannot do, or met by what it does not expect. */
import { once } from 'node:events'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { placeholders } from '../harness/api/api-harness.ts'
import { startProgram } from '../harness/processes.ts'
import { drawPart } from '../harness/seed.ts'
import { commands } from './commands.ts'

const folder = await mkdtemp(join(tmpdir(), 'ama-esim-commands-'))
const servers: (() => void)[] = []
afterAll(async () => {
  for (const close of servers) close()
  await rm(folder, { recursive: true, force: true })
})

/** Nothing is configured, and no stack of this machine is found. */
const environment = { AMA_DATA_DIR: folder, NO_COLOR: '1' }

async function ask(args: string[], env: Record<string, string> = {}) {
  const program = startProgram(process.execPath, args, { ...environment, ...env })
  const { code } = await program.ended
  const output = program.output()
  expect(output, args.join(' ')).not.toMatch(/\n +at /)
  return { code, output }
}

/** How a command is asked for what it cannot do, and what it then names. Each also gets an option that none has. */
const misuses: Record<string, [args: string[], names: string][]> = {
  demo: [[['order'], "'order'"]],
  start: [[['api'], "'api'"]],
  dev: [[['api'], "'api'"]],
  api: [[['8080'], "'8080'"]],
  worker: [[['1'], "'1'"]],
  bundle: [[['workflows'], "'workflows'"]],
  restore: [
    [[], 'Which backup?'],
    [['latest'], 'Into which database?'],
    [['latest', 'not a url'], 'Into which database?'],
    [['latest', 'postgres://127.0.0.1:9/x', '--log-head', '7'], '--log-head'],
  ],
  test: [[['--seed'], '--seed']],
  screenshots: [],
  fuzz: [[['--callers', 'nobody'], '--callers']],
  mutation: [[['nothing'], 'nothing']],
  chaos: [[['--temporal', 'mysql'], '--temporal']],
  bench: [[['nothing'], 'nothing']],
  client: [[['--release=yes'], '--release']],
  keys: [
    [[], 'command'],
    [['make'], 'make'],
    [['create', 'admin', '--label', 'x'], 'operator, service or signing'],
    [['create', 'service'], '--label'],
    [['create', 'service', '--label', 'x', '--scopes', 'all'], '--scopes'],
    [['revoke'], 'Which key?'],
  ],
  cli: [
    [[], 'command'],
    [['act', 'an-order'], 'a part of it is missing'],
    [['act', 'an-order', 'refund'], '--reason'],
    [['act', 'an-order', 'refund-part', '--reason', 'a goodwill'], '--amount'],
    [['task', 'settle', 'a-task'], '--reason'],
    [['account', 'note', 'an-account'], '--reason'],
    [['dispute', 'accept', 'an-order', 'a-dispute'], '--reason'],
    [['bulk', 'prepare', 'refund'], '--reason'],
    [['privacy', 'answer', 'a-request'], '--outcome'],
    [['privacy', 'extend', 'a-request'], '--because'],
  ],
  operators: [
    [[], 'command'],
    [['save', '--name', 'Ada'], '--email, --role'],
    [['save', '--name', 'Ada', '--email', 'ada@example.com', '--role', 'boss'], 'boss'],
    [['disable'], 'Which operator?'],
  ],
  deploy: [
    [[], 'command'],
    [['ramp'], '--percent'],
    [['promote', '--watch', 'soon'], '--watch'],
    [['check', 'ramp'], 'ramp'],
  ],
  doctor: [[['stripe'], "'stripe'"]],
  setup: [
    [['--retention-days', '0'], '--retention-days'],
    [['--operator-name', 'Ada'], '--operator-email'],
  ],
  migrate: [[['down'], "'down'"]],
  schema: [[['orders'], "'orders'"]],
}

test('each command of package.json has its misuses', () => {
  expect(Object.keys(misuses)).toEqual(commands.map(({ name }) => name))
})

test.each(commands)(
  'npm run $name says what is wrong with its arguments, and how it is asked',
  async ({ name, args }) => {
    const others = misuses[name] ?? []
    // A program takes seconds to load.
    const drawn = others.length === 0 ? [] : drawPart(others.length)(others)
    const cases: [string[], string][] = [[['--mistyped'], '--mistyped'], ...drawn]
    for (const [given, names] of cases) {
      const { code, output } = await ask([...args, ...given])
      expect([given, code, output]).toEqual([given, 2, expect.stringContaining(names)])
      expect(output.match(/^Usage: npm /gm)).toHaveLength(1)
    }
  },
  180_000,
)

/** How each command asks PostgreSQL or Temporal, and the settings that it names when neither answers. */
const whenAway: Record<string, [args: string[], settings: string[]][]> = {
  restore: [
    [['report'], ['DATABASE_URL']],
    [['retry'], ['DATABASE_URL']],
    [['confirm-promotions'], ['DATABASE_URL']],
    [
      ['20260101T000000Z', 'postgres://nobody@127.0.0.1:9/new'],
      ['DATABASE_URL', 'TEMPORAL_ADDRESS'],
    ],
    [
      ['20260101T000000Z', 'postgres://nobody@127.0.0.1:9/new', '--allow-old-ledger', '--without-runs'],
      ['DATABASE_URL', 'TEMPORAL_ADDRESS'],
    ],
  ],
  keys: [
    [['list'], ['DATABASE_URL']],
    [['create', 'operator', '--label', 'x'], ['DATABASE_URL']],
    [['revoke', 'a-key'], ['DATABASE_URL']],
  ],
  operators: [
    [['list'], ['DATABASE_URL']],
    [['save', '--name', 'Ada', '--email', 'ada@example.com', '--role', 'admin'], ['DATABASE_URL']],
    [['disable', 'c0ffee00-0000-4000-8000-000000000000'], ['DATABASE_URL']],
  ],
  deploy: [
    [['status'], ['TEMPORAL_ADDRESS']],
    [['retire'], ['TEMPORAL_ADDRESS']],
    [['rollback'], ['TEMPORAL_ADDRESS']],
  ],
  setup: [[[], ['DATABASE_URL', 'TEMPORAL_ADDRESS']]],
  migrate: [[[], ['DATABASE_URL']]],
}
/**
 * These ask no service, start their own, ask the API alone, or wait for the services; the doctor has a file of its own.
 */
const neverAway = [
  'demo',
  'start',
  'dev',
  'api',
  'worker',
  'bundle',
  'test',
  'screenshots',
  'fuzz',
  'mutation',
  'chaos',
  'bench',
  'client',
  'cli',
  'schema',
  'doctor',
]

test('each command of package.json is known to ask a service, or to ask none', () => {
  expect([...Object.keys(whenAway), ...neverAway].sort()).toEqual(commands.map(({ name }) => name).sort())
})

test.each(commands.filter(({ name }) => name in whenAway))(
  'npm run $name says in words which service does not answer, and where to look',
  async ({ name, args }) => {
    const all = whenAway[name] ?? []
    const services = {
      ...placeholders(),
      TEMPORAL_ADDRESS: '127.0.0.1:9',
      BACKUP_FOLDER: folder,
      WORKER_BUILD_ID: 'b1',
    }
    for (const [given, settings] of drawPart(Math.min(2, all.length))(all)) {
      const { code, output } = await ask([...args, ...given], services)
      expect([given, code]).toEqual([given, 1])
      for (const setting of settings) expect(output, given.join(' ')).toContain(setting)
    }
  },
  180_000,
)

const addressOf = (server: Server): string =>
  `http://127.0.0.1:${z.object({ port: z.number() }).parse(server.address()).port}`

/** Answers each request the same. @returns its address */
async function serve(status: number, type: string, body: string): Promise<string> {
  const server = createServer((_request, response) => response.writeHead(status, { 'content-type': type }).end(body))
  servers.push(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return addressOf(server)
}

test('an answer that is not the API’s, or none, is said in words; an act can be repeated under its key', async () => {
  const cli = (url: string, ...args: string[]) =>
    ask(['--import', 'tsx', 'cli/acts.ts', ...args], { AMA_API_URL: url, AMA_OPERATOR_KEY: 'a-key' })
  const note = ['act', 'an-order', 'note', '--reason', 'why not', '--key', 'the-same-key']
  const page = '<html><body>502 Bad Gateway</body></html>'
  const proxy = await serve(502, 'text/html', page)
  expect(await cli(proxy, ...note)).toEqual({
    code: 1,
    output: `${proxy} answered 502, but not in the API's form. Is there a proxy before it?\n  The same again: --key the-same-key\n`,
  })
  const other = await serve(200, 'application/json', '{"hello": "world"}')
  expect(await cli(other, 'tasks')).toEqual({ code: 1, output: expect.stringContaining('answered 200, but not') })
  const strange = await serve(500, 'application/json', '{"error": {"code": 7}}')
  expect(await cli(strange, 'tasks')).toEqual({ code: 1, output: expect.stringContaining('answered 500, but not') })
  const ended = createServer()
  await once(ended.listen(0, '127.0.0.1'), 'listening')
  const nobody = addressOf(ended)
  await once(ended.close(), 'close')
  expect(await cli(nobody, ...note)).toEqual({
    code: 1,
    output: expect.stringMatching(/does not answer: .*ECONNREFUSED.*\n {2}The same again: --key the-same-key\n$/),
  })
  const file = join(folder, 'missing.txt')
  const answer = ['privacy', 'answer', 'a-request', '--outcome', 'granted', '--answer-file', file, '--reason', 'r']
  expect(await cli(nobody, ...answer)).toEqual({ code: 1, output: expect.stringContaining('cannot be read') })
  expect((await cli('nowhere', 'tasks')).code).toBe(2)
}, 60_000)

test('a demo whose stack cannot start says why, and ends with code 1', async () => {
  const temporal = join(folder, 'temporal')
  await writeFile(
    temporal,
    '#!/bin/sh\n[ "$1" = --version ] && echo temporal version 1.9.0 && exit\necho no room >&2\nexit 1\n',
  )
  await chmod(temporal, 0o755)
  const path = `${folder}:${process.env.PATH}`
  const { code, output } = await ask(['--import', 'tsx', 'cli/demo.ts'], { PATH: path, AMA_PORTS: 'free' })
  expect([code, output]).toEqual([1, expect.stringContaining('The demo stopped: ')])
  expect(output).toContain('Temporal server')
}, 120_000)
