import type { Response } from 'express'
import { defaultLanguage, type Language } from '../../messages/languages.ts'
import type { Caller } from './caller.ts'
import type { Problem } from './problem.ts'
import type { ProblemCode } from './problems.ts'

/** The facts that the API knows about a request while it answers it. */
export interface RequestContext {
  requestId: string
  /** the route's template; the path itself must not be logged, since it holds ids and tokens */
  template: string
  caller: Caller
  /** that the request asks for: of problems */
  language: Language
  /** of the page that is answered */
  pageLanguage: Language
  /** sent by an outside party's machines, which share few addresses: it has a limit of its own */
  webhook: boolean
  /** answered with HTML, as are its errors */
  page: boolean
  /** shows a refused form again, with what was typed; taken by the first who answers */
  showFormAgain: ((problem: Problem) => Promise<string>) | undefined
  /** `performance.now()`, in ms */
  startedAt: number
  /** nothing more is begun for the request then; also in the time of `performance.now()` */
  deadline: number
  /** answered as unavailable at its deadline: what its handler still brings is dropped */
  isLate: boolean
  /** the problem that was answered, for the log */
  refusal: { code: ProblemCode; detail?: string | undefined } | undefined
  /** the problems that the route's description names; undefined before a route is found */
  described: ReadonlySet<ProblemCode> | undefined
}

/** The parsed part of a request that is known before its body is read. */
export interface Target {
  params: Record<string, unknown>
  query: Record<string, unknown>
  accountId: string | undefined
}

declare global {
  namespace Express {
    interface Locals {
      requestContext: RequestContext
      target: Target
    }
  }
}

/** @param response one that `beginRequestContext` has seen */
export const requestContextOf = (response: Response): RequestContext => response.locals.requestContext

/** Attaches a request context to a response, before any other middleware runs. */
export function beginRequestContext(response: Response, requestId: string): RequestContext {
  const requestContext: RequestContext = {
    requestId,
    template: 'unknown',
    caller: { kind: 'public' },
    language: defaultLanguage,
    pageLanguage: defaultLanguage,
    webhook: false,
    page: false,
    showFormAgain: undefined,
    startedAt: performance.now(),
    deadline: Number.POSITIVE_INFINITY,
    isLate: false,
    refusal: undefined,
    described: undefined,
  }
  response.locals.requestContext = requestContext
  return requestContext
}
