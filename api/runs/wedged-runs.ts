/** Runs whose workflow task fails again and again, as Temporal reports them. */
import type { Client } from '@temporalio/client'
import { defineSearchAttributeKey } from '@temporalio/common'

export interface WedgedRun {
  type: string
  workflowId: string
  runId: string
  startedAt: Date
  /** Temporal's words: `category=WorkflowTaskFailed cause=...` */
  problem: string
}

const reportedProblems = defineSearchAttributeKey('TemporalReportedProblems', 'KEYWORD_LIST')

/**
 * Lists wedged runs, the newest first.
 * @throws when Temporal does not answer within `answerWithinMs`
 */
export async function listWedgedRuns(
  temporal: Client,
  { limit, answerWithinMs }: { limit: number; answerWithinMs: number },
): Promise<WedgedRun[]> {
  const query = "ExecutionStatus = 'Running' AND TemporalReportedProblems IS NOT NULL"
  return temporal.withDeadline(Date.now() + answerWithinMs, async () => {
    const runs: WedgedRun[] = []
    for await (const run of temporal.workflow.list({ query, pageSize: limit })) {
      runs.push({
        type: run.type,
        workflowId: run.workflowId,
        runId: run.runId,
        startedAt: run.startTime,
        problem: (run.typedSearchAttributes.get(reportedProblems) ?? []).join(' '),
      })
      if (runs.length === limit) break
    }
    return runs
  })
}
