/**
 * The image's health check: API and worker on their ports, whichever of them listen here. A process that is alive but
 * waits for the database or Temporal is healthy, since a restart would not help it.
 */
const { API_PORT = '8080', WORKER_METRICS_PORT = '9464' } = process.env
const answers = await Promise.all(
  [API_PORT, WORKER_METRICS_PORT].map((port) =>
    fetch(`http://127.0.0.1:${port}/livez`, { signal: AbortSignal.timeout(4_000) }).then(
      ({ status }) => status,
      (error) => (error?.cause?.code === 'ECONNREFUSED' ? undefined : 0),
    ),
  ),
)
const here = answers.filter((status) => status !== undefined)
process.exit(here.length > 0 && here.every((status) => status === 200) ? 0 : 1)
