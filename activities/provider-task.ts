import type { Context } from '../context.ts'
import { raiseOperatorTask } from '../db/operator-tasks.ts'
import type { ProviderFailure } from '../providers/failure.ts'

/**
 * Makes an operator task of a provider's failure that only an operator can end: balance, credentials, a mail server that
 * refuses us, an undocumented answer.
 */
export async function raiseProviderTask(
  { metrics, sql }: Pick<Context, 'metrics' | 'sql'>,
  { provider, code }: ProviderFailure,
): Promise<void> {
  metrics.providerMisconfigured.inc({ provider, code })
  const task = { kind: 'provider_misconfigured', subjectId: provider, detail: code, at: new Date() }
  await raiseOperatorTask(sql, task)
}
