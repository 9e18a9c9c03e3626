import type { Response } from 'express'
import type { Caller } from './caller.ts'

/** What the frame knows about a request while it is answered. */
export interface RequestContext {
  requestId: string
  /** the route's template, never the address itself, which holds ids and tokens */
  template: string
  caller: Caller
  /** from a provider's machines, not from one person's address */
  webhook: boolean
  /** answered with HTML, errors too */
  page: boolean
  startedAt: number
}

export const requestContextOf = (response: Response): RequestContext => response.locals.exchange as RequestContext

/** The first thing that happens to a request. */
export function beginRequestContext(response: Response, requestId: string): RequestContext {
  const exchange: RequestContext = {
    requestId,
    template: 'unknown',
    caller: { kind: 'public' },
    webhook: false,
    page: false,
    startedAt: performance.now(),
  }
  response.locals.exchange = exchange
  return exchange
}
