import { randomUUID } from 'node:crypto'
import { type Client, isGrpcDeadlineError } from '@temporalio/client'
import { type Duration, msToTs, requiredTsToMs } from '@temporalio/common/lib/time.js'
import proto from '@temporalio/proto'

export type FastForward = {
  /**
   * - `reached`: the workflow's time is at the target, or later.
   * - `ended`: the workflow closed before.
   * - `skip-limit`: the target is not reached after `maxSkips` skips; another fast-forward can go on from here.
   * - `replaced`: another fast-forward of the same workflow replaced this one.
   */
  outcome: 'reached' | 'ended' | 'skip-limit' | 'replaced'
  /** The workflow's time; of a closed workflow, the time at which it closed. */
  now: Date
}

export type FastForwardOptions = {
  /** Real time to wait, by default two minutes: days of an outage are thousands of attempts. */
  timeoutMs?: number
  /** Allowed skips, each to one timer or retry, by default 10,000. Guards against a retry that never succeeds. */
  maxSkips?: number
}

/** The server ends a poll when the target is reached, but not when the skip limit is, so a poll must be short. */
const pollMs = 1_000

const { FastForwardPollingResult, WorkflowExecutionStatus } = proto.temporal.api.enums.v1

/**
 * Skips one workflow's time forward by `duration`. Resolves when the target is reached, or cannot be.
 *
 * Timers fire and activities are retried in order and at their times; running attempts are waited for. Afterwards the
 * time goes on at its normal pace. Each call also starts one more attempt at once of an activity that waits for its
 * next one: server 1.32 reschedules them whenever options change. Child workflows start at their parent's time, and
 * skip on their own.
 *
 * Needs a server with `frontend.WorkflowTimeSkippingEnabled`; meant for the sandbox, never for a person's real run.
 *
 * @throws ServiceError if there is no such open workflow, or the server does not skip time
 * @throws Error if the target is not reached within `timeoutMs` of real time; it may be later
 */
export async function fastForward(
  client: Client,
  workflowId: string,
  duration: Duration,
  { timeoutMs = 120_000, maxSkips = 10_000 }: FastForwardOptions = {},
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
        return { outcome: 'reached', now: (await describeTime(client, workflowId)).now }
      case FastForwardPollingResult.FAST_FORWARD_POLLING_RESULT_FAST_FORWARD_FAILED: {
        const { now, open } = await describeTime(client, workflowId)
        if (!open) return { outcome: 'ended', now }
        return { outcome: poll.fastForwardInfo?.fastForwardId === id ? 'skip-limit' : 'replaced', now }
      }
    }
  }
  throw new Error(`The clock of ${workflowId} did not arrive within ${timeoutMs} ms`)
}

/**
 * A workflow's time: real time plus all skipped time. Of a closed workflow, the time at which it closed.
 * @throws ServiceError if there is no such workflow
 */
export async function workflowNow(client: Client, workflowId: string): Promise<Date> {
  return (await describeTime(client, workflowId)).now
}

async function describeTime(client: Client, workflowId: string): Promise<{ now: Date; open: boolean }> {
  const { workflowExecutionInfo: info, workflowExtendedInfo: extended } =
    await client.workflowService.describeWorkflowExecution({
      namespace: client.options.namespace,
      execution: { workflowId },
    })
  const open = info?.status === WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
  const time = open ? extended?.timeSkippingInfo?.currentTime : info?.closeTime
  return { now: time ? new Date(requiredTsToMs(time, 'time')) : new Date(), open }
}
