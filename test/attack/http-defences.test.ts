/** Browsers and proxies: headers of every answer, methods, and where one request ends and the next begins. */
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import pMap from 'p-map'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { languageCookie } from '../../api/language/request-language.ts'
import { endedNotice, noticeCookie } from '../../api/sign-in/notice-cookie.ts'
import { sessionCookie, signOutHeaders } from '../../api/sign-in/session-cookie.ts'
import { beginAttempt } from '../../api/sign-in/sign-in-attempt.ts'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'

let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness({
    answering: { usual: 1_000 },
    // Long enough for a busy machine: a request that is late is answered without any header.
    receiving: { headersMs: 10_000, requestMs: 10_000, checkMs: 50 },
  })
})
afterAll(() => harness.stop())

const directivesOf = (policy: string | null): Map<string, string> =>
  new Map(
    (policy ?? '').split(';').map((directive) => {
      const [name = '', ...values] = directive.trim().split(' ')
      return [name, values.join(' ')]
    }),
  )

test('every route sends the security headers to a caller without a key, and its policy allows no other site', {
  tags: 'long',
}, async () => {
  const answers = await pMap(
    harness.routes,
    async ({ method, path }) => {
      const address = path.replaceAll(/\{\w+\}/g, randomUUID())
      const { headers } = await harness.call(method.toUpperCase(), address, { headers: { accept: 'text/html' } })
      return { route: `${method} ${path}`, headers }
    },
    { concurrency: 4 },
  )
  for (const { route, headers } of answers) {
    const header = (name: string) => headers.get(name)
    expect(header('strict-transport-security'), route).toBe('max-age=31536000; includeSubDomains')
    expect(header('x-content-type-options'), route).toBe('nosniff')
    if (header('content-type')) expect(header('content-type'), route).toMatch(/; charset=utf-8$/)
    expect(header('referrer-policy'), route).toMatch(/^(?:no-referrer|strict-origin)$/)
    expect(header('access-control-allow-origin'), route).toBeNull()
    const policy = directivesOf(header('content-security-policy'))
    expect(policy.get('default-src'), route).toBe("'none'")
    expect(policy.get('base-uri'), route).toBe("'none'")
    expect(policy.get('frame-ancestors'), route).toBe("'none'")
    for (const value of policy.values()) expect(value, route).not.toMatch(/unsafe|https?:|\*/)
  }
})

test('each cookie is bound to the host, hidden from scripts, and not sent by other sites but for what a link needs', () => {
  const site = 'https://api.example.com'
  const { cookie: attempt } = beginAttempt(harness.api, undefined, new Date())
  const made: [cookie: string, name: string, maxAge: number, sameSite: string][] = [
    [sessionCookie('visitor', 'x', 60_000, site), 'ama-account', 60, 'Strict'],
    [sessionCookie('console', 'x', 60_000, site), 'ama-console', 60, 'Strict'],
    [noticeCookie('profile', site), 'ama-notice', 60, 'Strict'],
    [endedNotice(site), 'ama-notice', 0, 'Strict'],
    [attempt, 'ama-operator-sign-in', 600, 'Lax'],
    [languageCookie('de', site), 'lang', 31_536_000, 'Lax'],
  ]
  for (const [cookie, name, maxAge, sameSite] of made) {
    const [first = '', ...parts] = cookie.split('; ')
    expect(first).toMatch(new RegExp(`^__Host-${name}=`))
    expect(parts.sort(), name).toEqual(
      ['HttpOnly', `Max-Age=${maxAge}`, 'Path=/', `SameSite=${sameSite}`, 'Secure'].sort(),
    )
  }
})

test.each([
  ['__Host-lang=de', 'de'],
  // Over HTTP, or chosen before the cookie had the prefix.
  ['lang=sq', 'sq'],
  ['lang=sq; __Host-lang=de', 'de'],
  ['__Host-lang=fr', 'en'],
])('a page is read in the language of the cookie: %s', async (cookie, language) => {
  const { headers } = await harness.call('GET', '/account/sign-in', { headers: { accept: 'text/html', cookie } })
  expect(headers.get('content-language')).toBe(language)
})

test('a fault of ours is told by fixed words alone, as a problem and as a page, and logged as an error', async () => {
  const { sql } = harness.api
  await sql`alter table policies rename to planted`
  try {
    for (const accept of ['application/json', 'text/html']) {
      harness.logged.length = 0
      const path = accept === 'text/html' ? '/privacy' : '/v1/policies'
      const { status, text, headers } = await harness.call('GET', path, { headers: { accept } })
      expect([path, status]).toEqual([path, 500])
      expect(text).toContain(headers.get('x-request-id'))
      expect(text).not.toMatch(/relation|exist|42P01|\.tsx?\b|node_modules|\n +at /)
      expect(harness.logged.filter((line) => line.includes('"level":"error"')).join('')).toContain('42P01')
    }
  } finally {
    await sql`alter table planted rename to policies`
  }
})

test('a sign-out deletes the cookie and what the browser has kept', () => {
  const headers = signOutHeaders('console', 'https://api.example.com')
  expect(headers['Set-Cookie']).toContain('Max-Age=0')
  expect(headers['Clear-Site-Data']).toBe('"cache", "storage"')
})

