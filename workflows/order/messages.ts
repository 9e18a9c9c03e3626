/** What may be asked of an order's run, and when. */
import { condition, proxyActivities, setHandler } from '@temporalio/workflow'
import { failure, failureType } from '../../shared/failures.ts'
import { clock } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import {
  approve,
  cancel,
  checkout,
  disputeNews,
  type OrderActivities,
  type OrderState,
  type OrderStatus,
  orderState,
  paymentNews,
  providerNews,
  refund,
  reject,
  resend,
} from './order.contract.ts'
import { codeOf, type OrderRun } from './run.ts'

const answering = proxyActivities<OrderActivities>(retry.answerSoon)

export function takeMessages(run: OrderRun): void {
  const { state, news, wish, orderId } = run

  setHandler(orderState, () => state)
  setHandler(paymentNews, () => {
    news.payment = true
  })
  setHandler(providerNews, () => {
    news.provider = true
  })
  setHandler(disputeNews, ({ disputeId }) =>
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
      wish.cancel = true
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
      if (state.status === 'refund_failed') wish.retryRefund = true
      else await takeBack()
      await condition(() => !standsIn('delivered', 'refund_failed'))
      return state
    },
    {
      validator: () =>
        allow(standsIn('refund_failed') || (standsIn('delivered') && !wish.returning && !run.input.parentOrderId)),
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
    wish.returning = true
    wish.returnTried = true
    try {
      await answering.withdrawEsims({ orderId, ...clock() })
      wish.returned = true
    } catch (error) {
      const type = failureType(error) ?? 'ProviderUnavailable'
      wish.returnUnsure = type !== 'EsimInUse'
      throw failure(type, codeOf(error))
    } finally {
      wish.returning = false
    }
  }

  async function decide(verdict: 'approve' | 'reject'): Promise<OrderState> {
    wish[verdict] = true
    await condition(() => !standsIn('in_review'))
    return state
  }

  function undecided(): boolean {
    return standsIn('in_review') && !wish.approve && !wish.reject && !wish.cancel
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
