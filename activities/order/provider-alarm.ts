import type { Context } from '../../context.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import type { ProviderFailure } from '../../providers/failure.ts'

/** Balance, credentials, or an answer that nobody has described: orders wait, perhaps until somebody acts. */
export async function showOperator(context: Context, { provider, code }: ProviderFailure): Promise<void> {
  context.metrics.providerMisconfigured.inc({ provider, code })
  const task = { kind: 'provider_misconfigured', subjectId: provider, detail: code, at: new Date() }
  await raiseOperatorTask(context.sql, task)
}