/** Everything that the API answers to bytes until it closes the connection. */
async function answersTo(bytes: string): Promise<string> {
  const { hostname, port } = new URL(harness.url)
  const socket = connect(Number(port), hostname)
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  socket.on('error', () => undefined)
  socket.write(Buffer.from(bytes, 'latin1'))
  await once(socket, 'close')
  return Buffer.concat(received).toString('latin1')
}

const statusesIn = (answers: string): number[] =>
  [...answers.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))

const lines = (...texts: string[]): string => texts.join('\r\n')
/** A second request, which a proxy in front would take for the body of the first. */
const hidden = lines('GET /v1/orders HTTP/1.1', 'Host: api.example.com', 'Connection: close', '', '')
const post = (...headers: string[]): string =>
  lines('POST /v1/accounts HTTP/1.1', 'Host: api.example.com', 'Content-Type: application/json', ...headers)

test.each<[string, string]>([
  ['both lengths', post('Content-Length: 4', 'Transfer-Encoding: chunked', '', '0', '', hidden)],
  ['both lengths in the other order', post('Transfer-Encoding: chunked', 'Content-Length: 4', '', '0', '', hidden)],
  ['two lengths', post('Content-Length: 0', `Content-Length: ${hidden.length}`, '', hidden)],
  ['a length with a sign', post('Content-Length: +0', '', hidden)],
  ['a length of two numbers', post(`Content-Length: 0, ${hidden.length}`, '', hidden)],
  ['a length that is hexadecimal', post('Content-Length: 0x0', '', hidden)],
  ['an encoding that is not chunked', post('Transfer-Encoding: xchunked', '', hidden)],
  ['an encoding after chunked', post('Transfer-Encoding: chunked, identity', '', '0', '', hidden)],
  ['a blank before the colon', post('Transfer-Encoding : chunked', 'Content-Length: 0', '', hidden)],
  ['a folded header', post('X: a', ' Transfer-Encoding: chunked', 'Content-Length: 0', '', hidden)],
  ['a chunk with a size that is none', post('Transfer-Encoding: chunked', '', 'zz', '', hidden)],
  ['a chunk without its end', post('Transfer-Encoding: chunked', '', '1', `ab${hidden}`)],
  ['NUL in a header', post('X: a\0b', 'Content-Length: 0', '', hidden)],
  ['a carriage return alone', `POST /v1/accounts HTTP/1.1\rHost: a\r\r${hidden}`],
  ['no host', lines('POST /v1/accounts HTTP/1.1', 'Content-Length: 0', '', hidden)],
])('a request with %s is refused, and nothing after it is answered', async (_what, bytes) => {
  const [first = 0, ...more] = statusesIn(await answersTo(bytes))
  // Without credentials it may be refused before its body is looked at; the rest is no request then.
  expect([[400, 401, 408].includes(first), more.filter((status) => status !== 400)]).toEqual([true, []])
})

test('headers of more than 16 kB are refused without a body, before a route is known', async () => {
  const answer = await answersTo(lines('GET /livez HTTP/1.1', 'Host: a', `X: ${'a'.repeat(17_000)}`, '', ''))
  expect(answer).toMatch(/^HTTP\/1\.1 431 [^\r]*\r\nConnection: close\r\n\r\n$/)
})

test('a whole request after another is answered on its own', async () => {
  const first = lines('GET /livez HTTP/1.1', 'Host: api.example.com', '', '')
  expect(statusesIn(await answersTo(first + hidden))).toEqual([200, 401])
})

test.each(['TRACE', 'OPTIONS', 'PROPFIND', 'LINK', 'PURGE', 'M-SEARCH'])(
  'the method %s is served nowhere',
  async (method) => {
    for (const path of ['/v1/packages', '/livez', '/console', '/v1/webhooks/stripe']) {
      const request = lines(
        `${method} ${path} HTTP/1.1`,
        'Host: a',
        'Authorization: Bearer x',
        'Connection: close',
        '',
        '',
      )
      const answer = await answersTo(request)
      expect([path, statusesIn(answer)]).toEqual([path, [405]])
      expect(answer).not.toContain('Bearer x')
    }
  },
)

test('an expectation that nobody knows changes no answer', async () => {
  for (const [path, status] of [
    ['/livez', 200],
    ['/v1/orders', 401],
  ] as const) {
    const answer = await answersTo(
      lines(`GET ${path} HTTP/1.1`, 'Host: a', 'Expect: 103-early', 'Connection: close', '', ''),
    )
    expect([path, statusesIn(answer)]).toEqual([path, [status]])
    expect(answer).toMatch(/\r\nX-Content-Type-Options: nosniff\r\n/i)
  }
})

test('CONNECT and an upgrade are not served', async () => {
  const tunnel = lines('CONNECT 127.0.0.1:5432 HTTP/1.1', 'Host: a', '', '')
  expect(statusesIn(await answersTo(tunnel))).toEqual([])
  const upgrade = lines('GET /livez HTTP/1.1', 'Host: a', 'Connection: close, upgrade', 'Upgrade: websocket', '', '')
  expect(statusesIn(await answersTo(upgrade))).toEqual([200])
})
