import { randomUUID } from 'node:crypto'
import type { Stack } from '../../../dev/stack.ts'
import { type FastForwardOptions, fastForward } from '../../../temporal/time-skipping.ts'

/**
 * Runs a workflow as its schedule does, `days` from now by its own clock: its start is delayed, and the delay skipped.
 * Runs that it starts through a client begin at the present time.
 */
export async function runLater<Result>(
  { temporal, config }: Pick<Stack, 'temporal' | 'config'>,
  workflowType: string,
  days: number,
  args: unknown[] = [],
  options: FastForwardOptions = {},
): Promise<Result> {
  const workflowId = `${workflowType}-in-${days}-days-${randomUUID()}`
  await temporal.workflow.start(workflowType, {
    workflowId,
    taskQueue: config.TEMPORAL_TASK_QUEUE,
    args,
    ...(days > 0 && { startDelay: `${days} days` }),
  })
  if (days > 0) await fastForward(temporal, workflowId, `${days + 1} days`, options)
  return await temporal.workflow.getHandle<() => Promise<Result>>(workflowId).result()
}
