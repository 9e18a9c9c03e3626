/**
 * Sign-ins with Apple that their owners ended after the dump: a restore must not bring the link back, nor its token.
 */
import type { Client } from '@temporalio/client'
import type { Context } from '../../context.ts'
import { unlinkIdentity } from '../../db/identities.ts'
import { signInEndedType } from '../../workflows/sign-in-ended.contract.ts'
import type { IsolateFailure } from './failure-isolation.ts'
import { runInputs } from './history-forms.ts'
import { openSince } from './order-runs.ts'
import { hasCompleted, readAs, readHistory } from './run-history.ts'

/** Unlinks the sign-ins that ended after a time. Repeatable. */
export async function rebuildSignIns(
  { sql }: Context,
  temporal: Client,
  { since, isolate }: { since: Date; isolate: IsolateFailure },
): Promise<void> {
  const query = `WorkflowType = '${signInEndedType}' AND ${openSince(since)}`
  for await (const run of temporal.workflow.list({ query }))
    await isolate({ kind: 'run', subjectId: run.workflowId }, async () => {
      const history = await readHistory(temporal, run)
      // A run that is under way does it when the workers are back, and then writes to its owner.
      if (!history || !hasCompleted(history.activities, 'unlinkApple')) return
      const { accountId, endedAt } = readAs(runInputs.signInEnded, history.input)
      await unlinkIdentity(sql, { accountId, provider: 'apple', until: endedAt })
    })
}
