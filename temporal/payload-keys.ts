/** Finds open runs by the payload keys that they need; encrypted payloads have the id of their key in clear. */
import { type Client, isGrpcServiceError } from '@temporalio/client'
import { tsToMs } from '@temporalio/common/lib/time.js'
import { keyIdOf } from './payload-codec.ts'

export interface RunUnderOldKeys {
  workflowId: string
  runId: string
  type: string
  startedAt: Date
  /** the other keys that it needs */
  keyIds: string[]
}

const batchSize = 10
/** gRPC's NOT_FOUND */
const notFound = 5

/**
 * Finds open runs whose history has payloads under another key than `toKey`: they need that key until they close. Reads
 * the whole history of every open run, because a process with an older keyring may have written into any of them.
 * @param onBatch called after every ten histories
 */
export async function* runsUnderOldKeys(
  client: Client,
  toKey: string,
  onBatch: () => void = () => {},
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
    if (batch.length < batchSize) continue
    onBatch()
    for (const run of await Promise.all(batch)) if (run) yield run
    batch = []
  }
  for (const run of await Promise.all(batch)) if (run) yield run
}

/** Milliseconds for which the namespace keeps the history of a closed run. */
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
    // The run was deleted after it was listed.
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
