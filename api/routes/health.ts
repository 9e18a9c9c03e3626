import { z } from 'zod'
import type { ApiContext } from '../../context.ts'
import { findClosedRestore } from '../../db/backup/restores.ts'
import { missingMigrations } from '../../db/connection/migrate.ts'
import { wrongKeys } from '../../db/crypto/wrong-keys.ts'
import { shareReading } from '../../shared/shared-reading.ts'
import { assertTemporalReady } from '../../temporal/readiness.ts'
import { isServed } from '../../temporal/task-queue.ts'
import { defineRoute, type Route } from '../http/route.ts'
import { enumeration } from '../views/enumeration.ts'

const checkTimeoutMs = 3_000
const freshForMs = 500

const readinessStatus = enumeration('ReadinessStatus', 'Whether a process can serve requests', {
  ready: 'It can',
  not_ready: 'A check has failed',
  stopping: 'It ends, and takes no more requests',
})
const state = z.enum(['ok', 'failed'])
const readiness = z
  .object({
    status: readinessStatus.schema,
    checks: z.object({
      database: state.describe('it answers, and a connection of the pool is free'),
      migrations: state.describe('it has every migration of this build'),
      temporal: state.describe('it answers, and has the namespace and every search attribute'),
      restore: state.describe('no restored database is being completed'),
      keys: state.describe('`INDEX_KEY` and `FIELD_KEYS` are those with which it was written'),
      workers: state.describe('a worker polls for workflow tasks, and one for activities; `exclude` leaves it out'),
    }),
  })
  .meta({ id: 'Readiness' })

/** Liveness, readiness and metrics. @param isStopping whether the process is shutting down */
export function healthRoutes(api: ApiContext, isStopping: () => boolean): Route[] {
  const { metrics, sql } = api
  // Anybody may ask, as often as they like.
  const latestChecks = shareReading(freshForMs, () => readChecks(api))

  return [
    defineRoute({
      method: 'get',
      path: '/livez',
      tag: 'operation',
      summary: 'Whether the process works; whether the database and Temporal answer is for `/readyz`',
      callers: ['public'],
      unlimited: true,
      duringRestore: true,
      responses: {
        200: { description: 'The process works', schema: z.object({ status: z.literal('alive') }) },
        503: {
          description: 'No connection has come back to the pool for too long: the process must be restarted',
          schema: z.object({ status: z.literal('stuck') }),
        },
      },
      // Without a query: the pool that it would need may be what is stuck.
      handle: () =>
        sql.pool.isStuck()
          ? { status: 503, body: { status: 'stuck' as const } }
          : { status: 200, body: { status: 'alive' as const } },
    }),
    defineRoute({
      method: 'get',
      path: '/readyz',
      tag: 'operation',
      summary: 'Whether the process can serve all requests',
      description:
        'A load balancer asks with `exclude=workers`: no API has workers then, and each can serve what needs none.',
      callers: ['public'],
      query: z.strictObject({
        exclude: z
          .enum(['workers'])
          .optional()
          .describe('a check that is reported and does not count: requests that need no worker can be served'),
      }),
      unlimited: true,
      duringRestore: true,
      responses: {
        200: {
          description: 'Database and Temporal answer and have what this build needs, and workers poll',
          schema: readiness,
        },
        503: {
          description:
            'The database or Temporal does not answer or lacks something, no worker polls, a restore is not complete, the ' +
            'keys are those of another database, or the process is shutting down',
          schema: readiness,
        },
      },
      async handle({ query: { exclude } }) {
        const checks = await latestChecks()
        if (isStopping()) return { status: 503, body: { status: 'stopping' as const, checks } }
        // decision 0957
        const counted = exclude === 'workers' ? { ...checks, workers: 'ok' as const } : checks
        return Object.values(counted).every((check) => check === 'ok')
          ? { status: 200, body: { status: 'ready' as const, checks } }
          : { status: 503, body: { status: 'not_ready' as const, checks } }
      },
    }),
    defineRoute({
      method: 'get',
      path: '/metrics',
      tag: 'operation',
      duringRestore: true,
      summary: 'Prometheus metrics',
      callers: ['operator', 'service'],
      responses: { 200: { description: 'Text exposition format', contentType: metrics.registry.contentType } },
      handle: async () => ({ status: 200, raw: await metrics.registry.metrics() }),
    }),
  ]
}

type Outcome = z.output<typeof state>

async function readChecks({
  sql,
  cipher,
  temporal,
  config,
}: ApiContext): Promise<z.output<typeof readiness>['checks']> {
  const missing = missingMigrations(sql)
  const [database, migrations, restore, keys, temporalState, workers] = await Promise.all([
    inTime(outcome(missing)),
    inTime(
      outcome(
        missing.then((names) => {
          if (names.length > 0) throw new Error('the database has to be migrated')
        }),
      ),
    ),
    inTime(
      outcome(
        missing.then(async (names) => {
          // Without its migrations the database has no such table.
          if (names.length === 0 && (await findClosedRestore(sql))) throw new Error('a restore is not complete')
        }),
      ),
    ),
    inTime(
      outcome(
        missing.then(async (names) => {
          if (names.length === 0 && (await wrongKeys(sql, cipher)).length > 0) throw new Error('the keys are others')
        }),
      ),
    ),
    outcome(assertTemporalReady(temporal, checkTimeoutMs)),
    outcome(
      isServed(temporal, config.TEMPORAL_TASK_QUEUE, checkTimeoutMs).then((served) => {
        if (!served) throw new Error('no worker polls')
      }),
    ),
  ])
  return { database, migrations, restore, keys, temporal: temporalState, workers }
}

/** Turns a rejected check into a result. */
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
