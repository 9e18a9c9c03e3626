/** Runs with the types of ours that take updates, and fail with a failure of ours, as that of a local activity. */
import { ApplicationFailure, allHandlersFinished, condition, defineUpdate, setHandler } from '@temporalio/workflow'
import { opened as breachOpened } from '../../workflows/breach/breach.contract.ts'
import { opened as campaignOpened } from '../../workflows/campaign.contract.ts'
import { opened as changeOpened } from '../../workflows/email-change.contract.ts'
import { opened as rotationOpened } from '../../workflows/keys/key-rotation.contract.ts'
import { bulkActionStarted } from '../../workflows/order/bulk-action.contract.ts'
import { returnDelivered } from '../../workflows/order/order.contract.ts'
import { partialRefundMade } from '../../workflows/order/partial-refund.contract.ts'
import { withdrawalStated } from '../../workflows/order/withdrawal.contract.ts'
import { post } from '../../workflows/policy-notice.contract.ts'
import { opened as requestOpened } from '../../workflows/privacy-request.contract.ts'

/**
 * - `asked`: its caller gets the failure
 * - `later`: its caller has the answer already
 * - `otherwise`: the caller of another update gets a failure, and the run fails without an answer to its own
 * - `unasked`: nobody asks it
 */
export type When = 'asked' | 'later' | 'otherwise' | 'unasked'

const failure = () => ApplicationFailure.nonRetryable('', 'OutOfStock')

const failingAs =
  ({ name }: { name: string }) =>
  async (when: When): Promise<void> => {
    let isOver = when === 'unasked'
    setHandler(defineUpdate<string>(when === 'otherwise' ? 'other' : name), async () => {
      isOver = true
      if (when !== 'later') throw failure()
      return 'done'
    })
    await condition(() => isOver)
    await condition(allHandlersFinished)
    throw failure()
  }

export const updateOf = {
  breach: breachOpened.name,
  bulkAction: bulkActionStarted.name,
  campaign: campaignOpened.name,
  emailChange: changeOpened.name,
  keyRotation: rotationOpened.name,
  orderAftercare: returnDelivered.name,
  partialRefund: partialRefundMade.name,
  policyNotice: post.name,
  privacyRequest: requestOpened.name,
  withdrawal: withdrawalStated.name,
} as const

export const breach = failingAs(breachOpened)
export const bulkAction = failingAs(bulkActionStarted)
export const campaign = failingAs(campaignOpened)
export const emailChange = failingAs(changeOpened)
export const keyRotation = failingAs(rotationOpened)
export const orderAftercare = failingAs(returnDelivered)
export const partialRefund = failingAs(partialRefundMade)
export const policyNotice = failingAs(post)
export const privacyRequest = failingAs(requestOpened)
export const withdrawal = failingAs(withdrawalStated)
