import type { Logger } from '@temporalio/common'
import { Runtime } from '@temporalio/worker'
import type { Log } from '../shared/log.ts'

/** Beside what must never be seen, names of runs: they hold an order's or an account's id, and logs outlive both. */
const leftOut = ['taskToken', 'workflowId', 'workflow_id', 'workflowExecution']

/**
 * Temporal's log lines as ours. Which run one is about says its run id, which leads nowhere once the run is deleted.
 * @param sink asked anew for each line
 */
export function temporalLogger(sink: () => Log): Logger {
  const write = (level: 'trace' | 'debug' | 'info' | 'warn' | 'error', message: string, meta: object = {}): void => {
    const fields = Object.entries(meta).filter(([name]) => !leftOut.includes(name))
    sink()[level](Object.fromEntries(fields), message)
  }
  return {
    log: (level, message, meta) => write(level.toLowerCase() as 'info', message, meta),
    trace: (message, meta) => write('trace', message, meta),
    debug: (message, meta) => write('debug', message, meta),
    info: (message, meta) => write('info', message, meta),
    warn: (message, meta) => write('warn', message, meta),
    error: (message, meta) => write('error', message, meta),
  }
}

/**
 * Sets up the SDK's runtime, of which a process has one: before anything else of the SDK is used.
 * @param options.metricsAddress `host:port` where the SDK serves its own metrics for Prometheus
 */
export function installRuntime(options: { sink: () => Log; metricsAddress?: string }): void {
  const { logger } = Runtime.install({
    logger: temporalLogger(options.sink),
    // Whoever starts a worker stops it: signals are theirs.
    shutdownSignals: [],
    telemetryOptions: {
      logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} },
      ...(options.metricsAddress !== undefined && {
        metrics: { prometheus: { bindAddress: options.metricsAddress, useSecondsForDurations: true } },
      }),
    },
  })
  dropUnlessWanted(logger, options.sink)
}

/**
 * The SDK gathers every line, sorts them by their time and hands them over later, whatever their level, and writes
 * several below `info` for each activity and workflow task: those that the log would drop are dropped before.
 */
function dropUnlessWanted(logger: Logger, sink: () => Log): void {
  for (const level of ['trace', 'debug'] as const) {
    const write = logger[level].bind(logger)
    logger[level] = (message, meta) => {
      if (sink().isLevelEnabled(level)) write(message, meta)
    }
  }
}
