/** Reads a run's input and activities from its history: it outlives the database. */
import { status } from '@grpc/grpc-js'
import type { Client } from '@temporalio/client'
import type { LoadedDataConverter } from '@temporalio/common'
import { decodeArrayFromPayloads } from '@temporalio/common/lib/internal-non-workflow/index.js'
import type { temporal as protocol } from '@temporalio/proto'
import { z } from 'zod'
import { hasStatus, isNotFound } from '../../temporal/grpc-status.ts'
import { erasedMarker, unreadableMarker } from '../../temporal/payload-codec.ts'
import { atOnce } from './at-once.ts'
import type { IsolateFailure } from './failure-isolation.ts'

/** An activity that a run has scheduled. */
export interface RecordedActivity {
  type: string
  /** undefined for a local activity: histories hold only its result */
  input: Record<string, unknown> | undefined
  /** the time by which it decided */
  at: Date
  /** undefined while it has not completed */
  completed: { result: unknown } | undefined
  /** it has failed for good; `code` as `failure` was given it, or else the type of the failure */
  failed?: { code: string }
}

export interface RunHistory {
  input: unknown
  /** in the order in which they were scheduled */
  activities: RecordedActivity[]
  /** the type of the failure by which it ended, if it did */
  failedWith: string | undefined
}

/** Nobody can tell any more what a run has done: the key of its payloads is gone, or another program has made it. */
export class HistoryUnreadable extends Error {
  override readonly name = 'HistoryUnreadable'
}

const activityInput = z.record(z.string(), z.unknown()).optional()

const coreTime = z.object({ seconds: z.number(), nanos: z.number().nullish() })
/** The record of a local activity that the SDK's core writes. */
const localActivity = z.object({
  seq: z.number(),
  activity_type: z.string(),
  complete_time: coreTime.nullish(),
  original_schedule_time: coreTime.nullish(),
})

/**
 * Reads a run's history. @returns undefined when Temporal has deleted the run after it was listed
 * @throws HistoryUnreadable; another error when Temporal does not answer
 */
export async function readHistory(
  client: Client,
  { workflowId, runId }: { workflowId: string; runId: string },
): Promise<RunHistory | undefined> {
  const events = await fetchEvents(client, workflowId, runId)
  return events && readEvents(events, client.options.loadedDataConverter)
}

/** Reads the events of a run. @throws HistoryUnreadable */
export async function readEvents(
  events: readonly protocol.api.history.v1.IHistoryEvent[],
  converter: LoadedDataConverter,
): Promise<RunHistory> {
  // An unreadable value must not count as nothing: without the number in it, a delivered order would get a second
  // invoice.
  const decode = async (payloads: protocol.api.common.v1.IPayloads | null | undefined): Promise<unknown> => {
    const [value] = await decodeArrayFromPayloads(converter, payloads?.payloads ?? [])
    if (value === erasedMarker || value === unreadableMarker) throw new HistoryUnreadable()
    return value
  }
  const activities: (RecordedActivity & { order: number })[] = []
  const scheduled = new Map<string, RecordedActivity>()
  for (const event of events) {
    const {
      activityTaskScheduledEventAttributes: begun,
      activityTaskCompletedEventAttributes: done,
      activityTaskFailedEventAttributes: refused,
    } = event
    if (begun) {
      const input = readAs(activityInput, await decode(begun.input))
      const at = typeof input?.asOf === 'string' ? new Date(input.asOf) : dateOf(event.eventTime)
      const activity = { type: begun.activityType?.name ?? '', input, at, completed: undefined }
      const recorded = { ...activity, order: Number(begun.activityId) }
      activities.push(recorded)
      scheduled.set(String(event.eventId), recorded)
    }
    const ended = done && scheduled.get(String(done.scheduledEventId))
    if (ended) ended.completed = { result: await decode(done.result) }
    const given = refused && scheduled.get(String(refused.scheduledEventId))
    if (given) {
      const { type, details } = refused.failure?.applicationFailureInfo ?? {}
      const code = await decode(details)
      given.failed = { code: typeof code === 'string' ? code : type || 'unknown' }
    }
    const marker = event.markerRecordedEventAttributes
    if (marker?.markerName !== 'core_local_activity' || marker.failure) continue
    const data = readAs(localActivity, await decode(marker.details?.data))
    activities.push({
      type: data.activity_type,
      input: undefined,
      at: dateOf(data.original_schedule_time ?? data.complete_time),
      completed: { result: await decode(marker.details?.result) },
      order: data.seq,
    })
  }
  return {
    input: await decode(events[0]?.workflowExecutionStartedEventAttributes?.input),
    activities: activities.sort((a, b) => a.order - b.order),
    failedWith:
      events.at(-1)?.workflowExecutionFailedEventAttributes?.failure?.applicationFailureInfo?.type ?? undefined,
  }
}

