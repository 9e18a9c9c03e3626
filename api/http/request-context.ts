import type { Response } from 'express'
import type { Caller } from './caller.ts'

/** What the API knows about a request while it answers it. */
export interface RequestContext {
  requestId: string
  /** the route's template; the path itself must not be logged, since it holds ids and tokens */
  template: string
  caller: Caller
  /** sent by an outside party's machines, which share few addresses: it has a limit of its own */
  webhook: boolean
  /** answered with HTML, as are its errors */
  page: boolean
  /** `performance.now()`, in ms */
  startedAt: number
}

/** @param response one that `beginRequestContext` has seen */
export const requestContextOf = (response: Response): RequestContext => response.locals.requestContext as RequestContext

/** Attaches a request context to a response, before any other middleware runs. */
export function beginRequestContext(response: Response, requestId: string): RequestContext {
  const requestContext: RequestContext = {
    requestId,
    template: 'unknown',
    caller: { kind: 'public' },
    webhook: false,
    page: false,
    startedAt: performance.now(),
  }
  response.locals.requestContext = requestContext
  return requestContext
}
