/** The signals, updates and queries of an order's run, and when it takes them. */
import { condition, proxyActivities } from '@temporalio/workflow'
import { failure, failureType } from '../../shared/failures.ts'
import { nothing, objectOf, oneOf, onQuery, onSignal, onUpdate, shortText } from '../run/messages.ts'
import { clock } from '../run/now.ts'
import * as retry from '../run/retry.ts'
import { noteFraudWarning } from './fraud-warning.ts'
import {
  approve,
  cancel,
  checkout,
  disputeSignal,
  fraudWarningSignal,
  type OrderActivities,
  type OrderState,
  orderState,
  paymentSignal,
  providerSignal,
  type RefundCause,
  refundFor,
  reject,
  resend,
} from './order.contract.ts'
import { isAccepted, isListed, type OrderGuard, type OrderUpdate, orderStates } from './order-states.ts'
import { notePaidBack } from './paid-back.ts'
import { codeOf, disputeNotice, type OrderRun } from './run.ts'

/** Sent with nothing by a caller of the API, and with a reason by the run of a withdrawal. */
const withdrawn = objectOf<RefundCause>({ reason: oneOf(['withdrawn']) })
const refundCause = (input: unknown): input is RefundCause | undefined => nothing(input) || withdrawn(input)

const answering = proxyActivities<OrderActivities>(retry.whileCallerWaits)

/** Answers the queries, signals and updates of an order's run. */
export function takeMessages(run: OrderRun): void {
  const { state, hints, requested, orderId } = run

  onQuery(orderState, () => state)
  onSignal(paymentSignal, nothing, () => {
    hints.payment = true
    return notePaidBack(run)
  })
  onSignal(providerSignal, nothing, () => {
    hints.provider = true
  })
  onSignal(disputeSignal, disputeNotice, async ({ disputeId }) => {
    await run.noteDispute(disputeId, orderStates[state.status].on.dispute?.againAtDelivery === true)
    // One that is lost has given the payment back.
    if (requested.disputeOver) await notePaidBack(run)
  })

  onSignal(fraudWarningSignal, nothing, () => noteFraudWarning(run))

  onUpdate(checkout, nothing, async () => {
    await condition(() => run.checkout.done || run.checkout.fault !== undefined)
    if (run.checkout.fault) throw run.checkout.fault
    return state
  })

  onUpdate(
    cancel,
    nothing,
    async () => {
      requested.cancel = true
      run.stopProvisioning?.()
      await hasLeftStatesFor('cancel')
      if (orderStates[state.status].customerHas === 'eSIMs') throw conflict()
      return state
    },
    () => validate('cancel'),
  )

  onUpdate(
    // Callers of the API send nothing with it.
    refundFor,
    refundCause,
    async (cause) => {
      if (state.status === 'refund_failed') requested.retryRefund = true
      else {
        if (cause) requested.withdrawn = true
        await returnForCustomer()
      }
      await hasLeftStatesFor('refund')
      return state
    },
    () => validate('refund'),
  )

  onUpdate(
    resend,
    objectOf<{ requestId: string }>({ requestId: shortText }),
    async ({ requestId }) => {
      await answering.sendOrderMail({ orderId, mail: 'confirmation', ...clock(), requestId })
      return state
    },
    () => validate('resend'),
  )

  for (const [update, verdict] of [
    [approve, 'approve'],
    [reject, 'reject'],
  ] as const) {
    onUpdate(
      update,
      nothing,
      () => decide(verdict),
      () => validate(verdict),
    )
  }

  async function returnForCustomer(): Promise<void> {
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
    await hasLeftStatesFor(verdict)
    return state
  }

  function hasLeftStatesFor(update: OrderUpdate): Promise<void> {
    return condition(() => !isListed(update, state.status))
  }

  function validate(update: OrderUpdate): void {
    const holds: { [Guard in OrderGuard]: boolean } = {
      checkout_is_open: run.checkout.done,
      not_a_top_up: !run.input.parentOrderId,
      no_return_under_way: !requested.returning,
      undecided: !requested.approve && !requested.reject && !requested.cancel,
    }
    if (!isAccepted(update, state.status, (guard) => holds[guard])) throw conflict()
  }

  function conflict() {
    return failure('OrderStateConflict', { code: run.checkout.done ? state.status : 'opening' })
  }
}
