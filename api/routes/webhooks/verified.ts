import { isProviderFailure } from '../../../providers/failure.ts'
import { Problem } from '../../http/problem.ts'

/** A webhook, read by its party's adapter. @throws Problem webhook_refused with the code of the adapter's refusal */
export function verified<Event>(parse: () => Event): Event {
  try {
    return parse()
  } catch (error) {
    if (isProviderFailure(error)) throw new Problem('webhook_refused', { detail: `Reason: ${error.code}` })
    throw error
  }
}
