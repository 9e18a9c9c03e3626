import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { defineRoute, type Route } from '../http/route.ts'

const checkTimeoutMs = 1_000

const state = z.enum(['ok', 'failed'])
const readiness = z
  .object({
    status: z.enum(['ready', 'not_ready', 'stopping']),
    checks: z.object({ database: state, temporal: state }),
  })
  .meta({ id: 'Readiness' })

/** Liveness, readiness and metrics. @param isStopping whether the process is on its way out */
export function healthRoutes(api: ApiContext, isStopping: () => boolean): Route[] {
  const { sql, temporal, metrics } = api

  return [
    defineRoute({
      method: 'get',
      path: '/livez',
      tag: 'operation',
      summary: 'The process runs and gets on; a database that is away is for `/readyz` to tell',
      callers: ['public'],
      unlimited: true,
      responses: {
        200: { description: 'It does', schema: z.object({ status: z.literal('alive') }) },
        503: {
          description: 'No connection to the database has come back for too long: only a new start helps',
          schema: z.object({ status: z.literal('stuck') }),
        },
      },
      // Asks nobody, for the pool is what may be stuck.
      handle: () =>
        sql.pool.isStuck()
          ? { status: 503, body: { status: 'stuck' as const } }
          : { status: 200, body: { status: 'alive' as const } },
    }),
    defineRoute({
      method: 'get',
      path: '/readyz',
      tag: 'operation',
      summary: 'The process can do its work',
      callers: ['public'],
      unlimited: true,
      responses: {
        200: { description: 'Database and Temporal answer', schema: readiness },
        503: { description: 'One of them does not, or the process is stopping', schema: readiness },
      },
      async handle() {
        const [database, temporalState] = await Promise.all([
          inTime(outcome(sql`select 1`)),
          // Waited for to its end: left alone, its next attempt would crash a process that closes the connection.
          outcome(temporal.withDeadline(Date.now() + checkTimeoutMs, () => temporal.workflowService.getSystemInfo({}))),
        ])
        const checks = { database, temporal: temporalState }
        if (isStopping()) return { status: 503, body: { status: 'stopping' as const, checks } }
        return database === 'ok' && temporalState === 'ok'
          ? { status: 200, body: { status: 'ready' as const, checks } }
          : { status: 503, body: { status: 'not_ready' as const, checks } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/metrics',
      tag: 'operation',
      summary: 'Prometheus metrics',
      callers: ['operator', 'service'],
      responses: { 200: { description: 'Text exposition format', contentType: metrics.registry.contentType } },
      handle: async () => ({ status: 200, raw: await metrics.registry.metrics() }),
    }),
  ]
}

type Outcome = z.output<typeof state>

/** A check that fails is an answer. */
const outcome = (work: PromiseLike<unknown>): Promise<Outcome> =>
  Promise.resolve(work).then(
    () => 'ok',
    () => 'failed',
  )

async function inTime(work: Promise<Outcome>): Promise<Outcome> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<Outcome>((resolve) => {
    timer = setTimeout(() => resolve('failed'), checkTimeoutMs)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}
