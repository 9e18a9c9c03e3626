import type { Request, RequestHandler, Response } from 'express'
import { pinoHttp } from 'pino-http'
import { v4 as uuid } from 'uuid'
import { describeError, type Log } from '../../shared/log.ts'
import type { Metrics } from '../../shared/metrics.ts'
import { acceptedLanguage } from '../language/request-language.ts'
import { actorOf } from './caller.ts'
import { beginRequestContext, requestContextOf } from './request-context.ts'

/** Hexadecimal only: a caller must not write text of its choice into our logs. */
const acceptableId = /^[0-9a-f-]{16,64}$/i

/** Monitoring asks these every few seconds: only their failures are logged. */
const quiet = new Set(['/livez', '/readyz', '/metrics'])

/**
 * Middleware that starts the request context and logs each answer. The request id is made here, since it is stored: a
 * caller's `X-Request-Id` could be an id of another person. The caller's id is logged beside ours.
 */
export function createRequestLog(log: Log, metrics: Metrics): RequestHandler[] {
  const begin: RequestHandler = (request, response, next) => {
    const id = uuid()
    const requestContext = beginRequestContext(response, id)
    requestContext.language = acceptedLanguage(request)
    request.id = id
    response.set('X-Request-Id', id)
    response.once('close', () => {
      // 499 is nginx's code for a caller that closed the connection before the answer.
      const status = response.writableFinished ? response.statusCode : 499
      const labels = { method: request.method, route: requestContext.template, status }
      metrics.httpRequestSeconds.observe(labels, (performance.now() - requestContext.startedAt) / 1000)
    })
    next()
  }
  const describe = (request: Request, response: Response) => {
    const { template, caller, refusal } = requestContextOf(response)
    const given = request.headers['x-request-id']
    return {
      method: request.method,
      route: template,
      status: response.statusCode,
      ...(refusal && { problem: refusal.code }),
      ...(refusal?.detail !== undefined && response.statusCode >= 500 && { detail: refusal.detail }),
      caller: actorOf(caller),
      ...(typeof given === 'string' && acceptableId.test(given) && { callerRequestId: given }),
    }
  }
  const record = pinoHttp<Request, Response>({
    logger: log,
    quietReqLogger: true,
    quietResLogger: true,
    customAttributeKeys: { reqId: 'requestId', responseTime: 'durationMs' },
    wrapSerializers: false,
    serializers: { req: () => undefined, res: () => undefined, err: describeError },
    customSuccessMessage: () => 'answered',
    customErrorMessage: () => 'failed',
    customSuccessObject: (request, response, value: { durationMs: number }) => ({
      ...describe(request, response),
      durationMs: value.durationMs,
    }),
    // pino-http makes up an error when we give none; it says no more than the status does.
    customErrorObject: (request, response, _error, value: { durationMs: number }) => ({
      ...describe(request, response),
      durationMs: value.durationMs,
      ...(response.err && { err: response.err }),
    }),
    customLogLevel: (_request, response) => {
      if (response.statusCode >= 500) return response.err ? 'error' : 'warn'
      return quiet.has(requestContextOf(response).template) ? 'silent' : 'info'
    },
  })
  return [begin, record]
}
