/** Returns the eSIMs that providers hold for undelivered orders of an erased person. */
import type { Context } from '../../context.ts'
import { resealSecret } from '../../db/erasure/deletion-seals.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import type { HeldPlacement } from '../../db/order/placements.ts'
import type { StepOutcome } from '../../policy/deletion.ts'
import { failureType } from '../../shared/failures.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { createProviderReturns, type ReturnRecord, unreturned } from '../order/provider-returns.ts'
import { withSecret } from './step.ts'

type Activities = Pick<DeletionActivities, 'releaseProviderOrders'>

export function createDeletionProviderActivities(context: Context): Activities {
  const { sql } = context
  const returns = createProviderReturns(context)

  return {
    async releaseProviderOrders(step) {
      return withSecret(context, { ...step, processor: 'esim_provider', part: 'providerOrders' }, (held) =>
        returnAll(step.receiptId, held, new Date(step.asOf)),
      )
    },
  }

  async function returnAll(receiptId: string, held: HeldPlacement[], at: Date): Promise<StepOutcome> {
    let left = held
    let firstError: unknown
    let outcome: StepOutcome = { state: 'done' }
    for (const placement of held) {
      try {
        const record: ReturnRecord = {
          async keep({ marks, task }) {
            const detail = [placement.provider, ...(task?.detail ? [task.detail] : [])].join(': ')
            if (task) await raiseOperatorTask(sql, { ...task, subjectId: receiptId, detail, at })
            placement.returnsAsked = [...(placement.returnsAsked ?? []), ...marks]
            await resealSecret(sql, context, receiptId, 'providerOrders', left)
          },
        }
        outcome = (await returnPlacement(receiptId, placement, record, at)) ?? outcome
        left = left.filter((each) => each !== placement)
        await resealSecret(sql, context, receiptId, 'providerOrders', left)
      } catch (error) {
        // A provider that is down must not stop the others.
        firstError ??= error
      }
    }
    if (firstError !== undefined) throw firstError
    return outcome
  }

  async function returnPlacement(
    receiptId: string,
    placement: HeldPlacement,
    record: ReturnRecord,
    at: Date,
  ): Promise<StepOutcome | undefined> {
    const task = { kind: unreturned, subjectId: receiptId, at }
    try {
      const { missing } = await returns.returnEsims(placement, record)
      if (missing !== undefined) await raiseOperatorTask(sql, { ...task, detail: `${placement.provider}: ${missing}` })
      return undefined
    } catch (error) {
      if (failureType(error) !== 'EsimInUse') throw error
      // The eSIM is installed and holds no personal data. An operator decides about its cost.
      await raiseOperatorTask(sql, { ...task, detail: placement.provider })
      return { state: 'done', code: 'esim_in_use' }
    }
  }
}
