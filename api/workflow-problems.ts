/** What workflows refuse, as the API says it. */
import { setTimeout as delay } from 'node:timers/promises'
import { isGrpcServiceError, ServiceError, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client'
import { failureCode, failureType } from '../workflows/failures.ts'
import { Problem } from './problem.ts'
import { type ProblemCode, problemCodeOf, problems } from './problems.ts'

/** Longer than any update's own bounds, shorter than the request's. */
export const answerWithinMs = 28_000

/**
 * Calls a workflow.
 * @param call an update, repeatable: one that arrives while its run comes to an end may have to be sent again
 * @param ended what to answer when the run is over
 * @throws Problem for a refusal of the vocabulary; anything else as it was
 */
export async function asProblem<Result>(
  call: () => Promise<Result>,
  ended: { code: ProblemCode; detail: string },
): Promise<Result> {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await call()
    } catch (error) {
      if (!isAborted(error) || attempts === maxAttempts) throw problemOfWorkflow(error, ended) ?? error
      await delay(attempts * pauseMs)
    }
  }
}

const maxAttempts = 5
const pauseMs = 50

/** Neither taken nor refused: the task that was to take it failed, as it does when the run was about to close. */
const isAborted = (error: unknown): boolean =>
  error instanceof ServiceError && isGrpcServiceError(error.cause) && error.cause.code === failedPrecondition
const failedPrecondition = 9

function problemOfWorkflow(error: unknown, ended: { code: ProblemCode; detail: string }): Problem | undefined {
  // An update whose run closes under it has no error of its own.
  const closed = isGrpcServiceError(error) && error.code === 5
  if (closed || error instanceof WorkflowNotFoundError) return new Problem(ended.code, { detail: ended.detail })
  if (error instanceof WorkflowUpdateFailedError) {
    const type = failureType(error)
    if (!type) return undefined
    const reason = failureCode(error)
    const code = problemCodeOf(type)
    return new Problem(code, {
      detail: reason === undefined ? undefined : `Reason: ${reason}`,
      headers: problems[code].status === 503 ? { 'Retry-After': '5' } : undefined,
    })
  }
  if (isGrpcServiceError(error) && error.code === 4) {
    return new Problem('request_in_progress', { headers: { 'Retry-After': '5' }, cause: error })
  }
  return undefined
}
