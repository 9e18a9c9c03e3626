import type { Context } from '@temporalio/activity'
import {
  ApplicationFailure,
  ApplicationFailureCategory,
  CancelledFailure,
  CompleteAsyncError,
} from '@temporalio/common'
import type { ActivityInterceptors } from '@temporalio/worker'
import { failures } from '../shared/failures.ts'
import type { Log } from '../shared/log.ts'

const { BENIGN } = ApplicationFailureCategory

/**
 * Lets out of an activity only what may stand in a history: failures of the vocabulary. Whatever else was thrown may
 * quote personal data; it stays in the log, and the history learns its name.
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
          if (isOfVocabulary(error)) throw error.category === BENIGN ? withoutStack(error) : withoutPaths(error)
          log.error(
            {
              error,
              activity: info.activityType,
              attempt: info.attempt,
              workflowRunId: info.workflowExecution?.runId,
            },
            'an activity failed in a way nobody foresaw',
          )
          throw unforeseen(error)
        }
      },
    },
  })
}

/** A cause would be written into the history with its message. */
function isOfVocabulary(error: unknown): error is ApplicationFailure {
  return error instanceof ApplicationFailure && (error.type ?? '') in failures && error.cause === undefined
}

function unforeseen(error: unknown): ApplicationFailure {
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

/** Where something expected came from helps nobody, and to write a stack costs more than the failure. */
function withoutStack<Failure extends Error>(failure: Failure): Failure {
  failure.stack = ''
  return failure
}

const framesOf = (stack: string): string =>
  stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n')

const root = new URL('../', import.meta.url)

function withoutPaths<Failure extends Error>(failure: Failure): Failure {
  if (failure.stack !== undefined) {
    failure.stack = failure.stack.replaceAll(root.href, '').replaceAll(root.pathname, '')
  }
  return failure
}
