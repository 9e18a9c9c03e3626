/**
 * A caller without credentials sends a megabyte of bytes that are slow to parse. On every route the API refuses or
 * ignores them and keeps answering. The list of routes comes from the API and includes new ones. A run sends each route
 * a part of the headers, closed routes a part of the bodies, and open ones one size of each; `npm test -- --all` sends
 * all.
 */
import { request as httpRequest } from 'node:http'
import { expect, test } from 'vitest'
import { readDescribed } from '../../harness/api/described.ts'
import { openHarness } from '../../harness/harness.ts'
import { drawPart } from '../../harness/seed.ts'

const harness = await openHarness({ workers: 0, replay: false })

interface Operation {
  method: string
  path: string
  isOpen: boolean
  /** the content types that it reads */
  reads: string[]
}

const document = await readDescribed(harness.anonymous)
const operations: Operation[] = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { 'x-callers': callers, requestBody }]) => ({
    method: method.toUpperCase(),
    path,
    isOpen: callers.includes('public'),
    reads: Object.keys(requestBody?.content ?? {}),
  })),
)

/** A closed route reads no body, and all routes read the same headers. */
const partOf = drawPart(4)

/** Sizes within the limits of forms, JSON and events, and above all limits. */
const sizes = [8_000, 64_000, 500_000, 1_000_000]
const largest = Math.max(...sizes)

const repeat =
  (text: string, before = '', after = '') =>
  (size: number): string =>
    before + text.repeat((size - before.length - after.length) / text.length) + after

const bodies: { name: string; type: string; body: (size: number) => string }[] = [
  {
    name: 'repeated part headers',
    type: 'multipart/form-data; boundary=x',
    body: repeat('Content-Disposition: form-data; name="List-Unsubscribe"\r\n', '--x\r\n'),
  },
  { name: 'parts without an end', type: 'multipart/form-data; boundary=x', body: repeat('--x\r\n\r\n') },
  { name: 'nested arrays', type: 'application/json', body: repeat('[') },
  { name: 'nested objects', type: 'application/json', body: repeat('{"a":') },
  { name: 'many fields of JSON', type: 'application/json', body: repeat('"a":1,', '{', '"a":1}') },
  { name: 'form fields', type: 'application/x-www-form-urlencoded', body: repeat('a=b&') },
  { name: 'separators of form fields', type: 'application/x-www-form-urlencoded', body: repeat('&') },
  { name: 'brackets of form fields', type: 'application/x-www-form-urlencoded', body: repeat('[a]', 'a', '=b') },
  { name: 'percent signs', type: 'application/x-www-form-urlencoded', body: repeat('%') },
  { name: 'headers of a mail', type: 'message/rfc822', body: repeat('To: \n \n bounces+a\n') },
  { name: 'blanks of a mail', type: 'message/rfc822', body: repeat(' ', 'status:', 'x') },
  { name: 'parts of a token', type: 'application/secevent+jwt', body: repeat('e.') },
]

/** The text repeated to the length that Node allows for all headers and the path together, minus the other headers. */
const line = (text: string): string => text.repeat(Math.floor(14_000 / text.length))

const headers: { name: string; headers: Record<string, string> }[] = [
  { name: 'cookies', headers: { cookie: line('a=b; ') } },
  { name: 'a cookie of blanks and equals signs', headers: { cookie: line(' =') } },
  { name: 'credentials', headers: { authorization: `Bearer ${line('a.')}!` } },
  { name: 'blanks in the credentials', headers: { authorization: `Bearer ${line(' ')}!` } },
  { name: 'media ranges', headers: { accept: line('"a/b;q=1,') } },
  { name: 'entity tags', headers: { 'if-none-match': line('W/"1",'), 'if-match': `"1"${' '.repeat(500)}x` } },
  { name: 'addresses', headers: { 'x-forwarded-for': line('1.1.1.1, ') } },
  { name: 'a content type', headers: { 'content-type': `application/json;${line(' a="b";')}` } },
  { name: 'signatures', headers: { 'stripe-signature': line('t=1,v1=a,'), 'airalo-signature': 'a'.repeat(1_000) } },
]

const headerNames = headers.map(({ name }) => name)

const named = ({ method, path }: Operation): string => `${method} ${path}`
const filled = (path: string, text: string): string => path.replaceAll(/\{\w+\}/g, text)

interface Sent {
  status: number
  /** processor time of this process, which runs the API; it does not depend on the machine's load */
  cpuMs: number
}

/** The answer's status, which can arrive before the whole megabyte is sent. */
async function send(method: string, path: string, headers: Record<string, string>, body?: string): Promise<Sent> {
  const before = process.cpuUsage()
  const status = await new Promise<number>((resolve, reject) => {
    const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }
    const options = { method, headers: { ...headers, ...length }, agent: false }
    const request = httpRequest(harness.urls.api + path, options, (response) => {
      response.resume()
      response.once('close', () => resolve(response.statusCode ?? 0))
    })
    request.once('error', reject)
    request.end(body)
  })
  const { user, system } = process.cpuUsage(before)
  return { status, cpuMs: (user + system) / 1000 }
}

/** A slow parser takes seconds to hours with these bytes; others take milliseconds. */
const mostCpuMs = 1_500

