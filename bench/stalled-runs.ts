/** Ends a measurement whose run stalls, and says what the run waits for: a benchmark that hangs measures nothing. */
import type { Client } from '@temporalio/client'
import proto from '@temporalio/proto'
import { messageOf } from '../shared/process/message-of.ts'
import { searchAttributes } from '../shared/search-attributes.ts'

const { EventType, PendingActivityState } = proto.temporal.api.enums.v1

export interface StalledRunOptions {
  /** how long a run may write no event */
  stalledAfterMs?: number
  /** how often the run that has waited longest is looked at */
  everyMs?: number
}

/** Watches runs of which each soon reaches a known point, unless it stalls. */
export function watchForStalledRuns(
  temporal: Client,
  { stalledAfterMs = 45_000, everyMs = 5_000 }: StalledRunOptions = {},
) {
  const watched = new Map<string, { reject: (why: Error) => void; events: number; since: number }>()
  const timer = setInterval(() => void look(), everyMs)

  return {
    /** Resolves as `reached` does. @throws when the run writes no event for too long before it */
    async until<Point>(workflowId: string, reached: Promise<Point>): Promise<Point> {
      const stoodStill = new Promise<never>((_, reject) => {
        watched.set(workflowId, { reject, events: -1, since: Date.now() })
      })
      try {
        return await Promise.race([reached, stoodStill])
      } finally {
        watched.delete(workflowId)
      }
    },
    close: () => clearInterval(timer),
  }

  /** One that stalls is enough to end the measurement, and the first one has waited longest. */
  async function look(): Promise<void> {
    const [first] = watched
    if (!first) return
    const [workflowId, run] = first
    const found = await describeRun(temporal, workflowId)
    if (found.events !== run.events) Object.assign(run, { events: found.events, since: Date.now() })
    else if (Date.now() - run.since >= stalledAfterMs)
      run.reject(new Error(`${workflowId} is stalled: no event for ${stalledAfterMs / 1000} s; ${found.state}`))
  }
}

/** Describes a run's wait: its status, its last event, its open workflow task and its open activities. */
export async function describeRun(temporal: Client, workflowId: string): Promise<{ events: number; state: string }> {
  const handle = temporal.workflow.getHandle(workflowId)
  try {
    const { status, historyLength, raw, typedSearchAttributes } = await handle.describe()
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
    return { events: historyLength, state: facts.join(', ') }
  } catch (error) {
    return { events: -1, state: `it cannot be described: ${messageOf(error)}` }
  }
}

/** The name of an enum's value, without its prefix. */
const wordOf = (words: Record<number, string>, value: number | null | undefined): string =>
  words[value ?? 0]?.replace(/^(?:EVENT_TYPE|PENDING_ACTIVITY_STATE)_/, '').toLowerCase() ?? String(value)
