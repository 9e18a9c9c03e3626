/** The answer to an operator who asks for work that one run at a time does. */
import type { Client, WorkflowStartOptions } from '@temporalio/client'
import { z } from 'zod'
import { startOrJoin } from '../../temporal/runs.ts'

export const startedRun = z
  .object({
    workflowId: z.string(),
    startedAt: z.iso.datetime(),
    joined: z
      .boolean()
      .describe('true: a run was under way already and goes on; what has changed since `startedAt` it may not see'),
  })
  .meta({ id: 'StartedRun' })

/** Starts a run, or joins the one that is under way. @returns the body of the answer */
export async function startAsked(
  temporal: Client,
  start: { type: string } & WorkflowStartOptions,
): Promise<z.infer<typeof startedRun>> {
  const { startedAt, joined } = await startOrJoin(temporal, start)
  return { workflowId: start.workflowId, startedAt: startedAt.toISOString(), joined }
}
