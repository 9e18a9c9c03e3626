/**
 * A client whose Temporal keeps rows of runs that are gone in its list, as a server does after a late write (decision
 * 0610). It stands at the client's own connection: everything else is answered by the real server.
 */
import { InterceptingCall, type Interceptor, Metadata, status } from '@grpc/grpc-js'
import { Client } from '@temporalio/client'
import proto from '@temporalio/proto'
import { temporalSettings } from '../../../temporal/client.ts'
import { ConnectionWithAdmin, type Run } from '../../../temporal/listed-runs.ts'
import { createDataConverter } from '../../../temporal/payload-codec.ts'
import type { Product } from '../product.ts'

const v1 = proto.temporal.api.workflowservice.v1

export type Row = proto.temporal.api.workflow.v1.IWorkflowExecutionInfo

export interface KeptRows {
  rows: Row[]
  /** whether a list has the rows; each list by default */
  lists?(query: string): boolean
  /** how many lists have the rows before they are gone by themselves */
  goneAfter?: number
  /** the server does not take calls of administrators, and answers PERMISSION_DENIED or so */
  refusesAdmins?: boolean | status
  /** whether the server refuses a list */
  refusesList?(query: string): boolean
  /** the server answers that it deletes a run, and does not */
  keepsRuns?: boolean
}

export interface KeepingClient {
  client: Client
  /** the runs whose row the service for administrators was asked to delete */
  removals: Run[]
  close(): Promise<void>
}

/** The rows as the server lists them. */
export async function rowsOf({ temporal }: Pick<Product, 'temporal'>, query: string): Promise<Row[]> {
  const { namespace } = temporal.options
  return (await temporal.workflowService.listWorkflowExecutions({ namespace, query })).executions
}

export function connectWithKeptRows(
  { config, settings }: Pick<Product, 'config' | 'settings'>,
  kept: KeptRows,
): KeepingClient {
  const removals: Run[] = []
  let rows = [...kept.rows]
  let lists = 0

  const keep: Interceptor = (options, nextCall) => {
    const [service = '', method = ''] = options.method_definition.path.split('/').slice(1)
    const isAdmin = service.endsWith('AdminService')
    if (isAdmin && kept.refusesAdmins) {
      const refusal = kept.refusesAdmins === true ? status.PERMISSION_DENIED : kept.refusesAdmins
      return new InterceptingCall(answered(refusal, requested))
    }
    if (!isAdmin && method === 'DeleteWorkflowExecution' && kept.keepsRuns)
      return new InterceptingCall(answered(status.OK))
    let asked: Buffer = Buffer.alloc(0)
    return new InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        next(metadata, {
          onReceiveMessage(message: Buffer, nextMessage) {
            nextMessage(method === 'ListWorkflowExecutions' ? withRows(asked, message) : message)
          },
          onReceiveStatus(result, nextStatus) {
            if (isAdmin && result.code === status.OK) {
              const { runId } = requested(asked)
              rows = rows.filter(({ execution }) => execution?.runId !== runId)
            }
            const isRefused = method === 'ListWorkflowExecutions' && kept.refusesList?.(queryOf(asked))
            nextStatus(isRefused ? { ...result, code: status.INVALID_ARGUMENT, details: 'invalid query' } : result)
          },
        })
      },
      sendMessage(message: Buffer, next) {
        asked = message
        next(message)
      },
    })
  }

  function requested(message: Buffer): Run {
    const { workflowExecution } = v1.DeleteWorkflowExecutionRequest.decode(message)
    const run = { workflowId: workflowExecution?.workflowId ?? '', runId: workflowExecution?.runId ?? '' }
    removals.push(run)
    return run
  }

  function queryOf(asked: Buffer): string {
    return v1.ListWorkflowExecutionsRequest.decode(asked).query
  }

  function withRows(asked: Buffer, answer: Buffer): Buffer {
    if (kept.lists?.(queryOf(asked)) === false) return answer
    lists += 1
    if (lists > (kept.goneAfter ?? Number.POSITIVE_INFINITY)) return answer
    const { executions, nextPageToken } = v1.ListWorkflowExecutionsResponse.decode(answer)
    return Buffer.from(
      v1.ListWorkflowExecutionsResponse.encode({ executions: [...executions, ...rows], nextPageToken }).finish(),
    )
  }

  const { connection: options, namespace = 'default' } = temporalSettings(config, settings)
  const connection = ConnectionWithAdmin.lazy({ ...options, interceptors: [keep] })
  const client = new Client({ connection, namespace, dataConverter: createDataConverter(config.PAYLOAD_KEYS) })
  return { client, removals, close: () => connection.close() }
}

/** A call that does not reach the server. */
function answered(code: status, onMessage: (message: Buffer) => unknown = () => undefined) {
  let end = (): void => undefined
  const call: ConstructorParameters<typeof InterceptingCall>[0] = {
    start(_metadata, listener) {
      end = () => {
        if (code === status.OK) listener?.onReceiveMessage?.(Buffer.alloc(0))
        listener?.onReceiveStatus?.({ code, details: 'not for you', metadata: new Metadata() })
      }
    },
    sendMessage: onMessage,
    sendMessageWithContext: (_context, message: Buffer) => void onMessage(message),
    startRead() {},
    halfClose: () => end(),
    cancelWithStatus() {},
    getPeer: () => '',
    getAuthContext: () => null,
  }
  return call
}
