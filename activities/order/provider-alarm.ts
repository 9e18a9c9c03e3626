import type { Context } from '../../context.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { asFailure, knownPaymentFailureTypes } from '../failures.ts'
import { raiseProviderTask } from '../provider-task.ts'

/** Asks Stripe about a payment that it made. A refused question is repeated, and is an operator task. */
export async function askAboutPayment<Answer>(context: Context, call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call()
  } catch (error) {
    if (!isProviderFailure(error)) throw error
    if (error.kind === 'rejected') await raiseProviderTask(context, error)
    throw asFailure(error, knownPaymentFailureTypes)
  }
}
