import type { Logger } from '@temporalio/common'
import { Runtime } from '@temporalio/worker'
import type { Log } from '../shared/log.ts'

/**
 * The task token is secret. Workflow ids hold ids of orders and accounts, which logs must not keep longer than these
 * live.
 */
const omitted = ['taskToken', 'workflowId', 'workflow_id', 'workflowExecution']

const levels = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const

/**
 * Writes Temporal's log lines to our log. They name a run by its run id, which identifies nothing after the run is
 * deleted.
 * @param sink called for each line
 */
export function temporalLogger(sink: () => Log): Logger {
  const write = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error', message: string, meta: object = {}): void => {
    const fields = Object.entries(meta).filter(([name]) => !omitted.includes(name))
    sink()[level](Object.fromEntries(fields), message)
  }
  return {
    log: (level, message, meta) => write(levels[level], message, meta),
    trace: (message, meta) => write('trace', message, meta),
    debug: (message, meta) => write('debug', message, meta),
    info: (message, meta) => write('info', message, meta),
    warn: (message, meta) => write('warn', message, meta),
    error: (message, meta) => write('error', message, meta),
  }
}

/** Where the lines of the process's runtime go; undefined before there is a runtime. */
let sink: Log | undefined

/**
 * Installs the SDK's runtime, of which a process has one, before any other use of the SDK. Later calls only change
 * where its lines go.
 * @param options.metricsAddress `host:port` where the SDK serves its own metrics for Prometheus
 */
export function installRuntime(options: { log: Log; metricsAddress?: string }): void {
  const isInstalled = sink !== undefined
  sink = options.log
  if (isInstalled) return
  const current = (): Log => sink ?? options.log
  const { logger } = Runtime.install({
    logger: temporalLogger(current),
    // worker/main.ts handles signals.
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(options.metricsAddress !== undefined && {
        metrics: { prometheus: { bindAddress: options.metricsAddress, useSecondsForDurations: true } },
      }),
    },
  })
  skipDisabledLevels(logger, current)
}

/**
 * Skips lines of disabled levels before the SDK buffers them. It writes several `debug` and `trace` lines for each
 * activity and workflow task, and sorts and forwards the lines of all levels.
 */
function skipDisabledLevels(logger: Logger, current: () => Log): void {
  for (const level of ['trace', 'debug'] as const) {
    const write = logger[level].bind(logger)
    logger[level] = (message, meta) => {
      if (current().isLevelEnabled(level)) write(message, meta)
    }
  }
}
