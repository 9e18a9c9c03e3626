/** Rare ends of the runs around an order: its aftercare, partial refunds, withdrawals, bulk actions. */
import { randomUUID } from 'node:crypto'
import type { SignalDefinition } from '@temporalio/common'
import { milliseconds } from '../../../policy/periods.ts'
import { failure } from '../../../shared/failures.ts'
import {
  bulkActionStarted,
  bulkActionType,
  cancelBulkAction,
  pauseBulkAction,
  resumeBulkAction,
} from '../../../workflows/order/bulk-action.contract.ts'
import {
  disputeSignal,
  fraudWarningSignal,
  orderAftercareWorkflowId,
  paymentSignal,
  refund,
  returnDelivered,
} from '../../../workflows/order/order.contract.ts'
import {
  type PartialRefundInput,
  partialRefundMade,
  partialRefundType,
  refundSignal,
} from '../../../workflows/order/partial-refund.contract.ts'
import { withdrawalStated, withdrawalType, withdrawalWorkflowId } from '../../../workflows/order/withdrawal.contract.ts'
import type { Scenario } from '../scenario.ts'
import { type Answers, gate, inTurn, rare, type Script, throws, unknownFailure } from './played-run.ts'

const providerIsAway = (): Error =>
  failure('ProviderUnavailable', { code: 'http_503', nextRetryDelay: milliseconds.hour })
const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()

function anAftercare(signal?: SignalDefinition) {
  const orderId = randomUUID()
  return {
    type: 'orderAftercare',
    args: [{ orderId }],
    workflowId: orderAftercareWorkflowId(orderId),
    ...(signal && { signal }),
  } as const
}

const afterwards = (over: Answers = {}): Answers => ({
  settleWithoutRun: () => ({ state: 'settled' }),
  checkRefunds: () => 'settled',
  refundPayment: () => ({ creditNotes: [] }),
  recordRefundFailure: () => ({ reason: 'returned_unused' }),
  ...over,
})

