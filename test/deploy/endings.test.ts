/** What ends a process from outside gives it the time that its own end takes. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { z } from 'zod'
import { defaultAnswering } from '../../api/http/answering.ts'
import { apiDrainMs } from '../../api/server.ts'
import { workerEndsWithinMs } from '../../worker/run-worker.ts'

const root = new URL('../../', import.meta.url)
/** pools and the connection to Temporal are closed, and what is written about outside parties */
const closingMs = 10_000

const pod = z.object({
  terminationGracePeriodSeconds: z.number(),
  containers: z.array(
    z.object({
      lifecycle: z.object({ preStop: z.object({ exec: z.object({ command: z.array(z.string()) }) }) }).optional(),
    }),
  ),
})
const deployment = z.object({ kind: z.literal('Deployment'), spec: z.object({ template: z.object({ spec: pod }) }) })
const compose = z.object({ services: z.record(z.string(), z.object({ stop_grace_period: z.string().optional() })) })

async function graceInKubernetes(file: string): Promise<number> {
  const documents = parseAllDocuments(await readFile(new URL(`ops/kubernetes/${file}`, root), 'utf8'))
  const found = documents.map((each) => deployment.safeParse(each.toJS())).find(({ success }) => success)
  const { terminationGracePeriodSeconds, containers } = found?.data?.spec.template.spec ?? {
    terminationGracePeriodSeconds: 0,
    containers: [],
  }
  const [, seconds = '0'] = containers[0]?.lifecycle?.preStop.exec.command ?? []
  return (terminationGracePeriodSeconds - Number(seconds)) * 1_000
}

async function graceInCompose(service: string): Promise<number> {
  const { services } = compose.parse(
    parse(await readFile(new URL('docker-compose.yml', root), 'utf8'), { merge: true }),
  )
  const [, seconds = '0'] = /^(\d+)s$/.exec(services[service]?.stop_grace_period ?? '') ?? []
  return Number(seconds) * 1_000
}

test('an API that ends answers each request that it has got, also the slowest', () => {
  for (const time of Object.values(defaultAnswering)) expect(apiDrainMs).toBeGreaterThan(time)
})

test.each([
  ['API', apiDrainMs, 'api.yaml', 'api-1'],
  ['worker', workerEndsWithinMs, 'worker.yaml', 'worker-1'],
])('nothing kills the %s before it has ended by itself', async (_what, endsWithinMs, file, service) => {
  const graces = [await graceInKubernetes(file), await graceInCompose(service)]
  for (const grace of graces) expect(grace).toBeGreaterThanOrEqual(endsWithinMs + closingMs)
})