async function expectUnharmed(what: string, sending: Promise<Sent>): Promise<Sent> {
  const [sent, alive] = await Promise.all([sending, harness.anonymous.get('/livez')])
  expect([what, alive.status]).toEqual([what, 200])
  expect(sent.status, what).toBeGreaterThanOrEqual(200)
  expect(sent.status, what).toBeLessThan(500)
  expect(sent.cpuMs, what).toBeLessThan(mostCpuMs)
  return sent
}

test.each(bodies)('a megabyte of $name does not slow down the API on any route', async ({ name, type, body }) => {
  const at = bodies.findIndex((each) => each.name === name)
  const open = operations.filter(({ isOpen }) => isOpen)
  const closed = operations.filter(({ isOpen }) => !isOpen)
  const sent = [
    ...open.flatMap((operation, index) => partOf(sizes, at + index).map((size) => ({ operation, size }))),
    ...partOf(closed, at).map((operation) => ({ operation, size: largest })),
  ]
  for (const { operation, size } of sent) {
    const what = `${named(operation)}: ${size} bytes of ${name}`
    const path = filled(operation.path, 'x')
    const { status } = await expectUnharmed(what, send(operation.method, path, { 'content-type': type }, body(size)))
    if (!operation.isOpen) expect([what, status]).toEqual([what, 401])
  }
})

/** How much processor time of this process, API and test together, passes until the API has said that it lives. */
async function longestWait(sending: Promise<unknown>): Promise<number> {
  let isSent = false
  const sent = sending.finally(() => {
    isSent = true
  })
  let longest = 0
  do {
    const before = process.cpuUsage()
    const { status } = await harness.anonymous.get('/livez')
    expect(status).toBe(200)
    const { user, system } = process.cpuUsage(before)
    longest = Math.max(longest, (user + system) / 1000)
  } while (!isSent)
  await sent
  return longest
}

/**
 * /livez is to answer within 200 ms. Processor time is measured and not the time of day, and the best of three tries
 * counts: a busy machine and a pause of the runtime make one try slow, a slow parser makes all of them slow.
 */
const mostWaitMs = 200

/** A route gets each body of a type that it reads; one that reads none gets one of any type. */
const cases = operations.flatMap((operation, at) => {
  const read = bodies.filter(({ type }) => operation.reads.some((each) => type.startsWith(each)))
  return (read.length > 0 ? read : bodies.slice(at % bodies.length).slice(0, 1)).map((sent) => ({ operation, ...sent }))
})

test('the routes that get hostile bytes are those of webhooks, forms, the console, accounts and all pages', () => {
  const open = new Set(operations.filter(({ isOpen }) => isOpen).map(named))
  for (const route of [
    'POST /v1/webhooks/stripe',
    'POST /v1/webhooks/mail-bounces/{secret}',
    'POST /console/sign-in',
    'POST /account/sign-in',
    'POST /u/{token}',
    'GET /privacy',
    'GET /livez',
  ])
    expect([...open], route).toContain(route)
  expect(new Set(cases.map(({ operation }) => named(operation)))).toEqual(new Set(operations.map(named)))
})

test('/livez waits for no more than 200 ms while any route gets a megabyte of hostile bytes', async () => {
  for (const { operation, name, type, body } of cases) {
    const bytes = body(largest)
    const waits: number[] = []
    do {
      const path = filled(operation.path, 'x')
      waits.push(await longestWait(send(operation.method, path, { 'content-type': type }, bytes)))
    } while (waits.length < 3 && Math.min(...waits) > mostWaitMs)
    expect(Math.min(...waits), `${named(operation)}: ${name}`).toBeLessThan(mostWaitMs)
  }
})

test.each(headers)(
  'headers with $name, as long as all headers may be, do not slow down the API on any route',
  async ({ name, headers: sent }) => {
    for (const operation of partOf(operations, headerNames.indexOf(name))) {
      await expectUnharmed(`${named(operation)}: ${name}`, send(operation.method, filled(operation.path, 'x'), sent))
    }
  },
)

const indexOf = (texts: [string, string][], name: string): number => texts.findIndex(([each]) => each === name)

const pathTexts: [string, string][] = [
  ['letters', line('a')],
  ['dots', line('.a')],
  ['escapes', line('%2e')],
  ['broken escapes', line('%')],
  ['braces', line('{}')],
]

test.each(pathTexts)(
  'a path of %s, as long as all headers may be, does not slow down the API on any route',
  async (name, text) => {
    const withIds = operations.filter(({ path }) => path.includes('{'))
    for (const operation of partOf(withIds, indexOf(pathTexts, name))) {
      const path = operation.path.replace(/\{\w+\}/, text).replaceAll(/\{\w+\}/g, 'x')
      await expectUnharmed(`${named(operation)}: ${name}`, send(operation.method, path, {}))
    }
  },
)

const queryTexts: [string, string][] = [
  ['separators', line('&')],
  ['equal names', line('a=b&')],
  ['brackets', `a${line('[a]')}=b`],
  ['escapes', line('%5b')],
  ['broken escapes', line('%')],
  ['a cursor', `cursor=${line('Ww')}`],
]

test.each(queryTexts)(
  'a query of %s, as long as all headers may be, does not slow down the API on any route',
  async (name, text) => {
    for (const operation of partOf(operations, indexOf(queryTexts, name))) {
      await expectUnharmed(
        `${named(operation)}: ${name}`,
        send(operation.method, `${filled(operation.path, 'x')}?${text}`, {}),
      )
    }
  },
)
