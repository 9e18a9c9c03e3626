/**
 * Temporal's list of runs is a second store beside their histories, and written behind them. It may keep the row of a
 * run that is gone: the row is deleted while an older write of it is under way, which then inserts it again
 * (docs/decisions/0610-a-row-of-a-run-that-is-gone.md).
 */
import { status } from '@grpc/grpc-js'
import { type Client, Connection, isGrpcServiceError, WorkflowService } from '@temporalio/client'
import type { ConnectionCtorOptions } from '@temporalio/client/lib/connection.js'
import { getGrpcStatusDetails, trimGrpcTypeUrl } from '@temporalio/client/lib/helpers.js'
import { searchAttributes } from '../shared/search-attributes.ts'
import { isNotFound } from './grpc-status.ts'

export interface Run {
  workflowId: string
  runId: string
  /** of a row: whether the list finds it by an account, which it does not for an order's aftercare */
  isOfAccount?: boolean
}

const answerWithinMs = 10_000

/**
 * A connection that reaches Temporal's service for administrators, too. A server without an authorizer, such as the
 * embedded one, takes its calls from everybody, one with an authorizer from administrators of the cluster, Temporal
 * Cloud from nobody.
 */
export class ConnectionWithAdmin extends Connection {
  /** The message has the fields and numbers of the public one: namespace, workflow id, run id. */
  readonly adminService: Pick<WorkflowService, 'deleteWorkflowExecution'>

  protected constructor(options: ConnectionCtorOptions) {
    super(options)
    const { interceptors, metadata } = options.options
    this.adminService = WorkflowService.create(
      Connection.generateRPCImplementation({
        ...options,
        serviceName: 'temporal.server.api.adminservice.v1.AdminService',
        ...(interceptors && { interceptors }),
        staticMetadata: metadata,
      }),
      false,
      false,
    )
  }
}

/** The rows of the list that a query finds. */
export async function listRuns(temporal: Client, query: string): Promise<Run[]> {
  const runs: Run[] = []
  for await (const { workflowId, runId, typedSearchAttributes } of temporal.workflow.list({ query }))
    runs.push({ workflowId, runId, isOfAccount: typedSearchAttributes.get(searchAttributes.accountRef) !== undefined })
  return runs
}

/**
 * Asks the histories, not the list. A namespace that the server does not know, or does not know yet, says nothing about
 * a run.
 */
export async function isGone(temporal: Client, { workflowId, runId }: Run): Promise<boolean> {
  return (await findRun(temporal, { workflowId, runId })) === undefined
}

/**
 * The run, or without a run id the newest one of the workflow id, as the histories know it; undefined when they have
 * none.
 * @throws when Temporal does not answer, or does not know the namespace
 */
export async function findRun(temporal: Client, run: Partial<Run> & { workflowId: string }): Promise<Run | undefined> {
  const { namespace } = temporal.options
  try {
    const { workflowExecutionInfo } = await temporal.workflowService.describeWorkflowExecution({
      namespace,
      execution: run,
    })
    return { workflowId: run.workflowId, runId: workflowExecutionInfo?.execution?.runId ?? '' }
  } catch (error) {
    if (isRunMissing(error)) return undefined
    throw error
  }
}

/** Whether an answer means that Temporal has no such run. */
export function isRunMissing(error: unknown): boolean {
  if (!isNotFound(error) || !isGrpcServiceError(error)) return false
  const causes = (getGrpcStatusDetails(error) ?? []).map(({ type_url: url }) => trimGrpcTypeUrl(url ?? ''))
  return !causes.includes('temporal.api.errordetails.v1.NamespaceNotFoundFailure')
}

/**
 * Deletes the row of a run from Temporal's list, and the run itself if it was there all the same: only for runs that
 * have to go. The public call answers NotFound for a run without a history, and leaves its row.
 * @returns the status of gRPC by which the server refused it; undefined when it has deleted the row
 */
export async function deleteFromList(temporal: Client, { workflowId, runId }: Run): Promise<string | undefined> {
  const { connection } = temporal
  if (!(connection instanceof ConnectionWithAdmin)) return 'UNIMPLEMENTED'
  const { namespace } = temporal.options
  try {
    await temporal.withDeadline(Date.now() + answerWithinMs, () =>
      connection.withMetadata({ 'temporal-namespace': namespace }, () =>
        connection.adminService.deleteWorkflowExecution({ namespace, workflowExecution: { workflowId, runId } }),
      ),
    )
    return undefined
  } catch (error) {
    if (!isGrpcServiceError(error)) throw error
    return status[error.code]
  }
}
