/** The open runs that operators see on the console: runs that concern all customers, and late runs of every type. */
import type { ApiContext } from '../../context.ts'
import { milliseconds } from '../../policy/periods.ts'
import { plusMs } from '../../shared/calendar.ts'
import { searchAttributes } from '../../shared/search-attributes.ts'
import { campaignType } from '../../workflows/campaign.contract.ts'
import { keyRotationType } from '../../workflows/keys/key-rotation.contract.ts'
import { policyNoticeType } from '../../workflows/policy-notice.contract.ts'

export interface ConsoleRun {
  type: string
  workflowId: string
  runId: string
  status: string
  waitingFor: string
  dueAt: Date | null
  late: boolean
}

/** Runs of one person (orders, deletions, requests) are many: only those that are late are listed. */
const concernAllCustomers = [policyNoticeType, campaignType, keyRotationType]
/** A run may be delayed by retries or a busy worker: that alone does not make it late. */
const graceMs = 10 * milliseconds.minute
const answerWithinMs = 3_000

/**
 * Lists open runs with their run status, the earliest due first.
 * @returns undefined while Temporal does not answer within 3 s: the rest of the console must not wait for it
 */
export async function listConsoleRuns(
  { temporal, log }: Pick<ApiContext, 'temporal' | 'log'>,
  { asOf, limit }: { asOf: Date; limit: number },
): Promise<ConsoleRun[] | undefined> {
  const lateBefore = plusMs(asOf, -graceMs)
  const types = concernAllCustomers.map((type) => `'${type}'`).join(', ')
  const query = `ExecutionStatus = 'Running' AND (WorkflowType IN (${types}) OR DueAt < '${lateBefore.toISOString()}')`
  try {
    return await temporal.withDeadline(Date.now() + answerWithinMs, async () => {
      const runs: ConsoleRun[] = []
      for await (const run of temporal.workflow.list({ query, pageSize: limit })) {
        const dueAt = run.typedSearchAttributes.get(searchAttributes.dueAt) ?? null
        runs.push({
          type: run.type,
          workflowId: run.workflowId,
          runId: run.runId,
          status: run.typedSearchAttributes.get(searchAttributes.stage) ?? '',
          waitingFor: run.typedSearchAttributes.get(searchAttributes.waitingFor) ?? '',
          dueAt,
          late: dueAt !== null && dueAt < lateBefore,
        })
        if (runs.length === limit) break
      }
      return runs.sort((a, b) => (a.dueAt?.getTime() ?? Number.MAX_VALUE) - (b.dueAt?.getTime() ?? Number.MAX_VALUE))
    })
  } catch (error) {
    log.warn({ error }, 'open runs could not be listed')
    return undefined
  }
}