export const rareAftercares: Record<string, Scenario> = {
  'order-aftercare-of-nothing': rare(() => ({ begins: anAftercare(), answers: afterwards() })),
  'order-aftercare-of-a-warning-of-an-undelivered-order': rare(() => ({
    begins: anAftercare(fraudWarningSignal),
    answers: afterwards({
      readFraudWarnings: () => 'refund',
      settleWithoutRun: () => ({ state: 'refund', reason: 'fraud_warning', holdsEsims: true }),
    }),
    async play(run) {
      await run.shows('refunded')
      await run.forward('31 days')
    },
  })),
  'order-aftercare-that-takes-back': rare(() => ({
    begins: anAftercare(fraudWarningSignal),
    answers: afterwards({ readFraudWarnings: () => 'take_back' }),
    async play(run) {
      await run.shows('refunded')
      await run.forward('31 days')
    },
  })),
  'order-aftercare-that-cannot-take-back': rare(() => ({
    begins: anAftercare(fraudWarningSignal),
    answers: afterwards({ readFraudWarnings: () => 'take_back', withdrawEsims: throws(failure('EsimInUse')) }),
  })),
  'order-aftercare-that-refunds-without-the-esims': rare(() => ({
    begins: anAftercare(fraudWarningSignal),
    answers: afterwards({ readFraudWarnings: () => 'take_back', withdrawEsims: throws(providerIsAway()) }),
    async play(run) {
      await run.called('withdrawEsims')
      await run.forward('49 hours')
      await run.shows('refunded')
      await run.forward('31 days')
    },
  })),
  'order-aftercare-that-leaves-used-esims-to-an-operator': rare(() => ({
    begins: anAftercare(fraudWarningSignal),
    answers: afterwards({
      readFraudWarnings: inTurn('take_back', 'operator'),
      withdrawEsims: throws(providerIsAway()),
    }),
    async play(run) {
      await run.called('withdrawEsims')
      await run.forward('49 hours')
    },
  })),
  'order-aftercare-that-tries-for-a-week': rare(() => ({
    begins: anAftercare(fraudWarningSignal),
    answers: afterwards({
      readFraudWarnings: inTurn('take_back', 'operator'),
      withdrawEsims: throws(providerIsAway()),
    }),
    async play(run) {
      await run.called('withdrawEsims')
      await run.forward('8 days')
    },
  })),
  'order-aftercare-of-a-warning-that-needs-nothing-any-more': rare(() => ({
    begins: anAftercare(fraudWarningSignal),
    answers: afterwards({
      readFraudWarnings: inTurn('take_back', 'nothing'),
      withdrawEsims: throws(providerIsAway()),
    }),
    async play(run) {
      await run.called('withdrawEsims')
      await run.forward('49 hours')
    },
  })),
  'order-aftercare-that-takes-back-and-cannot-refund': rare(() => ({
    begins: anAftercare(fraudWarningSignal),
    answers: afterwards({
      readFraudWarnings: () => 'take_back',
      refundPayment: inTurn(failure('RefundRefused', { code: 'charge_disputed' }), {
        creditNotes: [],
        isTakenBack: true,
      }),
      sendOrderMail: throws(failure('PaymentRefused', { code: 'refused' })),
      sendOrderPush: throws(unknownFailure()),
    }),
    async play(run) {
      await run.shows('refund_failed')
      await run.update(refund)
    },
  })),
  'order-aftercare-of-a-refund-that-a-dispute-stopped': rare(() => ({
    begins: anAftercare(paymentSignal),
    answers: afterwards({
      settleWithoutRun: () => ({ state: 'refund', reason: 'paid_after_cancel', holdsEsims: false }),
      refundPayment: inTurn(unknownFailure(), failure('PaymentRefused'), { creditNotes: [] }),
      recordDispute: inTurn({ needsEvidence: false }, { needsEvidence: false, isOver: true }),
    }),
    async play(run) {
      await run.shows('refund_failed')
      await run.signal(disputeSignal, { disputeId: 'dp_1' })
      await run.answered('recordDispute')
      await run.signal(disputeSignal, { disputeId: 'dp_2' })
      await run.called('recordRefundFailure', 2)
      await run.shows('refund_failed')
      await run.signal(disputeSignal, { disputeId: 'dp_3' })
      await run.shows('refunded')
      await run.forward('31 days')
    },
  })),
  // As after a reset to behind the failure: another refund was made since, and then an operator has paid another way.
  'order-aftercare-of-an-order-further-than-its-failed-refund': rare(() => ({
    begins: anAftercare(paymentSignal),
    answers: afterwards({
      settleWithoutRun: () => ({ state: 'refund', reason: 'paid_after_cancel', holdsEsims: false }),
      refundPayment: inTurn(failure('RefundRefused', { code: 'refund_bounced' }), { creditNotes: [] }),
      checkRefunds: inTurn('failed', 'settled'),
      recordRefundFailure: inTurn(
        { reason: 'returned_unused', found: 'refunded' },
        { reason: 'returned_unused', found: 'paid_another_way' },
      ),
    }),
    async play(run) {
      await run.called('recordRefundFailure')
      await run.shows('refunded')
      await run.signal(paymentSignal)
      await run.called('recordRefundFailure', 2)
      await run.shows('refund_failed')
      await run.update(refund)
      await run.shows('refunded')
      await run.forward('31 days')
    },
  })),
  'order-aftercare-of-a-payment-decided-late': rare(() => ({
    begins: anAftercare(paymentSignal),
    answers: afterwards({
      settleWithoutRun: inTurn(
        { state: 'undecided', askAt: inAnHour() },
        { state: 'undecided', askAt: inAnHour() },
        {
          state: 'settled',
        },
      ),
    }),
    async play(run) {
      await run.shows('awaiting_payment')
      await run.signal(paymentSignal)
      await run.called('settleWithoutRun', 2)
      await run.forward('2 hours')
    },
  })),
  'order-aftercare-hinted-while-it-looks': rare(() => {
    const processor = gate()
    return {
      begins: anAftercare(fraudWarningSignal),
      answers: afterwards({
        readFraudWarnings: inTurn(
          async () => {
            await processor.opened
            return 'nothing'
          },
          failure('PaymentRefused', { code: 'not_ours' }),
        ),
      }),
      async play(run) {
        await run.called('readFraudWarnings')
        await run.signal(fraudWarningSignal)
        await run.signal(disputeSignal, { disputeId: 'dp_1' })
        processor.open()
      },
    }
  }),
  'order-aftercare-that-finds-what-it-could-not-return': rare(() =>
    afterReturn({ refreshEsims: () => ({ ended: true, givenBack: true }) }, async (run) => {
      await run.shows('refunded')
      await run.forward('31 days')
    }),
  ),
  'order-aftercare-that-finds-its-esims-ended': rare(() =>
    afterReturn({ refreshEsims: () => ({ ended: true, givenBack: false, refundDue: true }) }, async (run) => {
      await run.shows('refunded')
      await run.forward('31 days')
    }),
  ),
  'order-aftercare-that-finds-its-esims-with-the-customer': rare(() =>
    afterReturn({ refreshEsims: () => ({ ended: false, givenBack: false }) }),
  ),
  'order-aftercare-that-cannot-look-for-its-return': rare(() =>
    afterReturn({ refreshEsims: throws(unknownFailure()) }),
  ),
  'order-aftercare-that-was-cancelled': rare(() => ({
    begins: anAftercare(paymentSignal),
    answers: afterwards({
      settleWithoutRun: () => ({ state: 'refund', reason: 'paid_after_cancel', holdsEsims: false }),
      sendOrderMail: throws(later()),
      sendOrderPush: throws(later()),
    }),
    async play(run) {
      await run.shows('refunded')
      await run.called('sendOrderMail', 2)
      await run.called('sendOrderPush', 2)
      await run.handle.cancel()
    },
  })),
}

