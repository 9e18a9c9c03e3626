/** Whether a request that failed was begun: only then can its outcome be unknown. */
import { createServer, type Server, type Socket } from 'node:net'
import { afterAll, expect, test } from 'vitest'
import { callProvider } from '../../providers/provider-call.ts'
import { portOf } from '../../shared/process/listen.ts'
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
  return portOf(server)
}

afterAll(async () => {
  for (const socket of sockets) socket.destroy()
  for (const server of servers) server.close()
  await tls.stop()
})

const pay = (url: string, timeoutMs = 300): Promise<string> =>
  failureOf(callProvider({ provider: 'party', method: 'POST', url, body: 'x', timeoutMs, changes: true }))

test('a call to a party with a certificate that nobody trusts was not sent', async () => {
  expect(await pay(`https://127.0.0.1:${tls.port}`, 10_000)).toBe('unavailable bad_certificate')
})

test('a call whose TLS handshake is never answered was not sent', async () => {
  const port = await listen(() => undefined)
  expect(await pay(`https://127.0.0.1:${port}`)).toBe('unavailable unreachable')
})

test('a call to a port on which nobody listens was not sent', async () => {
  const port = await listen(() => undefined)
  await new Promise((resolve) => servers.pop()?.close(resolve))
  expect(await pay(`http://127.0.0.1:${port}`)).toBe('unavailable unreachable')
})

test('a call without an answer has an unknown outcome', async () => {
  const port = await listen(() => undefined)
  expect(await pay(`http://127.0.0.1:${port}`)).toBe('unknown_outcome timed_out')
})

test('a call whose connection is cut behind the request has an unknown outcome', async () => {
  const port = await listen((socket) => socket.on('data', () => socket.destroy()))
  expect(await pay(`http://127.0.0.1:${port}`, 10_000)).toBe('unknown_outcome connection_lost')
})

test('a call whose answer stops in the middle has an unknown outcome', async () => {
  const port = await listen((socket) =>
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf')),
  )
  expect(await pay(`http://127.0.0.1:${port}`, 10_000)).toBe('unknown_outcome connection_lost')
})
