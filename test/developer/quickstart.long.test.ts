/** Each runnable snippet of docs/quickstart.md, unchanged, does what the page says. */
import { execFile } from 'node:child_process'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { problems } from '../../api/http/problems.ts'
import { throwawayFolder } from '../../dev/throwaway-folder.ts'
import { testCards } from '../../sim/stripe/confirm/test-cards.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'

const harness = await shareStack()
const root = fileURLToPath(new URL('../../', import.meta.url))
const page = await readFile(join(root, 'docs/quickstart.md'), 'utf8')
const run = promisify(execFile)
const environment = {
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  AMA_KEY: harness.service.token,
  OPERATOR_KEY: harness.operator.token,
  AMA_API: harness.urls.api,
  STRIPE: harness.sims.stripe.url,
  ESIM_ACCESS: harness.sims.esimAccess.url,
  AIRALO: harness.sims.airalo.url,
}

// A script that fails half-way leaves the providers as it has set them.
afterEach(async () => {
  const { esimAccess, airalo } = harness.sims
  await Promise.all([esimAccess, airalo].map((provider) => provider.do('stock', { out: false })))
  await esimAccess.do('allocation', {})
})

const snippets = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code ?? '')

test('the curl snippets reach each outcome', async () => {
  const cwd = await throwawayFolder('ama-esim-quickstart-')
  const script = ['set -eu', ...snippets('sh')].join('\n')
  const { stdout } = await run('bash', ['-c', script], { cwd, env: environment, timeout: 170_000 })
  const lines = stdout.trim().split('\n')
  expect(lines).toEqual([
    'succeeded',
    expect.stringMatching(/^LPA:1\$/),
    expect.stringMatching(/^\d+$/),
    'generic_decline',
    'awaiting_payment',
    'succeeded',
    'price_changed',
    'succeeded',
    expect.stringMatching(/^(provisioning|delivered)$/),
    'succeeded',
    'refunding',
    'succeeded',
    'out_of_stock',
    'succeeded',
  ])
  expect((await readFile(join(cwd, 'esim.png'))).subarray(1, 4).toString()).toBe('PNG')
})

test('the TypeScript snippet delivers an eSIM, with the client as an installed package', async () => {
  const cwd = await throwawayFolder('ama-esim-quickstart-')
  await mkdir(join(cwd, 'node_modules/@ama-esim'), { recursive: true })
  await symlink(join(root, 'client'), join(cwd, 'node_modules/@ama-esim/client'))
  await writeFile(join(cwd, 'package.json'), '{"type":"module"}')
  await writeFile(join(cwd, 'buy.ts'), snippets('ts').join('\n'))
  const tsx = new URL('../../node_modules/tsx/dist/loader.mjs', import.meta.url).href
  const { stdout } = await run(process.execPath, ['--import', tsx, 'buy.ts'], { cwd, env: environment })
  expect(stdout).toMatch(/^delivered LPA:1\$/)
})

test('plain Node imports the client package', async () => {
  const cwd = await throwawayFolder('ama-esim-client-')
  await mkdir(join(cwd, 'node_modules/@ama-esim'), { recursive: true })
  await symlink(join(root, 'client'), join(cwd, 'node_modules/@ama-esim/client'))
  const code = `
    const { createAmaClient } = await import('@ama-esim/client')
    const api = createAmaClient({ baseUrl: process.env.AMA_API, token: process.env.AMA_KEY })
    console.log((await api.GET('/v1/destinations')).response.status)`
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', code], { cwd, env: environment })
  expect(stdout.trim()).toBe('200')
})

test('a program that is compiled to require takes the client package, as Node before 20.19 does', async () => {
  const cwd = await throwawayFolder('ama-esim-client-')
  await mkdir(join(cwd, 'node_modules/@ama-esim'), { recursive: true })
  await symlink(join(root, 'client'), join(cwd, 'node_modules/@ama-esim/client'))
  await writeFile(
    join(cwd, 'list.ts'),
    `import { createAmaClient, type components } from '@ama-esim/client'
    const api = createAmaClient({ baseUrl: process.env.AMA_API ?? '', token: process.env.AMA_KEY ?? '' })
    api.GET('/v1/destinations').then(({ data, error, response }) => {
      const problem: components['schemas']['Problem'] | undefined = error
      // @ts-expect-error an answer of 200 has a list
      data?.nothing
      console.log(response.status, problem)
    })
    declare const process: { env: Record<string, string | undefined> }
    declare const console: { log(...words: unknown[]): void }`,
  )
  const compilerOptions = { module: 'node16', target: 'es2022', lib: ['es2022', 'dom'], strict: true, types: [] }
  await writeFile(join(cwd, 'package.json'), '{}')
  await writeFile(join(cwd, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['list.ts'] }))
  await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], { cwd }).catch(({ stdout }) =>
    expect(stdout).toBe(''),
  )
  const flags = ['--no-experimental-require-module', 'list.js']
  const { stdout } = await run(process.execPath, flags, { cwd, env: environment })
  expect(stdout.trim()).toBe('200 undefined')
})

