/**
 * Adds kept histories: `node --import tsx test/replay/keep.ts` plays every scenario without one; with names of
 * scenarios, it plays those again. It adds files and their lines in the manifest and never overwrites one, because runs
 * of old code have to replay for as long as they may be open.
 */
import { mkdir, writeFile } from 'node:fs/promises'
import { homedir, hostname } from 'node:os'
import { fileURLToPath } from 'node:url'
import type { PayloadCodec } from '@temporalio/common'
import { historyToJSON, JSONToPayload, payloadToJSON } from '@temporalio/common/lib/proto-utils.js'
import { z } from 'zod'
import type { Settings } from '../../dev/stack-settings.ts'
import { createDataConverter, keyIdOf } from '../../temporal/payload-codec.ts'
import { type Product, startProduct } from '../harness/product.ts'
import type { History } from '../harness/temporal/histories.ts'
import { until } from '../harness/until.ts'
import { keptFolder, readKept } from './kept.ts'
import { listNewHistories } from './manifest.ts'
import { scenarios, settingsOf } from './scenarios.ts'

/** Fields of events that replays do not read: numbers of the server, and the build. */
const ballast = new Set(['taskId', 'workerVersion'])

const jsonPayload = z.object({ metadata: z.record(z.string(), z.string()), data: z.string() })

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in scenarios))
if (unknown.length > 0)
  throw new Error(`no scenario ${unknown.join(', ')}; there are ${Object.keys(scenarios).join(', ')}`)

await mkdir(keptFolder, { recursive: true })
const kept = await readKept()
const names =
  asked.length > 0 ? asked : Object.keys(scenarios).filter((name) => !kept.some((one) => one.scenario === name))
await listNewHistories()
let product: { settings: Settings; open: Product } | undefined
try {
  for (const name of names) console.log(`kept ${await keep(await productFor(settingsOf(name)), name)}`)
} catch (error) {
  console.error(product?.open.logLines.filter((line) => /"level":"(?:error|fatal)"/.test(line)).join('\n'))
  throw error
} finally {
  await product?.open.stop()
}

async function productFor(settings: Settings): Promise<Product> {
  if (product?.settings !== settings) {
    await product?.open.stop()
    product = { settings, open: await startProduct({ settings }) }
  }
  return product.open
}

async function keep(running: Product, name: string): Promise<string> {
  const workflowId = await scenarios[name]?.(running)
  if (workflowId === undefined) throw new Error(`no scenario ${name}`)
  const run = running.temporal.workflow.getHandle(workflowId, await runOf(running, workflowId))
  await until('the run waits or has ended', async () => !(await run.describe()).raw.pendingWorkflowTask)
  const text = impersonal(await inClear(await run.fetchHistory(), running))
  const number = Math.max(0, ...kept.filter(({ scenario }) => scenario === name).map((one) => one.number)) + 1
  const file = new URL(`${name}.${number}.json`, keptFolder)
  await writeFile(file, text, { flag: 'wx' })
  await listNewHistories()
  await reset(running)
  return `${name}.${number}`
}

/** The newest run; the only one that is left where a scenario has deleted its continuation. */
async function runOf({ temporal }: Product, workflowId: string): Promise<string> {
  for await (const { runId } of temporal.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    const newest = await temporal.workflow
      .getHandle(workflowId)
      .describe()
      .catch(() => undefined)
    return newest?.runId ?? runId
  }
  throw new Error(`${workflowId} is gone`)
}

/** One event a line, and not encrypted, so that replays and readers need no keys. */
async function inClear(history: History, { config }: Product): Promise<string> {
  const codecs = createDataConverter(config.PAYLOAD_KEYS).payloadCodecs ?? []
  const { events } = z
    .object({ events: z.array(z.unknown()) })
    .parse(await decoded(JSON.parse(historyToJSON(history)), codecs))
  const lines = events.map((event) => JSON.stringify(event, (key, value) => (ballast.has(key) ? undefined : value)))
  return `{"events":[\n${lines.join(',\n')}\n]}\n`
}

async function decoded(value: unknown, codecs: PayloadCodec[]): Promise<unknown> {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Promise.all(value.map((each) => decoded(each, codecs)))
  if ('metadata' in value && 'data' in value) {
    const payload = JSONToPayload(jsonPayload.parse(value))
    if (keyIdOf(payload) === undefined) return value
    let payloads = [payload]
    for (const codec of codecs) payloads = await codec.decode(payloads)
    return payloads[0] && payloadToJSON(payloads[0])
  }
  const entries = Object.entries(value).map(async ([key, inner]) => [key, await decoded(inner, codecs)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

/** Removes the names of this machine and of its processes. @throws when one is in an unexpected place */
function impersonal(history: string): string {
  const root = fileURLToPath(new URL('../../', import.meta.url))
  const text = history
    .replace(/"\d+@[^"]+"/g, '"a process"')
    .replaceAll(root, '')
    .replace(/(?:\/[\w.-]+)+\/node_modules\//g, 'node_modules/')
  for (const trace of [hostname(), homedir(), root, root.slice(0, -1)]) {
    if (text.includes(trace) && trace.length > 3) throw new Error(`the history names ${trace}`)
  }
  return text
}

/** Resets the simulators for the next scenario. */
async function reset({ sims }: Product): Promise<void> {
  const { stripe, esimAccess, airalo, mailbox, meta, googleAnalytics } = sims
  await Promise.all([stripe, esimAccess, airalo, mailbox, meta, googleAnalytics].map((simulator) => simulator.reset()))
}
