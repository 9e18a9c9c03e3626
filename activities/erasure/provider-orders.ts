/** What eSIM providers hold for orders that an erased person paid for and never got goes back. */
import type { Context } from '../../context.ts'
import { resealSecret, type SealedPlacement } from '../../db/erasure/deletion-seals.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { failureType } from '../../shared/failures.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { createProviderReturns } from '../order/provider-returns.ts'
import { type StepOutcome, withSecret } from './step.ts'

type Activities = Pick<DeletionActivities, 'releaseProviderOrders'>

export function createDeletionProviderActivities(context: Context): Activities {
  const { sql } = context
  const returns = createProviderReturns(context)

  return {
    async releaseProviderOrders(step) {
      await withSecret(context, { ...step, processor: 'esim_provider', part: 'providerOrders' }, (held) =>
        releaseAll(step.receiptId, held, new Date(step.asOf)),
      )
    },
  }

  async function releaseAll(receiptId: string, held: SealedPlacement[], at: Date): Promise<StepOutcome> {
    let left = held
    let fault: unknown
    let outcome: StepOutcome = { state: 'done' }
    for (const placement of held) {
      try {
        outcome = (await release(receiptId, placement, at)) ?? outcome
        left = left.filter((each) => each !== placement)
        await resealSecret(sql, context, receiptId, 'providerOrders', left)
      } catch (error) {
        // One provider that cannot be reached does not hold up the other.
        fault ??= error
      }
    }
    if (fault !== undefined) throw fault
    return outcome
  }

  async function release(receiptId: string, placement: SealedPlacement, at: Date): Promise<StepOutcome | undefined> {
    const task = { subjectId: receiptId, detail: placement.provider, at }
    try {
      let requested = false
      await returns.giveBack(placement, async (_esimRef, answer) => {
        requested ||= answer === 'requested'
      })
      // The provider's people decide about our money; the person has theirs already.
      if (requested) await raiseOperatorTask(sql, { ...task, kind: 'provider_refund_requested' })
      return undefined
    } catch (error) {
      if (failureType(error) !== 'EsimInUse') throw error
      // It lives on with whoever installed it, and names nobody. What it cost is for an operator to look into.
      await raiseOperatorTask(sql, { ...task, kind: 'provider_order_unreturned' })
      return { state: 'done', code: 'esim_in_use' }
    }
  }
}