/** A return that was asked for while the processor is asked, and of whose outcome nobody knows. */
function afterReturn(over: Answers, play?: Script['play']): Script {
  const processor = gate()
  return {
    begins: anAftercare(paymentSignal),
    answers: afterwards({
      settleWithoutRun: async () => {
        await processor.opened
        return { state: 'settled' }
      },
      withdrawEsims: throws(unknownFailure()),
      ...over,
    }),
    async play(run) {
      await run.called('settleWithoutRun')
      await run.update(returnDelivered, { reason: 'returned_unused' })
      processor.open()
      await play?.(run)
    },
  }
}

/** The next attempt comes on another day. */
const later = (): Error => failure('MailUnavailable', { nextRetryDelay: 86_400_000 })

const part = (over: Partial<PartialRefundInput> = {}) => {
  const input: PartialRefundInput = {
    refundId: randomUUID(),
    orderId: randomUUID(),
    amountMinor: 100,
    reason: 'goodwill',
    esims: 'kept',
    ...over,
  }
  return { type: partialRefundType, args: [input], update: partialRefundMade } as const
}

export const rarePartialRefunds: Record<string, Scenario> = {
  'partial-refund-of-more-than-is-left': rare(() => ({
    begins: part(),
    answers: { reservePartialRefund: throws(failure('RefundExceedsPayment', { code: '99' })) },
  })),
  'partial-refund-not-reserved-for-an-unknown-reason': rare(() => ({
    begins: part(),
    answers: { reservePartialRefund: throws(unknownFailure()) },
  })),
  'partial-refund-of-used-esims': rare(() => ({
    begins: part({ esims: 'returned' }),
    answers: { withdrawEsims: throws(failure('EsimInUse')) },
  })),
  'partial-refund-refused': rare(() => ({
    begins: part(),
    answers: { makePartialRefund: throws(failure('RefundRefused', { code: 'charge_disputed' })) },
  })),
  'partial-refund-refused-with-its-esims-back': rare(() => ({
    begins: part({ esims: 'returned' }),
    answers: { makePartialRefund: throws(failure('RefundRefused')) },
  })),
  'partial-refund-that-fails-for-an-unknown-reason': rare(() => ({
    begins: part(),
    answers: { makePartialRefund: throws(unknownFailure()) },
  })),
  'partial-refund-unsettled-for-a-month': rare(() => ({
    begins: part({ esims: 'returned' }),
    answers: {
      checkPartialRefund: inTurn('pending', 'pending', 'settled'),
      sendPartialRefundMail: throws(failure('PaymentRefused', { code: 'refused' })),
    },
    async play(run) {
      await run.called('raiseAttention')
      await run.signal(refundSignal)
      await run.called('checkPartialRefund')
      await run.forward('31 days')
      await run.called('raiseAttention', 2)
      await run.forward('31 days')
    },
  })),
  'partial-refund-that-was-cancelled': rare(() => ({
    begins: part(),
    answers: { sendPartialRefundMail: throws(later()) },
    async play(run) {
      await run.called('sendPartialRefundMail')
      await run.handle.cancel()
    },
  })),
}

