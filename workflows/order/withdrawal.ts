/**
 * A withdrawal from an order's contract: the statement counts as soon as it is recorded, also while an outside party is
 * down; it is acknowledged at once, and carried out until the refund has begun.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  proxyActivities,
  proxyLocalActivities,
} from '@temporalio/workflow'
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import { failure, failureCode, failureType } from '../../shared/failures.ts'
import { inBackground } from '../run/background-work.ts'
import { proxyLocalFirst } from '../run/local-first.ts'
import { nothing, onUpdate } from '../run/messages.ts'
import { clock, now } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { showStatus, showStatusDetails } from '../run/run-status.ts'
import type { OrderActivities } from './order.contract.ts'
import { codeOf } from './run.ts'
import {
  firstWithdrawalState,
  type WithdrawalActivities,
  type WithdrawalState,
  withdrawalStated,
} from './withdrawal.contract.ts'

const stating = proxyLocalActivities<WithdrawalActivities>(retry.localWhileCallerWaits)
const localFirst = proxyLocalFirst<WithdrawalActivities & OrderActivities>()
const notify = proxyActivities<WithdrawalActivities>(retry.message)
const { carryOutWithdrawal } = proxyActivities<WithdrawalActivities>({
  ...retry.money,
  // The order's run, which is asked, has 25 s for its provider.
  startToCloseTimeout: '40 seconds',
  scheduleToCloseTimeout: `${periods.withdrawal.automaticForDays} days`,
})

export async function withdrawal({ orderId }: { orderId: string }): Promise<WithdrawalState> {
  const state: WithdrawalState = { status: 'stated' }
  let recorded = false
  let fault: Error | undefined
  onUpdate(withdrawalStated, nothing, async () => {
    await condition(() => recorded || fault !== undefined)
    if (fault) throw fault
    return state
  })
  showStatusDetails(firstWithdrawalState)

  try {
    await stating.recordWithdrawal({ orderId, ...clock() })
    recorded = true
  } catch (error) {
    // The run fails, so that the same request may be made again.
    fault = failure(failureType(error) ?? 'ProviderUnavailable', codeOf(error))
    await condition(allHandlersFinished)
    throw fault
  }
  moveTo('stated', plusDays(now(), periods.withdrawal.refundWithinDays))
  const acknowledged = inBackground(acknowledge())
  await carryOut()
  await acknowledged
  await condition(allHandlersFinished)
  return state

  async function carryOut(): Promise<void> {
    try {
      await carryOutWithdrawal({ orderId, ...clock() })
      moveTo('refunding', null)
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      const code = failureCode(error) ?? failureType(error) ?? 'unknown'
      if (failureType(error) !== 'OrderMissing')
        await localFirst.leaveWithdrawalToOperator({ orderId, ...clock(), code })
      moveTo('left_to_operator', null)
    }
  }

  async function acknowledge(): Promise<void> {
    try {
      await notify.sendWithdrawalAcknowledgement({ orderId, ...clock() })
    } catch (error) {
      if (!(error instanceof ActivityFailure)) throw error
      if (failureType(error) === 'OrderMissing') return
      await localFirst.raiseAttention({ orderId, kind: 'mail_undelivered', ...clock(), ...codeOf(error) })
    }
  }

  function moveTo(status: WithdrawalState['status'], dueAt: Date | null): void {
    state.status = status
    showStatus({ status, waitingFor: status === 'stated' ? firstWithdrawalState.waitingFor : 'nothing', dueAt })
  }
}
