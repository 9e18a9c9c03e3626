/**
 * NODE_ENV=production with the image's files: no embedded services, no simulators, all required settings configured.
 */
import { randomBytes } from 'node:crypto'
import { appendFile, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { entryPoints } from '../../cli/programs/entry-points.ts'
import { claimPort } from '../../dev/port.ts'
import { keyCheckType } from '../../workflows/keys/key-rotation.contract.ts'
import { openHarness } from '../harness/harness.ts'
import { descendants, startProgram, survivors } from '../harness/processes.ts'
import { until } from '../harness/until.ts'
import { makeImage } from '../image/image.ts'

// The harness has the same keys: it reads and replays the histories of production.
const harness = await openHarness({
  workers: 0,
  settings: { PAYLOAD_KEYS: `p1:${randomBytes(32).toString('base64')}` },
})

/** The harness's services with settings that production accepts. Only the eSIM providers are called. */
async function productionSettings(): Promise<{ url: string; metricsUrl: string; env: Record<string, string> }> {
  const [port, metricsPort] = await Promise.all([claimPort(0), claimPort(0)])
  const { STRIPE_API_URL: _a, FIREBASE_CONNECT_TO: _b, FIREBASE_CONNECT_CA: _c, ...settings } = harness.settings
  return {
    url: `http://127.0.0.1:${port}`,
    metricsUrl: `http://127.0.0.1:${metricsPort}`,
    env: {
      ...settings,
      NODE_ENV: 'production',
      SANDBOX: 'false',
      TRUSTED_PROXIES: '0',
      PUBLIC_URL: 'https://esim.example.com',
      API_PORT: String(port),
      WORKER_METRICS_PORT: String(metricsPort),
      TEMPORAL_TASK_QUEUE: `production-${port}`,
    },
  }
}

const image = await makeImage()
/** API, worker and both run from their built files, as in the image. */
const run = (program: string, env: Record<string, string>) =>
  startProgram(
    process.execPath,
    [...(entryPoints.includes(program) ? ['cli/run.mjs'] : ['--import', 'tsx']), program],
    env,
    image,
  )
const start = (env: Record<string, string>) => run('cli/start-production.ts', env)

beforeAll(async () => {
  const program = startProgram('npm', ['run', '--silent', 'bundle'], { NODE_ENV: 'production' }, image)
  expect(await program.ended, program.output()).toEqual({ code: 0, signal: null })
})
afterAll(() => rm(image, { recursive: true, force: true }))

async function untilReady(...programs: string[]): Promise<void> {
  const isReady = async (url: string): Promise<boolean> => (await fetch(`${url}/readyz`)).status === 200
  await until(
    'API and worker are ready',
    async () => (await Promise.all(programs.map((url) => isReady(url).catch(() => false)))).every(Boolean),
    { timeoutMs: 60_000 },
  )
}

test('npm start in production prints all missing settings at once and starts nothing', async () => {
  const program = start({ NODE_ENV: 'production' })
  const { code } = await program.ended
  expect(code).toBe(1)
  for (const name of ['DATABASE_URL', 'TEMPORAL_ADDRESS', 'PAYLOAD_KEYS', 'FIELD_KEYS', 'STRIPE_SECRET_KEY']) {
    expect(program.output()).toMatch(new RegExp(`^ +${name}: missing`, 'm'))
  }
  expect(program.output()).not.toMatch(/\n +at /)
})

test('npm start in production starts only API and worker, and drains on SIGTERM', async () => {
  const { url, metricsUrl, env } = await productionSettings()
  const program = start(env)
  await untilReady(url, metricsUrl)
  await until('it has done what is due at once', async () => {
    const ended = `WorkflowType = '${keyCheckType}' AND ExecutionStatus = 'Completed'`
    return (await harness.temporal.workflow.count(ended)).count > 0
  })
  const processes = [...(await descendants(program.pid)).values()].filter((args) => !args.includes('esbuild'))
  expect(processes.map((args) => args.split(' ').at(-1)).sort()).toEqual(['api/main.ts', 'worker/main.ts'])
  program.kill('SIGTERM')
  expect(await program.ended, program.output()).toEqual({ code: 0, signal: null })
}, 120_000)

test('npm start in production drains when only npm gets the signal', async () => {
  const { url, metricsUrl, env } = await productionSettings()
  const programs = ['api', 'worker'].map((script) => startProgram('npm', ['run', script], env, image))
  await untilReady(url, metricsUrl)
  const processes = await Promise.all(programs.map(({ pid }) => descendants(pid)))
  for (const program of programs) program.kill('SIGTERM')
  // The pipe stays open while any process holds it: npm's own end is not enough.
  await Promise.all(programs.map(({ ended }) => ended))
  for (const program of programs) expect(program.output()).toMatch(/the (API|worker) stops/)
  expect((await Promise.all(processes.map(survivors))).flat()).toEqual([])
}, 120_000)

test.each(['api/main.ts', 'worker/main.ts'])(
  'npm start in production fails when %s dies, and drains the other',
  async (entry) => {
    const { url, metricsUrl, env } = await productionSettings()
    const program = start(env)
    await untilReady(url, metricsUrl)
    const processes = await descendants(program.pid)
    const [pid = 0] = [...processes].find(([, args]) => args.endsWith(entry)) ?? []
    process.kill(pid, 'SIGKILL')
    const { code } = await program.ended
    expect(code, program.output()).not.toBe(0)
    expect(await survivors(processes)).toEqual([])
  },
  120_000,
)

test('the image migrates the database, and prints the usage of the keys command', async () => {
  const { env } = await productionSettings()
  const migrate = run('cli/migrate.ts', env)
  expect(await migrate.ended, migrate.output()).toMatchObject({ code: 0 })
  const keys = run('cli/keys.ts', env)
  expect(await keys.ended).toMatchObject({ code: 2 })
  expect(keys.output()).toMatch(/^A command is missing.\nUsage:/)
})

test('the replay check in the image replays all kept histories on its bundle', async () => {
  const kept = await readdir(new URL('../replay/histories/', import.meta.url))
  const { env } = await productionSettings()
  const check = startProgram(process.execPath, ['--import', 'tsx', 'cli/deploy.ts', 'check'], env, image)
  expect(await check.ended, check.output()).toMatchObject({ code: 0 })
  expect(check.output()).toContain(`Replaying ${kept.length} kept histories and `)
  expect(check.output()).toMatch(/^All \d+ histories replay\.$/m)
}, 120_000)

/** The programs that need a worker's bundle: without it each prints what to do, and builds none. */
async function refusals(): Promise<void> {
  const { env } = await productionSettings()
  for (const build of [{}, { WORKER_BUILD_ID: 'abc' }]) {
    const worker = run('worker/main.ts', { ...env, ...build })
    const { code } = await worker.ended
    expect(code, worker.output()).toBe(1)
    expect(worker.output()).toMatch(
      /^(There is no|The) workflow bundle .*: make it( again)? with `npm run bundle`\.\n$/,
    )
  }
}

test('a worker and the replay check without a bundle end with a message about it', async () => {
  await rename(join(image, 'bundles'), join(image, 'elsewhere'))
  try {
    await refusals()
    const { env } = await productionSettings()
    const check = startProgram(process.execPath, ['--import', 'tsx', 'cli/deploy.ts', 'check'], env, image)
    expect((await check.ended).code).toBe(1)
    expect(check.output()).toContain('There is no workflow bundle')
  } finally {
    await rename(join(image, 'elsewhere'), join(image, 'bundles'))
  }
}, 120_000)

test('a worker with a bundle of other sources ends with a message about it', async () => {
  await appendFile(join(image, 'workflows/index.ts'), '// changed\n')
  await refusals()
}, 120_000)
