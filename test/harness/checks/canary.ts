/** Searches for secrets and personal data in all places that they must not reach. */
import type { Stack } from '../../../dev/stack.ts'
import { keysOf } from '../../../shared/keys-of.ts'
import { createDataConverter } from '../../../temporal/payload-codec.ts'
import { createCaller } from '../http.ts'
import { fetchHistories, readable, readableEvents } from '../temporal/histories.ts'

export interface Finding {
  /** `history order-…`, `log`, `metrics`, `esimAccess received`, ... */
  where: string
  canary: string
  excerpt: string
}

export interface CanaryOptions {
  /** the simulators whose received requests are searched; default: all but those that may get personal data */
  parties?: readonly (keyof Stack['sims'])[]
}

/** Outside parties that get personal data; each new one must get none. */
const mayKnow: readonly string[] = ['stripe', 'apple', 'google', 'firebase', 'mailbox']

const othersOf = (sims: Stack['sims']) => keysOf(sims).filter((name) => !mayKnow.includes(name))

/**
 * Searches decoded histories, visibility records, log lines, metrics and the requests to simulators for each canary: as
 * text, and in URL, base64 and hex encoding.
 * @param canaries the texts by name; findings use the names
 */
export async function findCanaries(
  stack: Stack,
  logLines: readonly string[],
  canaries: Record<string, string>,
  { parties = othersOf(stack.sims) }: CanaryOptions = {},
): Promise<Finding[]> {
  const findings: Finding[] = []
  const forms = Object.entries(canaries).flatMap(([name, text]) => formsOf(text).map((form) => ({ name, form })))
  const search = (where: string, text: string): void => {
    const lower = text.toLowerCase()
    for (const { name, form } of forms) {
      const at = lower.indexOf(form.toLowerCase())
      if (at < 0) continue
      findings.push({ where, canary: name, excerpt: text.slice(Math.max(0, at - 60), at + form.length + 60) })
    }
  }

  const codecs = createDataConverter(stack.config.PAYLOAD_KEYS).payloadCodecs ?? []
  for (const { workflowId, history } of await fetchHistories(stack.temporal)) {
    for (const event of await readableEvents(history, codecs)) search(`history ${workflowId}`, event)
    const { raw } = await stack.temporal.workflow.getHandle(workflowId).describe()
    search(`visibility ${workflowId}`, await readable(raw, codecs))
  }
  for (const line of logLines) search('log', line)
  search('metrics of the API', (await createCaller(stack.urls.api, stack.keys.operator).get('/metrics')).text)
  for (const url of stack.urls.workerMetrics)
    search('metrics of a worker', await (await fetch(`${url}/metrics`)).text())
  for (const simulator of parties) {
    for (const { method, url, headers, body } of await stack.sims[simulator].log()) {
      search(`${simulator} received`, `${method} ${url}\n${JSON.stringify(headers)}\n${body}`)
    }
  }
  return findings
}

function formsOf(text: string): string[] {
  const bytes = Buffer.from(text)
  return [...new Set([text, encodeURIComponent(text), bytes.toString('hex'), ...[0, 1, 2].flatMap(base64Within)])]

  /** The text's part of a longer text's base64, when it begins `offset` bytes after a multiple of three. */
  function base64Within(offset: number): string[] {
    const group = Buffer.concat([Buffer.alloc(offset), bytes])
    const [from, until] = [Math.ceil((offset * 8) / 6), Math.floor((group.length * 8) / 6)]
    return [group.toString('base64').slice(from, until), group.toString('base64url').slice(from, until)]
  }
}
