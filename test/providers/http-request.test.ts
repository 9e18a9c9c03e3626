/** Whether a request that failed was begun: only then can its outcome be unknown. */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { callProvider } from '../../providers/provider-call.ts'
import { startTlsFront } from '../../sim/firebase/tls-front.ts'
import { failureOf } from './failing.ts'

const sockets = new Set<Socket>()
const servers: Server[] = []
const tls = await startTlsFront(1, [])

/** A party that does this with every connection. */
async function listen(onConnection: (socket: Socket) => void): Promise<number> {
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  servers.push(server)
  return (server.address() as AddressInfo).port
}

afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
  await tls.stop()
})

const pay = (url: string, timeoutMs = 300): Promise<string> =>
  failureOf(callProvider({ provider: 'party', method: 'POST', url, body: 'x', timeoutMs, changes: true }))

test('a certificate that nobody trusts: nothing was sent', async () => {
  expect(await pay(`https://127.0.0.1:${tls.port}`, 10_000)).toBe('unavailable bad_certificate')
})

test('a TLS handshake that is never answered: nothing was sent', async () => {
  const port = await listen(() => undefined)
  expect(await pay(`https://127.0.0.1:${port}`)).toBe('unavailable unreachable')
})

test('nobody listens: nothing was sent', async () => {
  const port = await listen(() => undefined)
  await new Promise((resolve) => servers.pop()?.close(resolve))
  expect(await pay(`http://127.0.0.1:${port}`)).toBe('unavailable unreachable')
})

test('a request without an answer: its outcome is unknown', async () => {
  const port = await listen(() => undefined)
  expect(await pay(`http://127.0.0.1:${port}`)).toBe('unknown_outcome timed_out')
})

test('a connection that is cut behind the request: its outcome is unknown', async () => {
  const port = await listen((socket) => socket.on('data', () => socket.destroy()))
  expect(await pay(`http://127.0.0.1:${port}`, 10_000)).toBe('unknown_outcome connection_lost')
})

test('an answer that stops in the middle: its outcome is unknown', async () => {
  const port = await listen((socket) =>
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')),
  )
  expect(await pay(`http://127.0.0.1:${port}`, 10_000)).toBe('unknown_outcome connection_lost')
})
