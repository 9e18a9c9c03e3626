import type { Context } from '../context.ts'
import type { ProviderFailure } from '../providers/failure.ts'

/**
 * Makes an operator task of a refusal that should not have come in this place. Refusals that only an operator can end
 * become tasks by themselves (providers/alarm.ts).
 */
export async function raiseProviderTask({ calls }: Pick<Context, 'calls'>, failure: ProviderFailure): Promise<void> {
  // A refusal with `needsOperator` is an operator task already.
  if (!failure.needsOperator) await calls.needsOperator(failure)
}
