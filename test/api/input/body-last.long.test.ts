/** The API checks credentials before it reads a body, and limits the time of reading. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Route } from '../../../api/http/route.ts'
import { type ApiHarness, startApiHarness } from '../../harness/api/api-harness.ts'

let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness({
    receiving: { headersMs: 500, requestMs: 500, checkMs: 50 },
    env: { MAIL_BOUNCE_TOKEN: 'x'.repeat(32) },
  })
})
afterAll(() => harness.stop())

const withBody = (): Route[] => harness.routes.filter(({ method }) => !['get', 'head'].includes(method))
const named = ({ method, path }: Route): string => `${method} ${path}`

interface Unfinished {
  /** the status of the answer to a request whose body was not sent */
  status: number
}

/** Announces a body, sends only its first byte, and waits until the server closes the connection. */
async function announce({ method, path, form }: Route): Promise<Unfinished> {
  const { hostname, port } = new URL(harness.url)
  const socket = connect(Number(port), hostname)
  const received: Buffer[] = []
  socket.on('data', (chunk) => received.push(chunk))
  socket.on('error', () => undefined)
  const head = [
    `${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, 'x')} HTTP/1.1`,
    'Host: api.example.com',
    `Content-Type: application/${form ? 'x-www-form-urlencoded' : 'json'}`,
    'Content-Length: 5000',
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n{`)
  await once(socket, 'close')
  return { status: Number(Buffer.concat(received).toString('latin1').split(' ', 2)[1]) }
}

test('a request without credentials is refused before its body is read', async () => {
  const closed = withBody().filter(({ callers }) => !callers.includes('public'))
  const answered = await Promise.all(closed.map(async (route) => [named(route), (await announce(route)).status]))
  expect(answered).toEqual(closed.map((route) => [named(route), 401]))
})

test('a secret in the path and a missing signature are checked before the body is read', async () => {
  const answers = await Promise.all(
    withBody()
      .filter(({ admit, unreadBody }) => admit || unreadBody)
      .map(async (route) => [named(route), (await announce(route)).status]),
  )
  expect(Object.fromEntries(answers)).toEqual({
    'post /u/{token}': 404,
    'post /v1/webhooks/stripe': 400,
    'post /v1/webhooks/esim-access/{secret}': 404,
    'post /v1/webhooks/airalo': 400,
    'post /v1/webhooks/mail-bounces/{secret}': 404,
  })
})

test('the connection of a request whose body does not arrive is closed', async () => {
  const proofInBody = withBody().filter(
    ({ callers, admit, unreadBody }) => callers.includes('public') && !admit && !unreadBody,
  )
  expect(proofInBody.length).toBeGreaterThan(4)
  for (const route of proofInBody)
    expect([named(route), await announce(route)]).toEqual([named(route), { status: 408 }])
})

test('the connection of a request whose headers do not arrive is closed', async () => {
  const { hostname, port } = new URL(harness.url)
  const socket = connect(Number(port), hostname)
  socket.resume()
  socket.write('POST /v1/orders HTTP/1.1\r\nHost: api.example.com\r\n')
  await expect(once(socket, 'close')).resolves.toEqual([false])
})

test('a body of more than a few kilobytes is refused from callers without credentials', async () => {
  const open = withBody().filter(({ callers, rawBody, unreadBody }) => {
    return callers.includes('public') && !rawBody && !unreadBody
  })
  for (const route of open) {
    const type = route.form ? 'application/x-www-form-urlencoded' : 'application/json'
    const sent = { body: 'a'.repeat(8 * 1024 + 1), headers: { 'content-type': type } }
    const { status } = await harness.call(route.method.toUpperCase(), route.path.replaceAll(/\{\w+\}/g, 'x'), sent)
    expect([named(route), status]).toEqual([named(route), 413])
  }
})

test('the body of a webhook has a size limit for each kind of event', async () => {
  const limits = harness.routes.flatMap((route) =>
    route.rawBody ? [[named(route), route.rawBody.maxBytes / 1024]] : [],
  )
  expect(Object.fromEntries(limits)).toEqual({
    'post /v1/webhooks/stripe': 512,
    'post /v1/webhooks/esim-access/{secret}': 64,
    'post /v1/webhooks/airalo': 64,
    'post /v1/webhooks/mail-bounces/{secret}': 1024,
    'post /v1/webhooks/apple': 32,
    'post /v1/webhooks/google': 32,
    'post /v1/webhooks/openid': 32,
  })
  const { status } = await harness.call('POST', '/v1/webhooks/google', { body: 'a'.repeat(32 * 1024 + 1) })
  expect(status).toBe(413)
})
