/**
 * Checks four times a minute what no call and no run reports by itself: wedged runs, outages of parties that nobody
 * calls any more, how many orders wait for the others, and, each few minutes, schedules that start no runs. Every API
 * process checks, so that the end of one loses nothing; equal findings are one task.
 */
import type { ApiContext } from '../../context.ts'
import { endSilentOutages, noteOrdersWaiting } from '../../db/operation/outside-parties.ts'
import { reportSilentSchedules } from '../../db/operation/silent-schedules.ts'
import { reportWedgedRuns } from '../../db/operation/wedged-runs.ts'
import { listWedgedRuns } from '../runs/wedged-runs.ts'
import { listSilentSchedules } from './silent-schedules.ts'

const checkEveryMs = 15_000
/** more runs than this have one cause, and an operator needs no more tasks to find it */
const maxReported = 200
const answerWithinMs = 5_000
/** Schedules are silent for hours before anybody is told, so that they are asked about less often. */
const checksBetweenSchedules = 20

/** Makes operator tasks of the schedules that start no runs. @param at the time as of which they do not */
export async function checkSchedules({ sql, temporal }: Pick<ApiContext, 'sql' | 'temporal'>, at: Date): Promise<void> {
  await reportSilentSchedules(sql, await listSilentSchedules(temporal, { at, answerWithinMs }), at)
}

/** @returns a function that ends the checks and waits for a check under way */
export function startWatch(api: ApiContext): () => Promise<void> {
  const { sql, temporal, log } = api
  const { failedReadings } = api.metrics
  let checks = 0

  async function check(): Promise<void> {
    await read('runs', async () => {
      const runs = await listWedgedRuns(temporal, { limit: maxReported, answerWithinMs })
      await reportWedgedRuns(sql, runs, { isComplete: runs.length < maxReported, at: new Date() })
    })
    await read('outages', async () => {
      await endSilentOutages(sql, new Date())
      await noteOrdersWaiting(sql)
    })
    if (checks % checksBetweenSchedules === 0) await read('schedules', () => checkSchedules(api, new Date()))
    checks += 1
  }

  async function read(what: 'runs' | 'outages' | 'schedules', work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      failedReadings.inc({ reading: what })
      log.warn({ error, reading: what }, 'what operators have to know could not be read')
    }
  }

  let checking: Promise<void> | undefined
  const timer = setInterval(() => {
    // In an outage a check takes longer than the time between two: the next one would ask for what is old by then.
    checking ??= check().finally(() => {
      checking = undefined
    })
  }, checkEveryMs)
  timer.unref()
  return async () => {
    clearInterval(timer)
    await checking
  }
}
