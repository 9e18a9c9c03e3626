/** Which open runs need which payload keys: encrypted payloads name theirs in clear. */
import { type Client, isGrpcServiceError } from '@temporalio/client'
import { tsToMs } from '@temporalio/common/lib/time.js'
import { keyIdOf } from './payload-codec.ts'

export interface RunUnderOldKeys {
  workflowId: string
  runId: string
  type: string
  startedAt: Date
  /** the keys it needs besides */
  keyIds: string[]
}

const atOnce = 10
/** gRPC's NOT_FOUND */
const notFound = 5

/**
 * Open runs whose history holds anything under another key than `toKey`. They need that key for as long as they are
 * open. Reads every open run's whole history, since a process with an older keyring may have written into any of them.
 * @param tick called now and then while it lasts
 */
export async function* runsUnderOldKeys(
  client: Client,
  toKey: string,
  tick: () => void = () => {},
): AsyncGenerator<RunUnderOldKeys> {
  let batch: Promise<RunUnderOldKeys | undefined>[] = []
  for await (const { workflowId, runId, type, startTime } of client.workflow.list({
    query: "ExecutionStatus = 'Running'",
  })) {
    batch.push(
      keysOf(client, workflowId, runId).then((ids) => {
        const keyIds = [...ids].filter((id) => id !== toKey).sort()
        return keyIds.length > 0 ? { workflowId, runId, type, startedAt: startTime, keyIds } : undefined
      }),
    )
    if (batch.length < atOnce) continue
    tick()
    for (const run of await Promise.all(batch)) if (run) yield run
    batch = []
  }
  for (const run of await Promise.all(batch)) if (run) yield run
}

/** How long the namespace keeps a run's history after its end, milliseconds. */
export async function closedRunsAreKeptMs(client: Client): Promise<number> {
  const { namespace } = client.options
  const { config } = await client.workflowService.describeNamespace({ namespace })
  return tsToMs(config?.workflowExecutionRetentionTtl)
}

async function keysOf(client: Client, workflowId: string, runId: string): Promise<Set<string>> {
  const ids = new Set<string>()
  try {
    collect(await client.workflow.getHandle(workflowId, runId).fetchHistory(), ids)
  } catch (error) {
    // Erased between the list and the look: it needs nothing any more.
    if (!(isGrpcServiceError(error) && error.code === notFound)) throw error
  }
  return ids
}

function collect(value: unknown, ids: Set<string>): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  const id = keyIdOf(value)
  if (id !== undefined) ids.add(id)
  else for (const inner of Object.values(value)) collect(inner, ids)
}
