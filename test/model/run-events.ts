/** Reads the history of a run as events, in the order in which they happened. */
import type { Payload, PayloadCodec } from '@temporalio/common'
import proto from '@temporalio/proto'
import { z } from 'zod'
import type { History } from '../harness/temporal/histories.ts'

const outOfTime = proto.temporal.api.enums.v1.RetryState.RETRY_STATE_TIMEOUT

/** The name of a cancellation by Temporal's own means, which no update of ours has. */
export const cancelsRun = '__cancel_run'

export type RunEvent = { at: number } & (
  | { kind: 'scheduled' | 'timed_out' | 'cancelled'; activity: string; input: Data }
  /** `begunAt`: of a local activity, whose history has no event for its beginning */
  | { kind: 'completed'; activity: string; input: Data; result: Data; begunAt: number }
  /** `code`: of the failure, or empty */
  | { kind: 'failed'; activity: string; input: Data; type: string; code: string }
  | { kind: 'update' | 'signal'; name: string }
  /** the run shows a state */
  | { kind: 'shows'; status: string }
  | { kind: 'started'; workflowType: string; input: Data }
  | { kind: 'closed'; how: 'completed' | 'failed' | 'terminated'; result: Data; type: string }
)

/** The properties of a decoded value; a value that is no object is its property `value`. */
export type Data = Record<string, unknown>

type Payloads = { payloads?: Payload[] | null } | null | undefined
interface Failure {
  applicationFailureInfo?: { type?: string | null; details?: Payloads } | null
  timeoutFailureInfo?: unknown
  cause?: Failure | null
}

/** The type of a failure, or of its cause. */
const typeOf = (failure: Failure | null | undefined): string =>
  failure?.applicationFailureInfo?.type ??
  (failure?.timeoutFailureInfo ? 'Timeout' : failure?.cause ? typeOf(failure.cause) : '')

const detailsOf = (failure: Failure | null | undefined): Payloads =>
  failure?.applicationFailureInfo ? failure.applicationFailureInfo.details : failure?.cause && detailsOf(failure.cause)

const msOf = (time: { seconds?: unknown; nanos?: number | null | undefined } | null | undefined): number =>
  Number(time?.seconds ?? 0) * 1000 + (time?.nanos ?? 0) / 1e6

export async function readRunEvents(history: History, codecs: PayloadCodec[]): Promise<RunEvent[]> {
  const found: RunEvent[] = []
  const scheduled = new Map<string, { activity: string; input: Data }>()
  for (const event of history.events ?? []) {
    const at = msOf(event.eventTime)
    const add = (one: RunEventOf): number => found.push({ at, ...one })
    const begun = event.activityTaskScheduledEventAttributes
    if (begun) {
      const activity = { activity: begun.activityType?.name ?? '', input: await decode(begun.input) }
      scheduled.set(String(event.eventId), activity)
      add({ kind: 'scheduled', ...activity })
    }
    const ofActivity = (attributes: { scheduledEventId?: unknown }) =>
      scheduled.get(String(attributes.scheduledEventId)) ?? { activity: '', input: {} }
    const done = event.activityTaskCompletedEventAttributes
    if (done) add({ kind: 'completed', ...ofActivity(done), result: await decode(done.result), begunAt: at })
    const failed = event.activityTaskFailedEventAttributes
    if (failed)
      add({
        kind: 'failed',
        ...ofActivity(failed),
        type: failed.retryState === outOfTime ? 'Timeout' : typeOf(failed.failure),
        code: await codeOf(failed.failure),
      })
    const late = event.activityTaskTimedOutEventAttributes
    if (late) add({ kind: 'timed_out', ...ofActivity(late) })
    const stopped = event.activityTaskCanceledEventAttributes
    if (stopped) add({ kind: 'cancelled', ...ofActivity(stopped) })
    const marker = event.markerRecordedEventAttributes
    if (marker?.markerName === 'core_local_activity') {
      const {
        activity_type: name,
        original_schedule_time: begunAt,
        complete_time: completedAt,
      } = await decode(marker.details?.data)
      const local = { activity: String(name), input: {} }
      if (marker.failure)
        add({ kind: 'failed', ...local, type: typeOf(marker.failure), code: await codeOf(marker.failure) })
      else
        add({
          kind: 'completed',
          ...local,
          result: await decode(marker.details?.result),
          begunAt: msOf(timeForm.parse(begunAt ?? completedAt)),
        })
    }
    const update = event.workflowExecutionUpdateAcceptedEventAttributes
    if (update) add({ kind: 'update', name: update.acceptedRequest?.input?.name ?? '' })
    if (event.workflowExecutionCancelRequestedEventAttributes) add({ kind: 'update', name: cancelsRun })
    const signal = event.workflowExecutionSignaledEventAttributes
    if (signal) add({ kind: 'signal', name: signal.signalName ?? '' })
    const fields = event.upsertWorkflowSearchAttributesEventAttributes?.searchAttributes?.indexedFields
    const shown = fields?.Stage ?? fields?.Status
    if (shown) add({ kind: 'shows', status: String((await decode({ payloads: [shown] })).value) })
    const started = event.workflowExecutionStartedEventAttributes
    if (started)
      add({ kind: 'started', workflowType: started.workflowType?.name ?? '', input: await decode(started.input) })
    const completed = event.workflowExecutionCompletedEventAttributes
    if (completed) add({ kind: 'closed', how: 'completed', result: await decode(completed.result), type: '' })
    const broken = event.workflowExecutionFailedEventAttributes
    if (broken) add({ kind: 'closed', how: 'failed', result: {}, type: typeOf(broken.failure) })
    if (event.workflowExecutionTerminatedEventAttributes)
      add({ kind: 'closed', how: 'terminated', result: {}, type: '' })
  }
  return found

  async function codeOf(failure: Failure | null | undefined): Promise<string> {
    const { value } = await decode(detailsOf(failure))
    return typeof value === 'string' ? value : ''
  }

  async function decode(given: Payloads): Promise<Data> {
    let payloads = given?.payloads ?? []
    for (const codec of codecs) payloads = await codec.decode(payloads)
    const data = payloads[0]?.data
    const value: unknown = data && data.length > 0 ? JSON.parse(Buffer.from(data).toString('utf8')) : undefined
    return typeof value === 'object' && value !== null ? { ...value } : { value }
  }
}

/** The form in which the SDK's core writes a time. */
const timeForm = z.object({ seconds: z.unknown().optional(), nanos: z.number().nullish() }).nullish()
type RunEventOf = RunEvent extends infer One ? (One extends { at: number } ? Omit<One, 'at'> : never) : never
