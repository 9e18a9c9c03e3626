import type { Context } from '../../context.ts'
import { raiseAttention } from '../../db/operator-tasks.ts'
import type { ProviderFailure } from '../../providers/failure.ts'

/** Balance, credentials, or an answer that nobody has described: orders wait, perhaps until somebody acts. */
export async function showOperator(context: Context, { provider, code }: ProviderFailure): Promise<void> {
  context.metrics.providerMisconfigured.inc({ provider, code })
  const matter = { kind: 'provider_misconfigured', subjectId: provider, detail: code, at: new Date() }
  await raiseAttention(context.sql, matter)
}
