/** A caller who asks and does not take the answer holds a connection, and the answer in our memory, for a limited time. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ApiHarness, startApiHarness } from '../harness/api/api-harness.ts'
import { until } from '../harness/until.ts'

let harness: ApiHarness
beforeAll(async () => {
  harness = await startApiHarness({ receiving: { silentMs: 2_000 } })
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
