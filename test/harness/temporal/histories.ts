import type { Client } from '@temporalio/client'
import type { Payload, PayloadCodec } from '@temporalio/common'
import proto, { type temporal } from '@temporalio/proto'
import { createLog } from '../../../shared/log.ts'
import { isNotFound } from '../../../temporal/grpc-status.ts'
import { createDataConverter, type PayloadKeyring } from '../../../temporal/payload-codec.ts'
import { loadBundle } from '../../../worker/bundle.ts'
import { failedReplays } from '../../../worker/replay.ts'
import { checkedTypes, faultsOfRun } from '../../model/check-run.ts'
import { readRunEvents } from '../../model/run-events.ts'

export type History = temporal.api.history.v1.IHistory

export interface KeptHistory {
  workflowId: string
  runId: string
  history: History
}

/**
 * The histories of all runs in the namespace, open or closed; runs that are erased meanwhile are left out.
 * @param except ids of runs to leave out
 */
export async function fetchHistories(client: Client, except: ReadonlySet<string> = new Set()): Promise<KeptHistory[]> {
  const histories: KeptHistory[] = []
  for await (const { workflowId, runId } of client.workflow.list()) {
    if (except.has(runId)) continue
    try {
      const history = await client.workflow.getHandle(workflowId, runId).fetchHistory()
      histories.push({ workflowId, runId, history })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }
  return histories
}

/**
 * Replays histories with the current workflows.
 * @throws with each run that does not replay
 */
export async function replay(histories: KeptHistory[], payloadKeys?: PayloadKeyring): Promise<void> {
  if (histories.length === 0) return
  const log = createLog({ level: 'silent' })
  const failed = await failedReplays(
    {
      workflowBundle: await loadBundle({ encrypted: payloadKeys !== undefined, log }),
      dataConverter: createDataConverter(payloadKeys),
      replayName: 'test',
    },
    histories.map(({ workflowId, history }) => ({ workflowId, history })),
  )
  const faults = [...failed].map(([workflowId, error]) => `${workflowId}: ${error.message}`)
  if (faults.length > 0) throw new Error(`${faults.length} run(s) do not replay:\n${faults.join('\n')}`)
}

/**
 * Finds workflow tasks in which the code threw. Temporal retries such a task, and a later attempt can hide the error.
 * @throws with each such task
 */
export function checkTasks(histories: KeptHistory[]): void {
  const faults = histories.flatMap(({ workflowId, history }) =>
    (history.events ?? []).flatMap(({ workflowTaskFailedEventAttributes: failed }) =>
      failed?.cause === codeThrew ? [`${workflowId}: ${failed.failure?.message}`] : [],
    ),
  )
  if (faults.length > 0) throw new Error(`${faults.length} workflow task(s) failed:\n${faults.join('\n')}`)
}

/**
 * Reads the histories of orders, withdrawals and partial refunds as paths of the model (test/model).
 * @throws with each run that does what the model does not allow
 */
export async function checkAgainstModel(histories: KeptHistory[], payloadKeys?: PayloadKeyring): Promise<void> {
  const codecs = createDataConverter(payloadKeys).payloadCodecs ?? []
  const faults: string[] = []
  for (const { workflowId, history } of histories) {
    const type = history.events?.[0]?.workflowExecutionStartedEventAttributes?.workflowType?.name ?? ''
    if (!checkedTypes.includes(type)) continue
    const found = faultsOfRun(await readRunEvents(history, codecs))
    faults.push(...found.map((fault) => `${workflowId}: ${fault}`))
  }
  if (faults.length > 0)
    throw new Error(`${faults.length} fault(s) that the model does not allow:\n${faults.join('\n')}`)
}

const codeThrew =
  proto.temporal.api.enums.v1.WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_WORKFLOW_WORKER_UNHANDLED_FAILURE

/** A history as text, one for each event, with decoded payloads. */
export async function readableEvents(history: History, codecs: PayloadCodec[] = []): Promise<string[]> {
  return await Promise.all((history.events ?? []).map((event) => readable(event, codecs)))
}

/** A message of Temporal as text: its strings, decoded payloads, and bytes as text. */
export async function readable(message: unknown, codecs: PayloadCodec[] = []): Promise<string> {
  const found: string[] = []
  await collect(message, codecs, found)
  return found.join('\n')
}

async function collect(value: unknown, codecs: PayloadCodec[], found: string[]): Promise<void> {
  if (typeof value === 'string') found.push(value)
  else if (value instanceof Uint8Array) found.push(Buffer.from(value).toString('utf8'))
  else if (isPayload(value)) {
    let payloads: Payload[] = [value]
    for (const codec of codecs) payloads = await codec.decode(payloads)
    for (const { data } of payloads) if (data) found.push(Buffer.from(data).toString('utf8'))
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, inner] of Object.entries(value)) {
      found.push(key)
      await collect(inner, codecs, found)
    }
  }
}

function isPayload(value: unknown): value is { metadata: Record<string, Uint8Array>; data?: Uint8Array | null } {
  return typeof value === 'object' && value !== null && 'metadata' in value && 'data' in value
}
