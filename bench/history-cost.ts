/** The cost of a run: its history events and its billable actions. */
import type { History } from '@temporalio/common/lib/proto-utils.js'
import proto from '@temporalio/proto'

const { EventType } = proto.temporal.api.enums.v1

/** Each of these events is one action; all local activities of one workflow task are one action. */
const actionEvents = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED,
  EventType.EVENT_TYPE_TIMER_STARTED,
  EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED,
])

/** Events of skipped time, which production does not have. */
const skippingEvents = new Set([
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_OPTIONS_UPDATED,
  EventType.EVENT_TYPE_WORKFLOW_EXECUTION_TIME_SKIPPING_TRANSITIONED,
])

export function historyCost(history: History): { events: number; actions: number } {
  const events = (history.events ?? []).filter(({ eventType }) => !eventType || !skippingEvents.has(eventType))
  const tasksWithLocalActivities = new Set(
    events
      .map((event) => event.markerRecordedEventAttributes?.workflowTaskCompletedEventId?.toString())
      .filter(Boolean),
  )
  const single = events.filter(({ eventType }) => eventType && actionEvents.has(eventType)).length
  return { events: events.length, actions: single + tasksWithLocalActivities.size }
}
