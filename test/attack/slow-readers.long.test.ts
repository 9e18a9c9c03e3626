/** A caller who asks and does not take the answer holds a connection, and the answer in our memory, for a limited time. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'
import { until } from '../harness/until.ts'

const silentMs = 2_000
/** at most a hundred times in a second */
const bytesAtOnce = 64 * 1024
let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness({ receiving: { silentMs } })
})
afterAll(() => harness.stop())

test('a connection on which nobody takes the answer is cut, and one that takes it is not', async () => {
  const { hostname, port } = new URL(harness.url)
  // More than the buffers of the machine take.
  const asked = 'GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(30)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  socket.pause()
  socket.write(asked)
  // 499: closed before the answer was whole.
  await until('it is cut', async () => /status="499"/.test(await harness.api.metrics.registry.metrics()))
  socket.destroy()
  const answer = await harness.call('GET', '/openapi.json')
  expect([answer.status, answer.text.length]).toEqual([200, expect.any(Number)])
})

test('a reader who is slow and takes the answer gets all of it', async () => {
  const { hostname, port } = new URL(harness.url)
  const whole = await harness.call('GET', '/openapi.json')
  // More than the buffers of the machine take, also while they are read.
  const times = Math.ceil(30_000_000 / whole.text.length)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write('GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(times - 1))
  socket.write('GET /openapi.json HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const startedAt = performance.now()
  let bytes = 0
  let answers = 0
  // As a phone on a slow line: something moves all the time, for longer than a silence may last.
  const reading = setInterval(() => {
    const chunk: Buffer | null = socket.read(Math.min(bytesAtOnce, socket.readableLength))
    if (chunk === null) return
    bytes += chunk.length
    answers += chunk.toString('latin1').split('HTTP/1.1 200').length - 1
  }, 10)
  await once(socket, 'end')
  clearInterval(reading)
  expect(performance.now() - startedAt).toBeGreaterThan(2 * silentMs)
  expect([answers, bytes > times * whole.text.length]).toEqual([times, true])
})
