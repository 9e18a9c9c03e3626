import type { Context } from '@temporalio/activity'
import type { ActivityInterceptors } from '@temporalio/worker'
import { lostAfterMs, workerHeartbeatEveryMs } from '../shared/lost-worker.ts'

/**
 * Heartbeats for activities that ask for it by the timeout `lostAfterMs`. They are short, so most end before the first.
 * Activities with another timeout heartbeat themselves, some with their progress, which a heartbeat from here would
 * erase.
 */
export function workerHeartbeats(context: Context): ActivityInterceptors {
  if (context.info.heartbeatTimeoutMs !== lostAfterMs) return {}
  return {
    inbound: {
      async execute(input, next) {
        const beat = setInterval(() => context.heartbeat(), workerHeartbeatEveryMs)
        try {
          return await next(input)
        } finally {
          clearInterval(beat)
        }
      },
    },
  }
}
