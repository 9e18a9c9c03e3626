import { randomUUID } from 'node:crypto'
import { type Client, isGrpcDeadlineError } from '@temporalio/client'
import { type Duration, msToTs, requiredTsToMs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'

export type FastForward = {
  /**
   * - `reached`: the workflow's clock stands where it was sent, or later.
   * - `ended`: the workflow closed before.
   * - `skip-limit`: it skipped `maxSkips` times and is still short of the target; send it on from here if it should.
   * - `replaced`: another fast-forward of the same workflow took the place of this one.
   */
  outcome: 'reached' | 'ended' | 'skip-limit' | 'replaced'
  /** The workflow's own clock; once it has ended, the time it closed. */
  now: Date
}

export type FastForwardOptions = {
  /** Wall time to wait; one minute unless given. */
  timeoutMs?: number
  /** Skips allowed, each to one timer or retry; 10,000 unless given. Guards against a retry that never succeeds. */
  maxSkips?: number
}

/** A poll returns at once when the clock arrives, but nobody wakes it when the skip limit is hit: ask again. */
const pollMs = 1_000

const { FastForwardPollingResult, WorkflowExecutionStatus } = proto.temporal.api.enums.v1

/**
 * Moves one workflow's clock forward by `duration` and resolves when it is there, or cannot get there.
 *
 * On the way its timers fire, and its activities are retried, in order and at their times; an attempt that is running
 * is waited for. Afterwards the clock runs on at its normal pace. Each call also brings an activity that waits for its
 * next attempt one attempt more, at once: server 1.32 reschedules them whenever options change. Child workflows start at
 * their parent's time, and skip on their own.
 *
 * Needs a server with `frontend.WorkflowTimeSkippingEnabled`; meant for the sandbox, never for a person's real run.
 *
 * @throws ServiceError if there is no such open workflow, or the server does not skip time
 * @throws Error if the clock has not arrived within `timeoutMs` of wall time; it may still
 */
export async function fastForward(
  client: Client,
  workflowId: string,
  duration: Duration,
  { timeoutMs = 60_000, maxSkips = 10_000 }: FastForwardOptions = {},
): Promise<FastForward> {
  const { namespace } = client.options
  const { workflowService } = client
  const workflowExecution = { workflowId }
  const id = randomUUID()
  await workflowService.updateWorkflowExecutionOptions({
    namespace,
    workflowExecution,
    workflowExecutionOptions: {
      timeSkippingConfig: {
        enabled: true,
        fastForwardConfig: { id, duration: msToTs(duration) },
        maxSessionSkipCount: maxSkips,
      },
    },
    updateMask: { paths: ['time_skipping_config'] },
  })

  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline) {
    const pollUntil = Math.min(Date.now() + pollMs, deadline)
    const poll = await client
      .withDeadline(pollUntil, () =>
        workflowService.pollWorkflowExecutionTimeSkipping({ namespace, workflowExecution, fastForwardId: id }),
      )
      .catch((error: unknown) => {
        if (isGrpcDeadlineError(error) || Date.now() >= pollUntil) return undefined
        throw error
      })
    switch (poll?.fastForwardPollingResult) {
      case FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_COMPLETED:
        return { outcome: 'reached', now: (await describeClock(client, workflowId)).now }
      case FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED: {
        const { now, open } = await describeClock(client, workflowId)
        if (!open) return { outcome: 'ended', now }
        return { outcome: poll.fastForwardInfo?.fastForwardId === id ? 'skip-limit' : 'replaced', now }
      }
    }
  }
  throw new Error(`The clock of ${workflowId} did not arrive within ${timeoutMs} ms`)
}

/**
 * The time it is for a workflow: later than the wall clock by all it has skipped. Once it has ended, the time it closed.
 * @throws ServiceError if there is no such workflow
 */
export async function workflowNow(client: Client, workflowId: string): Promise<Date> {
  return (await describeClock(client, workflowId)).now
}

async function describeClock(client: Client, workflowId: string): Promise<{ now: Date; open: boolean }> {
  const { workflowExecutionInfo: info, workflowExtendedInfo: extended } =
    await client.workflowService.describeWorkflowExecution({
      namespace: client.options.namespace,
      execution: { workflowId },
    })
  const open = info?.status === WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
  const time = open ? extended?.timeSkippingInfo?.currentTime : info?.closeTime
  return { now: time ? new Date(requiredTsToMs(time, 'time')) : new Date(), open }
}
