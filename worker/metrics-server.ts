import { createServer } from 'node:http'
import type { Metrics } from '../shared/metrics.ts'
import { listenOn } from '../shared/process/listen.ts'

export interface WorkerProbes {
  /** false when only a restart helps; must not wait for anything */
  isAlive(): boolean
  isReady(): boolean | Promise<boolean>
  /** `host:port` of the SDK's own metrics */
  sdkMetricsAddress?: string | undefined
}

/** Serves `/livez`, `/readyz` and `/metrics` (ours and the SDK's together) of a worker. @param port 0 for a free one */
export async function serveMetrics(metrics: Metrics, probes: WorkerProbes, port: number, host = '127.0.0.1') {
  const server = createServer(async (request, response) => {
    const answer = (status: number, body: string, type = 'text/plain'): void => {
      response.writeHead(status, { 'content-type': type }).end(body)
    }
    if (request.method !== 'GET') return answer(405, 'GET only\n')
    if (request.url === '/livez') return probes.isAlive() ? answer(200, 'alive\n') : answer(503, 'stuck\n')
    if (request.url === '/readyz') return (await probes.isReady()) ? answer(200, 'ready\n') : answer(503, 'not ready\n')
    if (request.url !== '/metrics') return answer(404, 'not found\n')
    const own = await metrics.registry.metrics()
    answer(200, own + (await sdkMetrics(probes.sdkMetricsAddress)), metrics.registry.contentType)
  })
  const actual = await listenOn(server, port, host)
  return {
    port: actual,
    stop: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Returns an empty text while the SDK does not answer, so that our own metrics are served anyway. */
async function sdkMetrics(address: string | undefined): Promise<string> {
  if (address === undefined) return ''
  try {
    const response = await fetch(`http://${address}/metrics`, { signal: AbortSignal.timeout(2_000) })
    return response.ok ? await response.text() : ''
  } catch {
    return ''
  }
}
