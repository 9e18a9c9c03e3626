import type { RequestHandler, Response } from 'express'
import { ipKeyGenerator, rateLimit } from 'express-rate-limit'
import type { Metrics } from '../../shared/metrics.ts'
import { WindowCounts } from '../../shared/window-counts.ts'
import { addressOf } from './address.ts'
import { actorOf, type Caller, scopeOf } from './caller.ts'
import { Problem } from './problem.ts'
import { requestContextOf } from './request-context.ts'

/**
 * Most requests per minute and process: of each key, operator and account, and of each IP address for callers without
 * credentials.
 */
export interface Limits {
  service: number
  operator: number
  person: number
  newcomer: number
  public: number
  webhook: number
  /** wrong keys and forged tokens of one IP address; beyond them further ones are neither counted nor recorded */
  failedAuthentications: number
}

export const defaultLimits: Limits = {
  service: 60_000,
  operator: 1_200,
  person: 240,
  newcomer: 20,
  public: 120,
  webhook: 6_000,
  failedAuthentications: 30,
}

const windowMs = 60_000

export type Limiter = ReturnType<typeof createLimiter>

/** Counts in memory: each process allows the full limit, which is precise enough against floods. */
export function createLimiter(limits: Limits, metrics: Metrics) {
  const requests = new WindowCounts(windowMs)
  const failures = new WindowCounts(windowMs)
  const tooManyFailures = (resetTime: Date): Problem => {
    metrics.rateLimited.inc({ caller: 'failed_authentication' })
    const seconds = Math.max(1, Math.ceil((resetTime.getTime() - Date.now()) / 1000))
    return new Problem('too_many_requests', { headers: { 'Retry-After': String(seconds) } })
  }
  const addressKey = (ip = ''): string => `ip:${ipKeyGenerator(ip)}`

  const countRequests: RequestHandler = rateLimit({
    windowMs,
    store: requests,
    limit: (_request, response) => limits[limitKind(response)],
    keyGenerator: (request, response) => {
      const { caller } = requestContextOf(response)
      return caller.kind === 'public' ? `${limitKind(response)}:${addressKey(addressOf(request))}` : countedAs(caller)
    },
    // Without a trusted proxy these headers are ignored: a caller who sends them is no fault of the configuration. The
    // check of where the limiter is made reads a stack, and with it the map of all sources, at each start.
    validate: { xForwardedForHeader: false, forwardedHeader: false, creationStack: false },
    standardHeaders: 'draft-7',
    legacyHeaders: false,
    handler: (_request, response, next) => {
      metrics.rateLimited.inc({ caller: limitKind(response) })
      next(new Problem('too_many_requests'))
    },
  })

  return {
    /** Middleware, to run after authentication. Sets `RateLimit` and, over the limit, `Retry-After`. */
    countRequests,
    /** @throws Problem too_many_requests for an IP address whose authentications failed too often */
    assertMayFail(ip: string | undefined): void {
      const count = failures.get(addressKey(ip))
      if (count && count.totalHits >= limits.failedAuthentications) throw tooManyFailures(count.resetTime)
    },
    /**
     * Counts a failure and decides in one step, so that simultaneous ones are counted exactly.
     * @throws Problem too_many_requests for a failure beyond the limit
     */
    countFailure(ip: string | undefined): void {
      const { totalHits, resetTime } = failures.increment(addressKey(ip))
      if (totalHits > limits.failedAuthentications) throw tooManyFailures(resetTime)
    },
    stop(): void {
      requests.shutdown()
      failures.shutdown()
    },
  }
}

/** Whose requests are counted together: one key or operator must not use up what the others may. */
const countedAs = (caller: Caller): string =>
  'keyId' in caller || caller.kind === 'console' ? actorOf(caller) : scopeOf(caller)

function limitKind(response: Response): Exclude<keyof Limits, 'failedAuthentications'> {
  const { caller, webhook } = requestContextOf(response)
  if (webhook) return 'webhook'
  if (caller.kind === 'visitor') return 'person'
  return caller.kind === 'console' ? 'operator' : caller.kind
}
