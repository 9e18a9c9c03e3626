import type { Context } from '../../context.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { isProviderFailure, type ProviderFailure } from '../../providers/failure.ts'
import { asFailure, knownPaymentFailureTypes } from '../failures.ts'

/**
 * Makes an operator task of a provider's failure that only an operator can end: balance, credentials, an undocumented
 * answer.
 */
export async function raiseProviderTask(context: Context, { provider, code }: ProviderFailure): Promise<void> {
  context.metrics.providerMisconfigured.inc({ provider, code })
  const task = { kind: 'provider_misconfigured', subjectId: provider, detail: code, at: new Date() }
  await raiseOperatorTask(context.sql, task)
}

/** Asks the processor about a payment that it made. What it refuses is asked again, and an operator sees it. */
export async function askAboutPayment<Answer>(context: Context, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call()
  } catch (error) {
    if (!isProviderFailure(error)) throw error
    if (error.kind === 'rejected') await raiseProviderTask(context, error)
    throw asFailure(error, knownPaymentFailureTypes)
  }
}
