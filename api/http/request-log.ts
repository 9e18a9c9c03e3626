import type { IncomingMessage, ServerResponse } from 'node:http'
import type { RequestHandler, Response } from 'express'
import { pinoHttp } from 'pino-http'
import { v4 as uuid } from 'uuid'
import { describeError, type Log } from '../../shared/log.ts'
import type { Metrics } from '../../shared/metrics.ts'
import { actorOf } from './caller.ts'
import { beginRequestContext, requestContextOf } from './request-context.ts'

/** Hexadecimal, so that nothing readable can be sent into our logs as an id. */
const acceptableId = /^[0-9a-f-]{16,64}$/i

/** Paths that are asked every few seconds, and worth a line only when they fail. */
const quiet = new Set(['/livez', '/readyz', '/metrics'])

/**
 * Starts the exchange: its id, its log and its duration. The id is made here, since it is stored: a caller's
 * `X-Request-Id` could be any id of another person. It is logged beside ours.
 */
export function createRequestLog(log: Log, metrics: Metrics): RequestHandler[] {
  const begin: RequestHandler = (request, response, next) => {
    const id = uuid()
    const exchange = beginRequestContext(response, id)
    request.id = id
    response.set('X-Request-Id', id)
    response.once('close', () => {
      // 499: the caller went away
      const status = response.writableFinished ? response.statusCode : 499
      const labels = { method: request.method, route: exchange.template, status }
      metrics.httpRequestSeconds.observe(labels, (performance.now() - exchange.startedAt) / 1000)
    })
    next()
  }
  const describe = (request: IncomingMessage, response: ServerResponse) => {
    const { template, caller } = requestContextOf(response as Response)
    const given = request.headers['x-request-id']
    return {
      method: request.method,
      route: template,
      status: response.statusCode,
      caller: actorOf(caller),
      ...(typeof given === 'string' && acceptableId.test(given) && { callerRequestId: given }),
    }
  }
  const record = pinoHttp({
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
    // Without an error of ours pino-http makes one up, which says no more than the status.
    customErrorObject: (request, response, _error, value: { durationMs: number }) => ({
      ...describe(request, response),
      durationMs: value.durationMs,
      ...(response.err && { err: response.err }),
    }),
    customLogLevel: (_request, response) => {
      if (response.statusCode >= 500) return response.err ? 'error' : 'warn'
      return quiet.has(requestContextOf(response as Response).template) ? 'silent' : 'info'
    },
  })
  return [begin, record]
}
