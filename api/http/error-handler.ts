import { status } from '@grpc/grpc-js'
import type { ErrorRequestHandler, Response } from 'express'
import type { Context } from '../../context.ts'
import { connectionCodes } from '../../db/connection/connection-codes.ts'
import { isTiedToErased } from '../../db/connection/constraint.ts'
import { DataKeyMissing } from '../../db/crypto/data-keys.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { propertyOf, textPropertyOf } from '../../shared/keys-of.ts'
import { hasStatus } from '../../temporal/grpc-status.ts'
import { pageContextOf } from '../language/page-context.ts'
import { setContentLanguage } from '../language/request-language.ts'
import { layoutHeaders } from '../pages/layout.tsx'
import { renderProblemPage } from '../pages/problems/problem.tsx'
import { headersOf, Problem, sendProblem } from './problem.ts'
import { type ProblemCode, problems } from './problems.ts'
import { requestContextOf } from './request-context.ts'

/** Logged when the OpenAPI document does not name a problem of a route. Tests fail on it. */
export const undescribedProblem = 'a problem that its route does not describe'

/** Answers every error as a problem. Only errors of ours and of the infrastructure are logged as errors. */
export function createErrorHandler(context: Context): ErrorRequestHandler {
  return async (error: unknown, request, response, next) => {
    if (requestContextOf(response).isLate) return
    if (response.headersSent) return next(error)
    const problem = problemOf(error, requestContextOf(response).described)
    const cause = problem.options.cause
    if (cause !== undefined)
      response.err = cause instanceof Error ? cause : new Error('a value that is no Error was thrown')
    const requestContext = requestContextOf(response)
    const { requestId, language, described, template: route } = requestContext
    // Before a route is found nothing but the request says whether a person looks at the answer.
    const page = requestContext.page || (described === undefined && request.accepts(['json', 'html']) === 'html')
    requestContext.refusal = { code: problem.code, detail: problem.options.detail }
    if (described && !described.has(problem.code))
      context.log.error({ method: request.method, route, code: problem.code }, undescribedProblem)
    if (page) {
      const { showFormAgain } = requestContext
      requestContext.showFormAgain = undefined
      const form = showFormAgain && (await showFormAgain(problem).catch(() => undefined))
      // While the form was made the request may have passed its deadline.
      if (response.headersSent) return
      const shown = pageContextOf(request, response, context.config.SUPPORT_MAIL)
      const caller = requestContext.caller.kind
      const html = form ?? renderProblemPage(withWait(problem, response), shown, { requestId, route, caller })
      return sendProblemPage(response, problem, html, form !== undefined)
    }
    sendProblem(response, problem, { publicUrl: context.config.PUBLIC_URL, requestId, language })
  }
}

/** The limiter says the time until a repetition in a header of the answer alone. */
function withWait(problem: Problem, response: Response): Problem {
  const wait = response.get('Retry-After')
  if (wait === undefined || problem.options.headers?.['Retry-After'] !== undefined) return problem
  return new Problem(problem.code, {
    ...problem.options,
    headers: { ...problem.options.headers, 'Retry-After': wait },
  })
}

function sendProblemPage(response: Response, problem: Problem, html: string, forms: boolean): void {
  const { status } = problems[problem.code]
  setContentLanguage(response, requestContextOf(response).pageLanguage, ['Accept-Language', 'Cookie'])
  response
    .status(status)
    .set({ ...layoutHeaders({ forms }), ...headersOf(problem, response) })
    .type('text/html')
    .send(html)
}

/**
 * The longest wait that we pass on. Another party's wait is no promise of ours: a person waits a minute, and asks
 * again.
 */
const longestRetryMs = 60_000

function problemOf(error: unknown, described: ReadonlySet<ProblemCode> | undefined): Problem {
  if (error instanceof Problem) return error
  if (isTiedToErased(error) || error instanceof DataKeyMissing) return problemOfErased(described)
  return (
    problemOfBody(error) ??
    problemOfOutage(error) ??
    new Problem('internal_error', { cause: error ?? new Error('nothing was thrown') })
  )
}

/** The problem of an outside party, the database or Temporal that did not do what it was asked. */
export function problemOfOutage(error: unknown): Problem | undefined {
  if (!isProviderFailure(error)) return isOutage(error) ? new Problem('unavailable', { cause: error }) : undefined
  // Routes say themselves what can be refused for good. Any other refusal may pass, such as a 404 of what the party
  // has made.
  const { retryAfterMs } = error
  const seconds = retryAfterMs && Math.ceil(Math.min(retryAfterMs, longestRetryMs) / 1000)
  return new Problem('unavailable', { ...(seconds && { headers: { 'Retry-After': String(seconds) } }), cause: error })
}

/** The person was erased after the request had found their account. A repeated request does not find it. */
function problemOfErased(described: ReadonlySet<ProblemCode> | undefined): Problem {
  const code = (['not_found', 'account_missing'] as const).find((each) => described?.has(each))
  return new Problem(code ?? 'unavailable')
}

/** body-parser and the path decoding of Express put the kind of error into `type` and `status`. */
function problemOfBody(error: unknown): Problem | undefined {
  const status = propertyOf(error, 'status')
  if (status === 413) return new Problem('body_too_large')
  if (status === 415) return new Problem('unsupported_media_type')
  if (propertyOf(error, 'type') === 'entity.parse.failed') return new Problem('malformed_json')
  // The path cannot be decoded, or the body is not as long as Content-Length says.
  return status === 400 ? new Problem('invalid_request') : undefined
}

/**
 * Error codes of PostgreSQL and our own pool which mean that the database is starting, stopping or read-only, has no
 * free connection or takes too long.
 */
const outageCodes = new Set([
  'NO_TURN',
  'TRANSACTION_TOO_LONG',
  'DEADLINE_PASSED',
  // A standby, after its promotion or that of another one.
  '25006',
  '25P03',
  '3D000',
  '55P03',
])
/**
 * Classes of PostgreSQL's codes that say nothing of the request, which may be repeated: connection exception,
 * transaction rollback (deadlock, serialization), insufficient resources, operator intervention, system error. Source:
 * PostgreSQL manual, appendix A.
 */
const outageClasses = /^(?:08|40|53|57|58)[\dA-Z]{3}$/
const outageStatuses = [status.DEADLINE_EXCEEDED, status.RESOURCE_EXHAUSTED, status.UNAVAILABLE]

/** Whether an error, or what has caused it, means that the database or Temporal does not answer at the moment. */
export function isOutage(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  const code = textPropertyOf(error, 'code')
  const isOf = (text: string) => connectionCodes.has(text) || outageCodes.has(text) || outageClasses.test(text)
  if (code !== undefined && isOf(code)) return true
  if (hasStatus(error, ...outageStatuses)) return true
  return error.cause !== undefined && isOutage(error.cause)
}