function aWithdrawal() {
  const orderId = randomUUID()
  const workflowId = withdrawalWorkflowId(orderId)
  return { type: withdrawalType, args: [{ orderId }], workflowId, update: withdrawalStated } as const
}

export const rareWithdrawals: Record<string, Scenario> = {
  'withdrawal-refused': rare(() => ({
    begins: aWithdrawal(),
    answers: { recordWithdrawal: throws(failure('WithdrawalPeriodOver', { code: '2031-05-01' })) },
  })),
  'withdrawal-not-recorded-for-an-unknown-reason': rare(() => ({
    begins: aWithdrawal(),
    answers: { recordWithdrawal: throws(unknownFailure()) },
  })),
  'withdrawal-of-a-person-who-was-erased': rare(() => ({
    begins: aWithdrawal(),
    answers: {
      carryOutWithdrawal: throws(failure('OrderMissing')),
      sendWithdrawalAcknowledgement: throws(failure('OrderMissing')),
    },
  })),
  'withdrawal-not-carried-out-and-not-acknowledged': rare(() => ({
    begins: aWithdrawal(),
    answers: {
      carryOutWithdrawal: throws(unknownFailure()),
      sendWithdrawalAcknowledgement: throws(failure('PaymentRefused', { code: 'refused' })),
    },
  })),
  'withdrawal-whose-esims-are-in-use': rare(() => ({
    begins: aWithdrawal(),
    answers: { carryOutWithdrawal: throws(failure('EsimInUse')) },
  })),
  'withdrawal-that-was-cancelled': rare(() => ({
    begins: aWithdrawal(),
    answers: { carryOutWithdrawal: throws(later()), sendWithdrawalAcknowledgement: throws(later()) },
    async play(run) {
      await run.called('carryOutWithdrawal')
      await run.called('sendWithdrawalAcknowledgement')
      await run.handle.cancel()
    },
  })),
}

const aBulkAction = () =>
  ({ type: bulkActionType, args: [{ bulkActionId: randomUUID(), startedBy: 'operator:x' }] }) as const

export const rareBulkActions: Record<string, Scenario> = {
  'bulk-action-of-many-orders': rare(() => {
    let pages = 0
    return {
      begins: aBulkAction(),
      answers: {
        actOnOrders: async () => {
          pages += 1
          return { ended: 1, left: Math.max(0, 101 - pages) }
        },
      },
    }
  }),
  'bulk-action-not-started': rare(() => ({
    begins: { ...aBulkAction(), update: bulkActionStarted },
    answers: { startBulkAction: throws(failure('OrderMissing', { code: 'cancelled' })) },
  })),
  'bulk-action-not-started-for-an-unknown-reason': rare(() => ({
    begins: { ...aBulkAction(), update: bulkActionStarted },
    answers: { startBulkAction: throws(unknownFailure()) },
  })),
  'bulk-action-cancelled-while-it-is-paused': rare(() => ({
    begins: aBulkAction(),
    answers: { actOnOrders: inTurn({ ended: 0, left: 2 }, { ended: 1, left: 1 }, { ended: 0, left: 1 }) },
    async play(run) {
      await run.called('actOnOrders')
      await run.update(pauseBulkAction)
      await run.update(resumeBulkAction)
      await run.called('actOnOrders', 3)
      await run.update(pauseBulkAction)
      await run.update(cancelBulkAction)
    },
  })),
  'bulk-action-cancelled-while-it-waits': rare(() => ({
    begins: aBulkAction(),
    answers: { actOnOrders: () => ({ ended: 0, left: 1 }) },
    async play(run) {
      await run.called('actOnOrders')
      await run.forward('3 seconds')
      await run.called('actOnOrders', 2)
      await run.update(cancelBulkAction)
    },
  })),
}
