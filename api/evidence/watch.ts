/**
 * Checks four times a minute what no call and no run reports by itself: wedged runs, and outages of parties that nobody
 * calls any more. Every API process checks, so that the end of one loses nothing; equal findings are one task.
 */
import type { ApiContext } from '../../context.ts'
import { endSilentOutages } from '../../db/operation/outside-parties.ts'
import { reportWedgedRuns } from '../../db/operation/wedged-runs.ts'
import { listWedgedRuns } from '../runs/wedged-runs.ts'

const checkEveryMs = 15_000
/** more runs than this have one cause, and an operator needs no more tasks to find it */
const maxReported = 200
const answerWithinMs = 5_000

/** @returns a function that ends the checks and waits for a check under way */
export function startWatch({ sql, temporal, log, metrics }: ApiContext): () => Promise<void> {
  const { failedReadings } = metrics

  async function check(): Promise<void> {
    await read('runs', async () => {
      const runs = await listWedgedRuns(temporal, { limit: maxReported, answerWithinMs })
      await reportWedgedRuns(sql, runs, { isComplete: runs.length < maxReported, at: new Date() })
    })
    await read('outages', () => endSilentOutages(sql, new Date()))
  }

  async function read(what: 'runs' | 'outages', work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      failedReadings.inc({ reading: what })
      log.warn({ error, reading: what }, 'what operators have to know could not be read')
    }
  }

  let checking = Promise.resolve()
  const timer = setInterval(() => {
    checking = checking.then(check)
  }, checkEveryMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await checking
  }
}
