/** The probes of a worker. */
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

test('a worker with a stuck pool is not alive; one that is not ready yet is alive', async () => {
  expect([await status('/livez'), await status('/readyz')]).toEqual([200, 200])
  state.ready = false
  expect([await status('/livez'), await status('/readyz')]).toEqual([200, 503])
  state.alive = false
  expect([await status('/livez'), await status('/readyz')]).toEqual([503, 503])
})
