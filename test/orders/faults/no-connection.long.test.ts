/**
 * U2: paid means delivered or refunded. A provider that no request can have reached does not keep the next one from
 * being asked.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import { generate } from 'selfsigned'
import { afterAll, expect, test } from 'vitest'
import { createContext } from '../../../context.ts'
import { portOf } from '../../../shared/process/listen.ts'
import { startWorker } from '../../../worker/run-worker.ts'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { openHarness } from '../../harness/harness.ts'
import { testPackages } from '../../harness/test-packages.ts'

/** Servers at eSIM Access's address through which no request can get. */
const handling: Record<string, (socket: Socket) => void> = {
  'an untrusted certificate': (socket) => untrusted.emit('connection', socket),
  'a connection cut in the handshake': (socket) => socket.once('data', () => socket.destroy()),
  'a server without TLS': (socket) => socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')),
}
const made = await generate([{ name: 'commonName', value: 'localhost' }], { keyType: 'ec', algorithm: 'sha256' })
let received = ''
const untrusted = createTlsServer({ key: made.private, cert: made.cert }, (socket) =>
  socket
    .on('error', () => undefined)
    .on('data', (chunk) => {
      received += chunk.toString('latin1')
    }),
)
untrusted.on('tlsClientError', () => undefined)
let connections = 0
let handle: (socket: Socket) => void = () => undefined
const server: Server = createServer((socket) => {
  socket.on('error', () => undefined)
  connections += 1
  handle(socket)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const port = portOf(server)

const harness = await openHarness({ workers: 0 })
const { placements, attention } = watchPlacements(harness.stack)
const context = createContext({ ...harness.config, ESIM_ACCESS_URL: `https://localhost:${port}/api/v1/open` })
const worker = await startWorker(
  { ...context, temporal: harness.temporal },
  { environment: harness.stack.settings, drainMs: 1_000 },
)
afterAll(async () => {
  await worker.stop()
  await context.close()
  if (server.listening) await new Promise((resolve) => server.close(resolve))
})

test.each([...Object.keys(handling), 'nobody at the address'])(
  '%s: the next eSIM provider fills an order to which the first one has no connection',
  async (what) => {
    connections = 0
    handle = handling[what] ?? (() => undefined)
    if (!handling[what]) await new Promise((resolve) => server.close(resolve))
    const buyer = await harness.signUp()
    const { id } = await harness.buy(buyer, { packageCode: testPackages.anyProvider, until: 'delivered' })
    expect((await placements(id)).map(({ provider, state }) => `${provider} ${state}`)).toEqual(['airalo provided'])
    expect(connections > 0).toBe(handling[what] !== undefined)
    expect(received).toBe('')
    const tasks =
      what === 'an untrusted certificate' ? [{ kind: 'provider_misconfigured', detail: 'bad_certificate' }] : []
    expect((await attention('esim-access')).slice(0, tasks.length)).toEqual(tasks)
  },
)
