/** What a worker says about itself to those who restart it. */
import { afterAll, expect, test } from 'vitest'
import { createMetrics } from '../../shared/metrics.ts'
import { serveMetrics } from '../../worker/metrics-server.ts'

const state = { alive: true, ready: true }
const probes = await serveMetrics(
  createMetrics(),
  { isAlive: () => state.alive, isReady: () => state.ready },
  0,
  '127.0.0.1',
)
afterAll(() => probes.stop())

const status = async (path: string) => (await fetch(`http://127.0.0.1:${probes.port}${path}`)).status

test('a worker whose pool is stuck is not alive, and one that cannot work yet is', async () => {
  expect([await status('/livez'), await status('/readyz')]).toEqual([200, 200])
  state.ready = false
  expect([await status('/livez'), await status('/readyz')]).toEqual([200, 503])
  state.alive = false
  expect([await status('/livez'), await status('/readyz')]).toEqual([503, 503])
})
