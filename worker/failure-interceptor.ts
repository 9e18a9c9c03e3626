import type { Context } from '@temporalio/activity'
import {
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
  CompleteAsyncError,
} from '@temporalio/common'
import type { ActivityInterceptors } from '@temporalio/worker'
import { failures } from '../shared/failures.ts'
import { framesOf, type Log } from '../shared/log.ts'

const { BENIGN } = ApplicationFailureCategory

/**
 * Lets activities fail only with the failure types of shared/failures.ts. Other errors may quote personal data, so the
 * history gets only their name and the log gets the rest.
 */
export function failureInterceptor(log: Log): (context: Context) => ActivityInterceptors {
  return ({ info, cancellationSignal }) => ({
    inbound: {
      async execute(input, next) {
        try {
          return await next(input)
        } catch (error) {
          if (error instanceof CompleteAsyncError || error instanceof CancelledFailure) throw error
          if (cancellationSignal.aborted && error instanceof Error && error.name === 'AbortError') throw error
          if (isKnownFailure(error)) throw error.category === BENIGN ? withoutStack(error) : withoutPaths(error)
          log.error(
            {
              error,
              activity: info.activityType,
              attempt: info.attempt,
              workflowRunId: info.workflowExecution?.runId,
            },
            'an activity failed in a way nobody foresaw',
          )
          throw unexpected(error)
        }
      },
    },
  })
}

/** A failure with a cause does not count: the message of the cause would go into the history. */
function isKnownFailure(error: unknown): error is ApplicationFailure {
  return error instanceof ApplicationFailure && (error.type ?? '') in failures && error.cause === undefined
}

function unexpected(error: unknown): ApplicationFailure {
  const type = error instanceof Error ? error.name : typeof error
  const failure = ApplicationFailure.create({
    type,
    message: 'Unforeseen: the log of the worker says more',
    nonRetryable: error instanceof ApplicationFailure && error.nonRetryable === true,
  })
  if (error instanceof Error && error.stack !== undefined) {
    failure.stack = `${type}\n${framesOf(error.stack)}`
  }
  return withoutPaths(failure)
}

/** Benign failures happen in normal operation: their stack is of no use, and takes more space than the failure. */
function withoutStack<Failure extends Error>(failure: Failure): Failure {
  failure.stack = ''
  return failure
}

const root = new URL('../', import.meta.url)

function withoutPaths<Failure extends Error>(failure: Failure): Failure {
  if (failure.stack !== undefined) {
    failure.stack = failure.stack.replaceAll(root.href, '').replaceAll(root.pathname, '')
  }
  return failure
}
