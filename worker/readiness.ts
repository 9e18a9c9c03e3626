import { setTimeout as pause } from 'node:timers/promises'
import type { WorkerContext } from '../context.ts'
import { missingMigrations } from '../db/connection/migrate.ts'
import { wrongKeys } from '../db/crypto/wrong-keys.ts'
import { assertTemporalReady } from '../temporal/readiness.ts'
import { isPolling } from '../temporal/task-queue.ts'

const checkTimeoutMs = 3_000
const askAgainMs = 2_000

/**
 * Whether a worker can do its work: the database has every migration, Temporal what it needs, and Temporal sees the
 * worker poll. The SDK calls a worker running whose polls are refused.
 * @param identity that of the worker
 */
export async function canWork({ sql, temporal, config }: WorkerContext, identity: string): Promise<boolean> {
  const polling = temporal.withDeadline(Date.now() + checkTimeoutMs, () =>
    isPolling(temporal, config.TEMPORAL_TASK_QUEUE, identity),
  )
  const [migrations, service, polls] = await Promise.allSettled([
    missingMigrations(sql),
    assertTemporalReady(temporal, checkTimeoutMs),
    polling,
  ])
  const isMigrated = migrations.status === 'fulfilled' && migrations.value.length === 0
  return isMigrated && service.status === 'fulfilled' && polls.status === 'fulfilled' && polls.value
}

/**
 * Waits until the database has every migration, without which each activity would fail, and was written with our keys,
 * without which none would find anybody. Says so when it waits.
 */
export async function untilUsable({ sql, cipher, log }: WorkerContext, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const isTold = attempt % 20 === 0
    try {
      const missing = await missingMigrations(sql)
      const wrong = missing.length === 0 ? await wrongKeys(sql, cipher) : []
      if (missing.length + wrong.length === 0) return
      if (isTold && missing.length > 0) log.warn({ missing: missing.length }, 'waiting for migrations: npm run migrate')
      if (isTold && wrong.length > 0) log.error({ settings: wrong }, 'the database was written with other keys')
    } catch (error) {
      if (isTold) log.warn({ error }, 'waiting for the database')
    }
    await pause(askAgainMs, undefined, { signal }).catch(() => undefined)
  }
}
