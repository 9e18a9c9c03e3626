/** Asks a Temporal server by the API of its Web UI, for which Temporal's client need not be loaded. */
import { get } from 'node:http'
import { z } from 'zod'
import { defaultRetentionDays } from '../../temporal/readiness.ts'

interface NamespaceOptions {
  namespace: string
  searchAttributes?: Readonly<Record<string, unknown>>
}

const described = z.object({ config: z.object({ workflowExecutionRetentionTtl: z.string().regex(/^\d+s$/) }) })
const listed = z.object({ customAttributes: z.record(z.string(), z.unknown()) })
const retentionSeconds = defaultRetentionDays * 86_400
const unavailable = 503

/**
 * Whether a namespace has all that it needs.
 * @returns false when something lacks, and when this Web UI does not tell
 * @throws while the server or its Web UI does not answer
 */
export async function namespaceIsComplete(uiUrl: string, options: NamespaceOptions): Promise<boolean> {
  const { namespace, searchAttributes = {} } = options
  const address = `${uiUrl}/api/v1/namespaces/${namespace}`
  const [description, attributes] = await Promise.all([read(address), read(`${address}/search-attributes`)])
  const [{ data: known }, { data: list }] = [described.safeParse(description), listed.safeParse(attributes)]
  if (!known || !list) return false
  return (
    Number.parseInt(known.config.workflowExecutionRetentionTtl, 10) >= retentionSeconds &&
    Object.keys(searchAttributes).every((name) => list.customAttributes[name] !== undefined)
  )
}

/** @returns the JSON of an answer, or undefined for an answer of another kind @throws without an answer */
function read(url: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const request = get(url, { agent: false, timeout: 5_000 }, (response) => {
      const { statusCode } = response
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
      })
      response.on('error', reject)
      response.on('end', () => {
        if (statusCode === unavailable) reject(new Error(`the Web UI answers ${statusCode}: ${text}`))
        else resolve(statusCode === 200 ? parsed(text) : undefined)
      })
    })
    request.on('timeout', () => request.destroy(new Error('the Web UI does not answer')))
    request.on('error', reject)
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