/** Reads a value of a history. @throws HistoryUnreadable when it has another form: what it says is not guessed */
export function readAs<Form extends z.ZodType>(form: Form, value: unknown): z.output<Form> {
  const read = form.safeParse(value)
  if (!read.success) throw new HistoryUnreadable()
  return read.data
}

interface CompletedActivity extends RecordedActivity {
  completed: { result: unknown }
}

const isCompleted =
  (wanted: string) =>
  (activity: RecordedActivity): activity is CompletedActivity =>
    activity.type === wanted && activity.completed !== undefined

/** The first activity of a type that has completed. */
export const findCompleted = (activities: readonly RecordedActivity[], type: string): CompletedActivity | undefined =>
  activities.find(isCompleted(type))

/** The last activity of a type that has completed. */
export const findLastCompleted = (
  activities: readonly RecordedActivity[],
  type: string,
): CompletedActivity | undefined => activities.findLast(isCompleted(type))

/** Whether an activity of a type has completed. */
export const hasCompleted = (activities: readonly RecordedActivity[], type: string): boolean =>
  activities.some(isCompleted(type))

/** A run, and what was read of its history; undefined when nobody can read it: an operator decides. */
export interface ListedHistory<Result> {
  workflowId: string
  found: { result: Result } | undefined
}

/**
 * Reads the histories of the runs that a query lists, each alone. A workflow id may have several runs.
 * @param options.isWanted which runs to read; by default all
 * @param options.subjectOf what cannot be read is left to operators as this; by default as the run
 * @param options.read receives undefined for a run that Temporal has deleted since it was listed
 * @returns the oldest run first
 */
export async function listHistories<Result>(
  client: Client,
  query: string,
  {
    isolate,
    isWanted = () => true,
    subjectOf = (workflowId) => ({ kind: 'run', subjectId: workflowId }),
    read,
  }: {
    isolate: IsolateFailure
    isWanted?(workflowId: string): boolean
    subjectOf?: (workflowId: string) => Parameters<IsolateFailure>[0]
    read(history: RunHistory | undefined, workflowId: string): Result
  },
): Promise<ListedHistory<Result>[]> {
  const listed: { workflowId: string; runId: string; startTime: Date }[] = []
  for await (const { workflowId, runId, startTime } of client.workflow.list({ query }))
    if (isWanted(workflowId)) listed.push({ workflowId, runId, startTime })
  listed.sort((a, b) => a.startTime.getTime() - b.startTime.getTime())
  return atOnce(listed, async (run) => {
    const { workflowId } = run
    const found = await isolate(subjectOf(workflowId), async () => ({
      result: read(await readHistory(client, run), workflowId),
    }))
    return { workflowId, found }
  })
}

async function fetchEvents(
  client: Client,
  workflowId: string,
  runId: string,
): Promise<protocol.api.history.v1.IHistoryEvent[] | undefined> {
  try {
    return (await client.workflow.getHandle(workflowId, runId).fetchHistory()).events ?? []
  } catch (error) {
    if (isNotFound(error)) return undefined
    // Temporal answers, and has lost this history.
    throw hasStatus(error, status.DATA_LOSS) ? new HistoryUnreadable() : error
  }
}

type Time = { seconds?: unknown; nanos?: number | null | undefined } | null | undefined

const dateOf = (time: Time): Date => new Date(Number(time?.seconds ?? 0) * 1000 + Math.floor((time?.nanos ?? 0) / 1e6))
