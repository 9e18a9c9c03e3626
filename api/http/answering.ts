/** How long a request may take in all, from its first byte. */
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { DeadlinePassed } from '../../shared/deadline.ts'
import { Problem } from './problem.ts'
import { requestContextOf } from './request-context.ts'
import type { Route } from './route.ts'

/** In milliseconds, for each class of routes. */
export interface AnsweringTimes {
  /** callers give up after about 30 s, and a workflow's update is waited for 28 s */
  usual: number
  /** senders give up after 10 to 30 s, and repeat an event that was not acknowledged */
  webhook: number
  /** probes and scrapers give up after 10 s at most */
  probe: number
}

export const defaultAnswering: AnsweringTimes = { usual: 29_000, webhook: 10_000, probe: 9_000 }

const probes = new Set(['/livez', '/readyz', '/metrics'])

/** How long a route may take to answer, in milliseconds. */
export function answerWithin(route: Route, times: AnsweringTimes): number {
  if (probes.has(route.path)) return times.probe
  return route.rawBody || route.unreadBody ? times.webhook : times.usual
}

/**
 * Answers 503 when a request has not been answered in time. Its work may still be applied: a repetition under the same
 * Idempotency-Key finds it, as after a lost answer.
 * @param fail answers a problem
 */
export function limitTime(limitMs: number, fail: ErrorRequestHandler): RequestHandler {
  return (request, response, next) => {
    const context = requestContextOf(response)
    context.deadline = context.startedAt + limitMs
    const timer = setTimeout(() => {
      // A long answer that has begun goes on.
      if (response.headersSent) return
      const cause = new DeadlinePassed(`not answered within ${limitMs} ms`)
      fail(new Problem('unavailable', { cause }), request, response, () => undefined)
      context.isLate = true
    }, context.deadline - performance.now())
    response.once('close', () => clearTimeout(timer))
    next()
  }
}
