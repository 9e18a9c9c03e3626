/**
 * Hostile values in every input of the OpenAPI document. A run draws a part of the cases by its seed;
 * `npm test -- --all` sends all of them, and `npm run fuzz` lets schemathesis send tens of thousands.
 */
import { randomUUID } from 'node:crypto'
import pMap from 'p-map'
import { beforeAll, expect, test } from 'vitest'
import { readDescribed } from '../harness/api/described.ts'
import { openHarness } from '../harness/harness.ts'
import { lacks } from '../harness/optional/optional.ts'
import { drawPart, drawsAll, seed } from '../harness/seed.ts'
import { hostileNumbers, hostileTexts } from './corpora/hostile.ts'
import { type Input, inputsOf, readsOf, requestWith } from './corpora/inputs.ts'
import { createSenders, faultOf, type Senders } from './corpora/send.ts'
import { fuzz, schemathesisPath } from './fuzz/schemathesis.ts'
import { createFuzzWorld, type FuzzWorld, victimsRows } from './fuzz/world.ts'

const harness = await openHarness({ replay: false, books: false })
const document = await readDescribed(harness.anonymous)
const inputs = inputsOf(document)
/** Requests that end the sessions which send the other requests. */
const endings = [
  '/account/sign-out',
  '/account/sessions/end-everywhere',
  '/v1/accounts/{id}/sign-out',
  '/console/sign-out',
  '/delete-account',
  '/v1/sandbox/clock',
]
const asked = inputs.filter(({ path }) => !endings.includes(path))
/** A run sends about this many requests of each corpus. */
const partOf = (all: number, wanted = 300) => drawPart(Math.max(1, Math.ceil(all / wanted)))

/** All of them take the better part of an hour. */
const long = { timeout: drawsAll ? 3_600_000 : 180_000 }
let sent = 0

let world: FuzzWorld
let senders: Senders
beforeAll(async () => {
  world = await createFuzzWorld(harness)
  senders = await createSenders(harness, world)
})

interface Case {
  input: Input
  what: string
  value: string
}

async function faultsOf(cases: readonly Case[]): Promise<string[]> {
  const faults = await pMap(
    cases,
    async ({ input, what, value }) => {
      const request = requestWith(document, input, value, senders.knownOf(input))
      if (!request) return undefined
      if (input.place !== 'header' && needsKey(input)) request.headers['Idempotency-Key'] = randomUUID()
      sent += 1
      const fault = await faultOf(input, await senders.send(input, request))
      return fault && `${input.method} ${input.path}, ${input.place} ${input.at.join('.')}, ${what}: ${fault}`
    },
    { concurrency: 4 },
  )
  return faults.filter((fault) => fault !== undefined)
}

const needsKey = ({ operation }: Input): boolean =>
  operation.parameters?.some(({ name }) => name === 'Idempotency-Key') === true

/** Every value in each input, as far as this run draws them. */
function drawn(of: readonly Input[], values: Readonly<Record<string, string>>): Case[] {
  const all = of.flatMap((input) => Object.entries(values).map(([what, value]) => ({ input, what, value })))
  return partOf(all.length)(all)
}

test('the OpenAPI document has inputs in every place', () => {
  const places = new Set(inputs.map(({ place }) => place))
  expect([...places].sort()).toEqual(['body', 'form', 'header', 'path', 'query'])
  expect(inputs.length).toBeGreaterThan(300)
})

test('a hostile text in any input is refused or taken as text', long, async () => {
  const values = Object.fromEntries(Object.entries(hostileTexts).map(([what, text]) => [what, JSON.stringify(text)]))
  expect(await faultsOf(drawn(asked, values))).toEqual([])
})

test('a hostile number in any input is refused or taken exactly', long, async () => {
  const numeric = asked.filter(({ place }) => place === 'body' || place === 'query')
  expect(await faultsOf(drawn(numeric, hostileNumbers))).toEqual([])
})

test('a parameter of the query that is sent twice, or as a list or an object, is refused', long, async () => {
  const queries = asked.filter(({ place }) => place === 'query')
  const forms = (name: string) => [`${name}=1&${name}=2`, `${name}[]=1`, `${name}[__proto__]=1`, `${name}.a=1`]
  const cases = queries.flatMap((input) => forms(input.at[0] ?? '').map((query) => ({ input, query })))
  const answers = await pMap(
    partOf(cases.length, 150)(cases),
    async ({ input, query }) => {
      const request = requestWith(document, input, '"x"', senders.knownOf(input))
      const path = request?.url.split('?')[0] ?? input.path
      sent += 1
      const { status } = await senders.send(input, { method: input.method, url: `${path}?${query}`, headers: {} })
      return { asked: `${input.method} ${input.path}?${query}`, status }
    },
    { concurrency: 4 },
  )
  // A page of the console that has lost its session or row answers otherwise, and nothing answers 2xx.
  expect(answers.filter(({ status }) => status < 400 || status >= 500)).toEqual([])
})

test('what was taken is shown as text by everything that reads', long, async () => {
  const cases = readsOf(document).map((input) => ({ input, what: 'what was stored', value: '""' }))
  expect(cases.length).toBeGreaterThan(80)
  expect(await faultsOf(cases)).toEqual([])
})

// `npm run fuzz` installs it.
test.skipIf(lacks('schemathesis')).each(drawPart(3)(['anonymous', 'customer', 'service'] as const))(
  'schemathesis finds no 5xx, no undescribed answer and no row of another person as caller: %s (skipped without schemathesis)',
  async (caller) => {
    const plan = world.planOf(caller)
    const before = await victimsRows(harness, world.victim)
    const result = await fuzz(schemathesisPath(), {
      url: harness.urls.api,
      token: world.tokenOf(caller),
      seed,
      examples: 1,
      phases: 'fuzzing',
      plan,
    })
    expect(result.failures).toBeUndefined()
    if (caller !== 'anonymous') expect(await world.statusOf(caller), JSON.stringify(result.lastForbidden)).toBe(200)
    expect(result.cases).toBeGreaterThan(100)
    if (plan.isOtherPerson) expect(await victimsRows(harness, world.victim)).toBe(before)
  },
)

test('the API has logged no fault of its own while hostile values came', () => {
  const isFault = (line: string): boolean => line.includes('"level":"error"') && line.includes('"route":')
  expect(harness.logLines.filter(isFault)).toEqual([])
  if (drawsAll) process.stdout.write(`${sent} requests of the corpora were sent\n`)
})
