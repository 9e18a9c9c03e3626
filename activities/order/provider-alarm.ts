import type { Context } from '../../context.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { asFailure, knownPaymentFailureTypes } from '../failures.ts'
import { raiseProviderTask } from '../provider-task.ts'

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
