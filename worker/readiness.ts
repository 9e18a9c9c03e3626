import { setTimeout as pause } from 'node:timers/promises'
import type { WorkerContext } from '../context.ts'
import { missingMigrations } from '../db/connection/migrate.ts'
import { assertTemporalReady } from '../temporal/readiness.ts'

const checkTimeoutMs = 3_000
const askAgainMs = 2_000

/** Whether a worker that polls can do its work: the database has every migration, and Temporal what it needs. */
export async function canWork({ sql, temporal }: WorkerContext): Promise<boolean> {
  const checks = await Promise.allSettled([missingMigrations(sql), assertTemporalReady(temporal, checkTimeoutMs)])
  const [migrations, service] = checks
  return migrations.status === 'fulfilled' && migrations.value.length === 0 && service.status === 'fulfilled'
}

/** Waits until the database has every migration: without them each activity would fail. Says so when it waits. */
export async function untilMigrated({ sql, log }: WorkerContext, signal: AbortSignal): Promise<void> {
  for (let attempt = 0; !signal.aborted; attempt += 1) {
    const missing = await missingMigrations(sql).catch((error: unknown) => {
      if (attempt % 20 === 0) log.warn({ error }, 'waiting for the database')
      return undefined
    })
    if (missing?.length === 0) return
    if (missing && attempt % 20 === 0) log.warn({ missing: missing.length }, 'waiting for migrations: npm run migrate')
    await pause(askAgainMs, undefined, { signal }).catch(() => undefined)
  }
}
