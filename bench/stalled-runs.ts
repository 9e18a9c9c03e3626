/** Ends a measurement whose run stalls, and says what the run waits for: a benchmark that hangs measures nothing. */
import type { Client } from '@temporalio/client'
import proto from '@temporalio/proto'
import { messageOf } from '../shared/process/message-of.ts'
import { searchAttributes } from '../shared/search-attributes.ts'

const { EventType, PendingActivityState } = proto.temporal.api.enums.v1

export interface StalledRunOptions {
  /** how long a run that is looked at may write no event */
  stalledAfterMs?: number
  /** how often runs are looked at, once they have waited for `lookAfterMs` */
  everyMs?: number
  lookAfterMs?: number
}

/**
 * A stalled run is named within a minute. Most runs end before they are looked at, since each look is work for the
 * server that is measured.
 */
const limits = { stalledAfterMs: 40_000, everyMs: 3_000, lookAfterMs: 9_000 }
/** How long Temporal may take to answer. */
const answerMs = 5_000
/** The first look may find events, a look may be just over, and the last ones take as long as Temporal may. */
export const stalledWithinMs = limits.lookAfterMs + limits.everyMs + limits.stalledAfterMs + limits.everyMs + answerMs

/** Watches runs of which each soon reaches a known point, unless it stalls. */
export function watchForStalledRuns(temporal: Client, options: StalledRunOptions = {}) {
  const { stalledAfterMs, everyMs, lookAfterMs } = { ...limits, ...options }
  const watched = new Map<string, { reject: (why: Error) => void; from: number; events: number; since: number }>()
  let isLooking = false
  const timer = setInterval(() => void look(), everyMs)

  return {
    /** Resolves as `reached` does. @throws when the run writes no event for too long before it */
    async until<Point>(workflowId: string, reached: Promise<Point>): Promise<Point> {
      const stoodStill = new Promise<never>((_, reject) => {
        watched.set(workflowId, { reject, from: Date.now(), events: -1, since: Date.now() })
      })
      try {
        return await Promise.race([reached, stoodStill])
      } finally {
        watched.delete(workflowId)
      }
    },
    close: () => clearInterval(timer),
  }

  /** One that stalls is enough to end the measurement, whichever it is. */
  async function look(): Promise<void> {
    if (isLooking) return
    isLooking = true
    try {
      const due = [...watched].filter(([, { from }]) => Date.now() - from >= lookAfterMs)
      await Promise.all(due.map(([workflowId, run]) => lookAt(workflowId, run)))
    } finally {
      isLooking = false
    }
  }

  async function lookAt(workflowId: string, run: { reject: (why: Error) => void; events: number; since: number }) {
    // A server that does not answer at all is a reason to end the measurement as well.
    const events = await eventsOf(temporal, workflowId).catch(() => run.events)
    if (events !== run.events) return void Object.assign(run, { events, since: Date.now() })
    if (Date.now() - run.since < stalledAfterMs) return
    const state = await describeRun(temporal, workflowId)
    run.reject(new Error(`${workflowId} is stalled: no event for ${stalledAfterMs / 1000} s; ${state}`))
  }
}

const inTime = <Answer>(temporal: Client, call: () => Promise<Answer>): Promise<Answer> =>
  temporal.withDeadline(Date.now() + answerMs, call)

const eventsOf = (temporal: Client, workflowId: string): Promise<number> =>
  inTime(temporal, async () => (await temporal.workflow.getHandle(workflowId).describe()).historyLength)

/** Describes a run's wait: its status, its last event, its open workflow task and its open activities. */
export async function describeRun(temporal: Client, workflowId: string): Promise<string> {
  try {
    return await inTime(temporal, () => factsOf(temporal, workflowId))
  } catch (error) {
    return `it cannot be described: ${messageOf(error)}`
  }
}

async function factsOf(temporal: Client, workflowId: string): Promise<string> {
  const handle = temporal.workflow.getHandle(workflowId)
  const { status, raw, typedSearchAttributes } = await handle.describe()
  const waitingFor = typedSearchAttributes.get(searchAttributes.waitingFor)
  const last = (await handle.fetchHistory()).events?.at(-1)
  const task = raw.pendingWorkflowTask
  const activities = (raw.pendingActivities ?? []).map(
    ({ activityType, state, attempt, lastFailure }) =>
      `activity ${activityType?.name} is ${wordOf(PendingActivityState, state)} in attempt ${attempt}${lastFailure ? ` after "${lastFailure.message}"` : ''}`,
  )
  const facts = [
    `it is ${status.name}${waitingFor ? ` and waits for ${waitingFor}` : ''}`,
    `its last event is ${wordOf(EventType, last?.eventType)}`,
    ...(task ? [`a workflow task is open in attempt ${task.attempt}`] : []),
    ...activities,
  ]
  return facts.join(', ')
}

/** The name of an enum's value, without its prefix. */
const wordOf = (words: Record<number, string>, value: number | null | undefined): string =>
  words[value ?? 0]?.replace(/^(?:EVENT_TYPE|PENDING_ACTIVITY_STATE)_/, '').toLowerCase() ?? String(value)
