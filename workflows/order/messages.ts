/** What may be asked of an order's run, and when. */
import { condition, proxyActivities, setHandler } from '@temporalio/workflow'
import { failure, failureType } from '../../shared/failures.ts'
import { clock } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import {
  approve,
  cancel,
  checkout,
  disputeSignal,
  type OrderActivities,
  type OrderState,
  type OrderStatus,
  orderState,
  paymentSignal,
  providerSignal,
  refund,
  reject,
  resend,
} from './order.contract.ts'
import { codeOf, type OrderRun } from './run.ts'

const answering = proxyActivities<OrderActivities>(retry.whileCallerWaits)

export function takeMessages(run: OrderRun): void {
  const { state, hints, requested, orderId } = run

  setHandler(orderState, () => state)
  setHandler(paymentSignal, () => {
    hints.payment = true
  })
  setHandler(providerSignal, () => {
    hints.provider = true
  })
  setHandler(disputeSignal, ({ disputeId }) =>
    run.noteDispute(disputeId, standsIn('awaiting_payment', 'in_review', 'provisioning')),
  )

  setHandler(checkout, async () => {
    await condition(() => run.checkout.done || run.checkout.fault !== undefined)
    if (run.checkout.fault) throw run.checkout.fault
    return state
  })

  setHandler(
    cancel,
    async () => {
      requested.cancel = true
      run.stopProvisioning?.()
      await condition(() => !standsIn('awaiting_payment', 'in_review', 'provisioning'))
      if (standsIn('delivered', 'ended')) throw conflict()
      return state
    },
    {
      validator: () =>
        allow(
          run.checkout.done &&
            (standsIn('awaiting_payment', 'in_review') ||
              // What a top-up has put onto an eSIM cannot be taken back.
              (standsIn('provisioning') && !run.input.parentOrderId)),
        ),
    },
  )

  setHandler(
    refund,
    async () => {
      if (state.status === 'refund_failed') requested.retryRefund = true
      else await takeBack()
      await condition(() => !standsIn('delivered', 'refund_failed'))
      return state
    },
    {
      validator: () =>
        allow(standsIn('refund_failed') || (standsIn('delivered') && !requested.returning && !run.input.parentOrderId)),
    },
  )

  setHandler(
    resend,
    async ({ requestId }) => {
      await answering.sendOrderMail({ orderId, mail: 'confirmation', ...clock(), requestId })
      return state
    },
    { validator: (_request: { requestId: string }) => allow(standsIn('delivered')) },
  )

  setHandler(approve, () => decide('approve'), { validator: () => allow(undecided()) })
  setHandler(reject, () => decide('reject'), { validator: () => allow(undecided()) })

  async function takeBack(): Promise<void> {
    requested.returning = true
    requested.returnTried = true
    try {
      await answering.withdrawEsims({ orderId, ...clock() })
      requested.returned = true
    } catch (error) {
      const type = failureType(error) ?? 'ProviderUnavailable'
      requested.returnUnsure = type !== 'EsimInUse'
      throw failure(type, codeOf(error))
    } finally {
      requested.returning = false
    }
  }

  async function decide(verdict: 'approve' | 'reject'): Promise<OrderState> {
    requested[verdict] = true
    await condition(() => !standsIn('in_review'))
    return state
  }

  function undecided(): boolean {
    return standsIn('in_review') && !requested.approve && !requested.reject && !requested.cancel
  }

  function standsIn(...statuses: OrderStatus[]): boolean {
    return statuses.includes(state.status)
  }

  function conflict() {
    return failure('OrderStateConflict', { code: run.checkout.done ? state.status : 'opening' })
  }

  function allow(permitted: boolean): void {
    if (!permitted) throw conflict()
  }
}
