/** Calls runs from the API: within the time that a caller waits, with refusals as problems. */

import { setTimeout as delay } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import {
  type Client,
  ServiceError,
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client'
import { ApplicationFailure, type UpdateDefinition } from '@temporalio/common'
import { failureCode, failureType } from '../../shared/failures.ts'
import { hasStatus, isNotFound } from '../../temporal/grpc-status.ts'
import { type RunStart, updateWithStart } from '../../temporal/runs.ts'
import { Problem } from '../http/problem.ts'
import { type ProblemCode, problemCodeOf } from '../http/problems.ts'

/** Longer than an update can take by its own bounds, shorter than the 30 s after which many callers give up. */
const answerWithinMs = 28_000

/** The problem to answer when the run has closed. */
export interface Ended {
  code: ProblemCode
  detail: string
}

/**
 * Starts, updates or signals a run.
 * @param call gets the deadline for `temporal/runs.ts`, and must be repeatable: an update that arrives while its run
 * closes has to be sent again
 * @throws Problem for a failure of `shared/failures.ts`; request_in_progress after 28 s without an answer; unavailable
 *   when the update was aborted too often. Other errors are passed on unchanged.
 */
export async function callRun<Result>(
  temporal: Client,
  call: (deadline: number) => Promise<Result>,
  ended: Ended,
): Promise<Result> {
  const deadline = Date.now() + answerWithinMs
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await temporal.withDeadline(deadline, () => call(deadline))
    } catch (error) {
      if (!isAborted(error)) throw problemOfWorkflow(error, ended) ?? error
      if (attempts === maxAttempts) throw new Problem('unavailable', { cause: error })
      await delay(pauseMs * 2 ** attempts)
    }
  }
}

/**
 * Starts a run unless it is open, and sends it an update, in one call.
 * @returns undefined when the run has closed and must not start again: its row has the outcome
 * @throws Problem as `callRun` does
 */
export async function startAndUpdate<Result>(
  temporal: Client,
  update: UpdateDefinition<Result, []>,
  start: RunStart,
  ended: Ended,
  updateId?: string,
): Promise<Result | undefined> {
  try {
    return await callRun(
      temporal,
      (deadline) => updateWithStart(temporal, start, update, [], { deadline, updateId }),
      ended,
    )
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined
    throw error
  }
}

const maxAttempts = 7
const pauseMs = 25

/**
 * FAILED_PRECONDITION: the update was neither accepted nor refused, because the workflow task that carried it failed.
 * This happens when the run is about to close, or when many updates of one run arrive at once.
 */
function isAborted(error: unknown): boolean {
  // An update that comes with its start is refused without the SDK's wrapping.
  const refusal = error instanceof ServiceError ? error.cause : error
  return hasStatus(refusal, status.FAILED_PRECONDITION)
}

/** The run was terminated, or has closed, while a handler of the update was at work. */
const isCutOff = (error: unknown): boolean =>
  error instanceof WorkflowUpdateFailedError &&
  error.cause instanceof ApplicationFailure &&
  error.cause.type === 'AcceptedUpdateCompletedWorkflow'

function problemOfWorkflow(error: unknown, ended: Ended): Problem | undefined {
  // When the run closes during an update, the SDK passes on the server's bare gRPC status NOT_FOUND.
  const closed = isNotFound(error)
  if (closed || isCutOff(error) || error instanceof WorkflowNotFoundError)
    return new Problem(ended.code, { detail: ended.detail })
  if (error instanceof WorkflowUpdateFailedError) {
    const type = failureType(error)
    if (!type) return undefined
    const reason = failureCode(error)
    return new Problem(problemCodeOf(type), { detail: reason === undefined ? undefined : `Reason: ${reason}` })
  }
  // The outcome of an update that was cut off is unknown, whichever side noticed first.
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) {
    return new Problem('unavailable', { cause: error })
  }
  if (hasStatus(error, status.DEADLINE_EXCEEDED)) {
    return new Problem('request_in_progress', { cause: error })
  }
  return undefined
}
