/** Finds open runs by the payload keys that they need; encrypted payloads have the id of their key in clear. */
import type { Client } from '@temporalio/client'
import { tsToMs } from '@temporalio/common/lib/time.js'
import { pMapIterable } from 'p-map'
import { isNotFound } from './grpc-status.ts'
import { keyIdOf } from './payload-codec.ts'

export interface RunUnderOldKeys {
  workflowId: string
  runId: string
  type: string
  startedAt: Date
  /** the other keys that it needs */
  keyIds: string[]
}

const historiesAtOnce = 10

/**
 * Finds open runs whose history has payloads under another key than `toKey`: they need that key until they close. Reads
 * the whole history of every open run, because a process with an older keyring may have written into any of them.
 * @param onHistory called after each history
 */
export async function* runsUnderOldKeys(
  client: Client,
  toKey: string,
  onHistory: () => void = () => {},
): AsyncGenerator<RunUnderOldKeys> {
  const open = client.workflow.list({ query: "ExecutionStatus = 'Running'" })
  const found = pMapIterable(
    open,
    async ({ workflowId, runId, type, startTime }) => {
      const keyIds = [...(await keysOf(client, workflowId, runId))].filter((id) => id !== toKey).sort()
      return { workflowId, runId, type, startedAt: startTime, keyIds }
    },
    { concurrency: historiesAtOnce },
  )
  for await (const run of found) {
    onHistory()
    if (run.keyIds.length > 0) yield run
  }
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
    if (!isNotFound(error)) throw error
  }
  return ids
}

function collect(value: unknown, ids: Set<string>): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  const id = keyIdOf(value)
  if (id !== undefined) ids.add(id)
  else for (const inner of Object.values(value)) collect(inner, ids)
}