test('a person pays on the payment page: declined, then with 3D Secure', async () => {
  const order = await harness.buy(await harness.signUp(), { pay: false })
  const url = `${harness.sims.stripe.url}/pay/${order.payment.paymentIntentClientSecret}`
  const post = (path: string, fields: Record<string, string>) =>
    fetch(url + path, { method: 'POST', body: new URLSearchParams(fields) })
  const text = async (answer: Promise<Response>) => [(await answer).status, await (await answer).text()] as const
  expect(await text(fetch(url))).toEqual([200, expect.stringContaining('Pay €5.00')])
  expect(await text(post('', { number: '4000 0000 0000 0002' }))).toEqual([402, expect.stringContaining('declined')])
  expect(await text(post('', { number: '4000002760003184' }))).toEqual([200, expect.stringContaining('is it you')])
  expect(await text(post('/authenticate', { as: 'pass' }))).toEqual([200, expect.stringContaining('€5.00 paid')])
  await harness.untilOrder(order.id, 'delivered')
  expect((await fetch(`${url}x`)).status).toBe(404)
})

test('an app cannot confirm or read a payment without its client secret', async () => {
  const order = await harness.buy(await harness.signUp(), { pay: false })
  const { paymentIntentClientSecret: secret, publishableKey } = order.payment
  const path = `${harness.sims.stripe.url}/v1/payment_intents/${secret.split('_secret_')[0]}`
  const headers = { authorization: `Bearer ${publishableKey}` }
  const confirm = new URLSearchParams({ payment_method: 'pm_card_visa' })
  expect((await fetch(`${path}/confirm`, { method: 'POST', headers, body: confirm })).status).toBe(400)
  expect((await fetch(path, { headers })).status).toBe(400)
  expect((await fetch(`${path}?client_secret=${secret}`, { headers })).status).toBe(200)
  expect((await fetch(`${path}/cancel`, { method: 'POST', headers })).status).toBe(401)
})

test('the quickstart names cards of the simulator, each by its number', () => {
  const named = [...page.matchAll(/\| (\d{4}(?: \d{4}){3}), `(pm_\w+)`/g)].map(([, number, name]) => [
    number?.replaceAll(' ', ''),
    name,
  ])
  expect(named.length).toBeGreaterThan(5)
  const known = testCards.map(({ number, paymentMethod }) => [number, paymentMethod])
  for (const pair of named) expect(known).toContainEqual(pair)
})

test('the pages of the documentation answer, under the strict policy and without scripts', async () => {
  for (const path of ['/docs', '/docs/quickstart', '/docs/order-states', '/problems/out_of_stock']) {
    const answer = await harness.anonymous.get(path)
    expectStatus(answer, 200)
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'")
    expect(answer.text).not.toContain('<script')
  }
  const states = await harness.anonymous.get('/docs/order-states')
  expect(states.text).toContain('<svg')
  const problem = await harness.anonymous.get('/problems/package_unavailable')
  expect(problem.text).toMatch(/Cause.*Remedy.*GET \/v1\/packages.*POST \/v1\/orders/s)
})

test('the page of each problem has a cause that says more than its title, and a remedy', async () => {
  for (const [code, { title }] of Object.entries(problems)) {
    const { text } = await harness.anonymous.get(`/problems/${code}`)
    const words = text.replaceAll(/<[^>]*>/g, ' ').replaceAll('&#x27;', "'")
    const [, cause = '', remedy = ''] = /Cause\s+(.*?)\s+Remedy\s+(.*?)\s+Answered by/s.exec(words) ?? []
    expect([code, cause.length > 20 && cause !== title, remedy.length > 15]).toEqual([code, true, true])
    expect(cause.startsWith(title)).toBe(false)
  }
})
