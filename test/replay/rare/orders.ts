/** Rare ends of orders: what comes while something else is under way, and what fails for good. */

import { randomUUID } from 'node:crypto'
import { milliseconds } from '../../../policy/periods.ts'
import { failure } from '../../../shared/failures.ts'
import {
  approve,
  cancel,
  checkout,
  disputeSignal,
  fraudWarningSignal,
  type OrderInput,
  orderWorkflowId,
  paymentSignal,
  providerSignal,
  refund,
  refundFor,
} from '../../../workflows/order/order.contract.ts'
import type { Scenario } from '../scenario.ts'
import { type Answers, gate, inTurn, notLocally, type Run, rare, throws, unknownFailure } from './played-run.ts'

const { day } = milliseconds
const inDays = (days: number): string => new Date(Date.now() + days * day).toISOString()
/** A local activity is tried six times before a regular one. */
const triesBeforeRegular = 6

function anOrder(over: Partial<OrderInput> = {}) {
  const input: OrderInput = {
    orderId: randomUUID(),
    accountId: randomUUID(),
    parentOrderId: null,
    esimId: null,
    packageCode: 'a-package',
    quantity: 1,
    savedCards: false,
    measurement: { adUserData: false, adPersonalization: false },
    ...over,
  }
  return { type: 'order', args: [input], workflowId: orderWorkflowId(input.orderId) } as const
}

/** The next check of the eSIM is later than each of these ends. */
const lives = (): Error => failure('EsimStillLives', { nextRetryDelay: 300 * day })

/** Paid, delivered, and used up at once. */
const ordinary = (over: Answers = {}): Answers => ({
  confirmPayment: () => ({ state: 'paid', review: null }),
  cancelPayment: () => 'cancelled',
  recordDelivery: () => ({ livesUntil: inDays(30) }),
  watchEsims: () => ({ recorded: true }),
  refreshEsims: () => ({ ended: true, givenBack: false }),
  refundPayment: () => ({ creditNotes: [] }),
  checkRefunds: () => 'settled',
  recordRefundFailure: () => ({ reason: 'returned_unused' }),
  ...over,
})

async function settle(run: Run): Promise<void> {
  await run.shows('refunded')
  await run.forward('31 days')
}

async function deliver(run: Run): Promise<void> {
  await run.signal(paymentSignal)
  await run.shows('delivered')
}

/** Its provider takes no return, and says at a hint that the eSIMs have ended. */
const neverReturned = (over: Answers): Answers =>
  ordinary({
    withdrawEsims: throws(unknownFailure()),
    watchEsims: throws(lives()),
    refreshEsims: () => ({ ended: true, givenBack: false }),
    ...over,
  })

async function warnForTwoDays(run: Run): Promise<void> {
  await deliver(run)
  await run.signal(fraudWarningSignal)
  await run.called('withdrawEsims')
  await run.forward('49 hours')
}

/** The order is delivered while Stripe is asked about the warnings that came. */
const deliveredWhileWarned = (warnings: number) =>
  rare(() => {
    const [provider, processor, life] = [gate(), gate(), gate()]
    return {
      begins: anOrder(),
      answers: ordinary({
        provision: () => provider.opened,
        readFraudWarnings: inTurn(async () => {
          await processor.opened
          return 'refund'
        }, 'operator'),
        watchEsims: async () => {
          await life.opened
          return { recorded: false }
        },
      }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.called('provision')
        for (let warning = 0; warning < warnings; warning++) await run.signal(fraudWarningSignal)
        await run.called('readFraudWarnings')
        provider.open()
        await run.shows('delivered')
        processor.open()
        await run.answered('raiseFraudWarning')
        life.open()
      },
    }
  })

export const rareOrders: Record<string, Scenario> = {
  'order-not-opened': rare(() => ({
    begins: { ...anOrder(), update: checkout },
    answers: { openCheckout: throws(failure('PackageUnavailable', { code: 'not_on_sale' })) },
  })),
  'order-not-opened-for-an-unknown-reason': rare(() => ({
    begins: { ...anOrder(), update: checkout },
    answers: { openCheckout: throws(unknownFailure()) },
  })),
  'order-whose-run-was-cancelled': rare(() => ({
    begins: anOrder(),
    answers: ordinary(),
    async play(run) {
      await run.called('openCheckout')
      await run.handle.cancel()
    },
  })),
  'order-whose-run-was-cancelled-while-provisioning': rare(() => {
    const provider = gate()
    return {
      begins: anOrder(),
      answers: ordinary({ provision: () => provider.opened }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.called('provision')
        await run.handle.cancel()
        await run.shows('refunded')
        provider.open()
        await settle(run)
      },
    }
  }),
  'order-cancelled-after-contradictions': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      cancelPayment: inTurn('paid', 'paid', 'cancelled'),
      confirmPayment: inTurn({ state: 'pending' }, { state: 'cancelled' }),
    }),
    async play(run) {
      await run.begin(cancel)
      await run.called('confirmPayment')
      await run.signal(paymentSignal)
      await run.forward('20 seconds')
    },
  })),
  'order-whose-payment-cannot-be-cancelled': rare(() => ({
    begins: anOrder(),
    answers: ordinary({ cancelPayment: throws(failure('PaymentRefused', { code: 'not_ours' })) }),
    play: (run) => run.begin(cancel),
  })),
  'order-cancelled-while-it-is-approved': rare(() => {
    const database = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        confirmPayment: () => ({ state: 'paid', review: 'elevated_risk' }),
        startProvisioning: notLocally(() => database.opened),
      }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.shows('in_review')
        await run.begin(approve)
        await run.called('startProvisioning', triesBeforeRegular + 1)
        await run.begin(cancel)
        database.open()
        await settle(run)
      },
    }
  }),
  'order-warned-of-while-it-is-approved': rare(() => {
    const database = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        confirmPayment: () => ({ state: 'paid', review: 'elevated_risk' }),
        startProvisioning: notLocally(() => database.opened),
        readFraudWarnings: () => 'refund',
      }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.shows('in_review')
        await run.begin(approve)
        await run.called('startProvisioning', triesBeforeRegular + 1)
        await run.signal(fraudWarningSignal)
        await run.answered('readFraudWarnings')
        database.open()
        await settle(run)
      },
    }
  }),
  'order-whose-refund-settles-while-its-mail-waits': rare(() => {
    const processor = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        confirmPayment: () => ({ state: 'paid', review: 'elevated_risk' }),
        refundPayment: async () => {
          await processor.opened
          return { creditNotes: [] }
        },
        sendOrderMail: notLocally(async () => undefined),
      }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.shows('in_review')
        await run.begin(cancel)
        await run.called('refundPayment')
        await run.signal(paymentSignal)
        processor.open()
        await settle(run)
      },
    }
  }),
  'order-warned-of-before-its-payment': rare(() => ({
    begins: anOrder(),
    answers: ordinary({ readFraudWarnings: () => 'refund' }),
    async play(run) {
      await run.signal(fraudWarningSignal)
      await run.answered('readFraudWarnings')
      await run.signal(paymentSignal)
      await settle(run)
    },
  })),
  'order-warned-of-before-its-delivery-is-recorded': rare(() => {
    const database = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        recordDelivery: notLocally(async () => {
          await database.opened
          return { livesUntil: inDays(30) }
        }),
        readFraudWarnings: inTurn('refund', 'take_back'),
        watchEsims: throws(lives()),
      }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.called('recordDelivery', triesBeforeRegular + 1)
        await run.signal(fraudWarningSignal)
        await run.answered('readFraudWarnings')
        database.open()
        await settle(run)
      },
    }
  }),
  'order-warned-of-while-its-delivery-is-recorded': rare(() => {
    const database = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        recordDelivery: notLocally(async () => {
          await database.opened
          return { livesUntil: inDays(30) }
        }),
        readFraudWarnings: () => 'take_back',
        watchEsims: throws(lives()),
      }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.called('recordDelivery', triesBeforeRegular + 1)
        await run.signal(fraudWarningSignal)
        await run.answered('readFraudWarnings')
        database.open()
        await settle(run)
      },
    }
  }),
  'order-warned-of-once-and-delivered-meanwhile': deliveredWhileWarned(1),
  'order-warned-of-and-delivered-meanwhile': deliveredWhileWarned(2),
  'order-warned-of-and-installed-meanwhile': rare(() => {
    const life = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        readFraudWarnings: () => 'take_back',
        withdrawEsims: throws(failure('EsimInUse')),
        raiseFraudWarning: throws(failure('PaymentRefused', { code: 'not_ours' })),
        watchEsims: async () => {
          await life.opened
          return { recorded: true }
        },
      }),
      async play(run) {
        await deliver(run)
        await run.signal(fraudWarningSignal)
        await run.called('raiseAttention')
        life.open()
      },
    }
  }),
  'order-warned-of-and-taken-back-unsure': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      readFraudWarnings: () => 'take_back',
      withdrawEsims: throws(unknownFailure()),
      watchEsims: inTurn(lives(), { recorded: false }),
      refreshEsims: () => ({ ended: true, givenBack: true }),
    }),
    async play(run) {
      await deliver(run)
      await run.signal(fraudWarningSignal)
      await settle(run)
    },
  })),
  'order-warned-of-while-its-provider-is-down': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      readFraudWarnings: () => 'take_back',
      withdrawEsims: inTurn(unknownFailure(), unknownFailure(), undefined),
      watchEsims: throws(lives()),
    }),
    async play(run) {
      await deliver(run)
      await run.signal(fraudWarningSignal)
      await run.called('withdrawEsims')
      await run.forward('2 minutes')
      await run.called('withdrawEsims', 2)
      await run.forward('5 minutes')
      await settle(run)
    },
  })),
  'order-warned-of-and-refunded-without-its-esims': rare(() => ({
    begins: anOrder(),
    answers: neverReturned({ readFraudWarnings: () => 'take_back' }),
    async play(run) {
      await warnForTwoDays(run)
      await settle(run)
    },
  })),
  'order-warned-of-and-left-to-an-operator-in-time': rare(() => ({
    begins: anOrder(),
    answers: neverReturned({ readFraudWarnings: inTurn('take_back', 'operator') }),
    async play(run) {
      await warnForTwoDays(run)
      await run.answered('raiseFraudWarning')
      await run.signal(providerSignal)
    },
  })),
  'order-warned-of-and-tried-for-a-week': rare(() => ({
    begins: anOrder(),
    answers: neverReturned({ readFraudWarnings: inTurn('take_back', 'operator') }),
    async play(run) {
      await warnForTwoDays(run)
      await run.forward('6 days')
      await run.answered('raiseFraudWarning')
      await run.signal(providerSignal)
    },
  })),
  'order-warned-of-and-not-actionable-any-more': rare(() => ({
    begins: anOrder(),
    answers: neverReturned({ readFraudWarnings: inTurn('take_back', 'nothing') }),
    async play(run) {
      await warnForTwoDays(run)
      await run.called('readFraudWarnings', 2)
      await run.answered('readFraudWarnings')
      await run.signal(providerSignal)
    },
  })),
  'order-warned-of-and-ended-while-it-is-decided': rare(() => {
    const processor = gate()
    return {
      begins: anOrder(),
      answers: neverReturned({
        readFraudWarnings: inTurn(
          'take_back',
          async () => {
            await processor.opened
            return 'take_back'
          },
          'operator',
        ),
      }),
      async play(run) {
        await warnForTwoDays(run)
        await run.called('readFraudWarnings', 2)
        await run.signal(providerSignal)
        await run.shows('ended')
        processor.open()
      },
    }
  }),
  'order-warned-of-and-ended-while-stripe-is-slow': rare(() => {
    const [processor, life] = [gate(), gate()]
    return {
      begins: anOrder(),
      answers: ordinary({
        readFraudWarnings: inTurn(async () => {
          await processor.opened
          return 'take_back'
        }),
        watchEsims: async () => {
          await life.opened
          return { recorded: true }
        },
      }),
      async play(run) {
        await deliver(run)
        await run.signal(fraudWarningSignal)
        await run.called('readFraudWarnings')
        life.open()
        await run.shows('ended')
        processor.open()
      },
    }
  }),
  'order-warned-of-and-ended-meanwhile': rare(() => {
    const life = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        readFraudWarnings: inTurn('take_back', 'operator'),
        withdrawEsims: throws(unknownFailure()),
        watchEsims: async () => {
          await life.opened
          return { recorded: true }
        },
      }),
      async play(run) {
        await deliver(run)
        await run.signal(fraudWarningSignal)
        await run.called('withdrawEsims')
        await run.answered('withdrawEsims')
        life.open()
        await run.answered('raiseFraudWarning')
      },
    }
  }),
  'order-warned-of-and-given-back-by-its-customer': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      readFraudWarnings: () => 'take_back',
      withdrawEsims: inTurn(unknownFailure(), undefined),
      watchEsims: throws(lives()),
    }),
    async play(run) {
      await deliver(run)
      await run.signal(fraudWarningSignal)
      await run.called('withdrawEsims')
      await run.answered('withdrawEsims')
      await run.begin(refund)
      await settle(run)
    },
  })),
  'order-warned-of-by-a-processor-that-says-no-more': rare(() => {
    const life = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        readFraudWarnings: inTurn(failure('PaymentRefused', { code: 'not_ours' }), 'nothing'),
        watchEsims: async () => {
          await life.opened
          return { recorded: true }
        },
      }),
      async play(run) {
        await deliver(run)
        await run.signal(fraudWarningSignal)
        await run.called('raiseAttention')
        await run.signal(fraudWarningSignal)
        await run.called('readFraudWarnings', 2)
        await run.answered('readFraudWarnings')
        life.open()
      },
    }
  }),
  'order-cancelled-too-late': rare(() => {
    const database = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        recordDelivery: notLocally(async () => {
          await database.opened
          return { livesUntil: inDays(30) }
        }),
      }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.called('recordDelivery', triesBeforeRegular + 1)
        await run.begin(cancel)
        database.open()
      },
    }
  }),
  'order-withdrawn-from': rare(() => ({
    begins: anOrder(),
    answers: ordinary({ watchEsims: throws(lives()) }),
    async play(run) {
      await deliver(run)
      await run.update(refundFor, { reason: 'withdrawn' })
      await settle(run)
    },
  })),
  'order-given-back-unsure': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      withdrawEsims: throws(failure('ProviderUnavailable', { nextRetryDelay: 1 })),
      watchEsims: inTurn(lives(), { recorded: false }),
      refreshEsims: () => ({ ended: true, givenBack: true }),
    }),
    async play(run) {
      await deliver(run)
      await run.update(refund)
      await settle(run)
    },
  })),
  'order-not-given-back-for-an-unknown-reason': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      withdrawEsims: throws(unknownFailure()),
      watchEsims: inTurn(lives(), { recorded: true }),
    }),
    async play(run) {
      await deliver(run)
      await run.update(refund)
    },
  })),
  'order-watched-for-longer-than-an-esim-lives': rare(() => {
    let isLooked = false
    return {
      begins: anOrder(),
      answers: ordinary({
        watchEsims: async () => {
          if (isLooked) return { recorded: false, refundDue: true }
          throw failure('EsimStillLives', { nextRetryDelay: 100 * day })
        },
        refreshEsims: async () => {
          isLooked = true
          return { ended: false, givenBack: false }
        },
      }),
      async play(run) {
        await deliver(run)
        await run.called('watchEsims')
        await run.forward('431 days')
      },
    }
  }),
  'order-lost-while-it-is-watched': rare(() => ({
    begins: anOrder(),
    answers: ordinary({ watchEsims: throws(failure('OrderMissing')) }),
    play: (run) => run.signal(paymentSignal),
  })),
  'order-whose-watch-breaks': rare(() => ({
    begins: anOrder(),
    answers: ordinary({ watchEsims: throws(unknownFailure()) }),
    play: (run) => run.signal(paymentSignal),
  })),
  'order-ended-unused-as-a-hint-says': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      watchEsims: throws(lives()),
      refreshEsims: inTurn({ ended: false, givenBack: true }, { ended: true, givenBack: false, refundDue: true }),
    }),
    async play(run) {
      await deliver(run)
      await run.signal(paymentSignal)
      await run.called('checkRefunds')
      await run.signal(providerSignal)
      await run.called('refreshEsims')
      await run.signal(providerSignal)
      await settle(run)
    },
  })),
  'order-refund-refused-and-taken-by-the-bank': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      watchEsims: throws(lives()),
      refundPayment: inTurn(failure('RefundRefused', { code: 'charge_disputed' }), {
        creditNotes: [],
        isTakenBack: true,
      }),
    }),
    async play(run) {
      await deliver(run)
      await run.update(refund)
      await run.shows('refund_failed')
      await run.update(refund)
    },
  })),
  'order-refund-stopped-by-a-dispute': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      watchEsims: throws(lives()),
      refundPayment: inTurn(failure('PaymentRefused'), unknownFailure(), { creditNotes: [] }),
      recordDispute: inTurn({ needsEvidence: false }, { needsEvidence: false, isOver: true }),
    }),
    async play(run) {
      await deliver(run)
      await run.update(refund)
      await run.called('refundPayment')
      await run.shows('refund_failed')
      for (const disputeId of ['dp_1', 'dp_2']) {
        await run.signal(disputeSignal, { disputeId })
        await run.answered('recordDispute')
      }
      await run.called('recordRefundFailure', 2)
      await run.shows('refund_failed')
      await run.signal(disputeSignal, { disputeId: 'dp_3' })
      await settle(run)
    },
  })),
  'order-warned-of-while-its-run-catches-up': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      watchEsims: throws(lives()),
      readFraudWarnings: () => 'take_back',
      refreshEsims: () => ({ ended: false, givenBack: true }),
    }),
    async play(run) {
      await run.signal(fraudWarningSignal)
      await run.answered('readFraudWarnings')
      await run.signal(paymentSignal)
      await run.called('withdrawEsims')
      await settle(run)
    },
  })),
  'order-warned-of-while-its-run-catches-up-with-a-review': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      confirmPayment: () => ({ state: 'paid', review: 'elevated_risk' }),
      watchEsims: throws(lives()),
      readFraudWarnings: () => 'take_back',
      refreshEsims: () => ({ ended: false, givenBack: true }),
    }),
    async play(run) {
      await run.signal(paymentSignal)
      await run.shows('in_review')
      await run.signal(fraudWarningSignal)
      await run.answered('readFraudWarnings')
      await run.update(approve)
      await run.called('withdrawEsims')
      await settle(run)
    },
  })),
  // As after a reset to behind the failure: another refund was made since, and then an operator has paid another way.
  'order-further-than-its-failed-refund': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      watchEsims: throws(lives()),
      refundPayment: inTurn(failure('RefundRefused', { code: 'refund_bounced' }), { creditNotes: [] }),
      checkRefunds: inTurn('failed', 'settled'),
      recordRefundFailure: inTurn(
        { reason: 'returned_unused', found: 'refunded' },
        { reason: 'returned_unused', found: 'paid_another_way' },
      ),
    }),
    async play(run) {
      await deliver(run)
      await run.update(refund)
      await run.called('recordRefundFailure')
      await run.shows('refunded')
      await run.signal(paymentSignal)
      await run.called('recordRefundFailure', 2)
      await run.shows('refund_failed')
      await run.update(refund)
      await settle(run)
    },
  })),
  'order-disputed-before-its-delivery': rare(() => {
    const life = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        recordDispute: inTurn(
          { needsEvidence: false },
          undefined,
          { needsEvidence: true },
          failure('PaymentRefused', { code: 'not_ours' }),
        ),
        stageDisputeEvidence: throws(failure('PaymentRefused', { code: 'too_late' })),
        watchEsims: async () => {
          await life.opened
          return { recorded: true }
        },
      }),
      async play(run) {
        for (const _ of ['opened', 'changed']) {
          await run.signal(disputeSignal, { disputeId: 'dp_1' })
          await run.answered('recordDispute')
        }
        await deliver(run)
        await run.called('raiseAttention')
        await run.signal(disputeSignal, { disputeId: 'dp_2' })
        await run.called('raiseAttention', 2)
        life.open()
      },
    }
  }),
  'order-of-which-nobody-can-be-told': rare(() => ({
    begins: anOrder(),
    answers: ordinary(unreachable),
    play: (run) => run.signal(paymentSignal),
  })),
  'order-of-whose-delivery-nobody-can-be-told': rare(() => ({
    begins: anOrder(),
    answers: ordinary({ ...unreachable, recordDelivery: () => ({ livesUntil: inDays(30), sent: [] }) }),
    play: (run) => run.signal(paymentSignal),
  })),
  'order-whose-purchase-was-measured-with-its-delivery': rare(() => ({
    begins: anOrder(),
    answers: ordinary({ recordDelivery: () => ({ livesUntil: inDays(30), sent: ['purchase'] }) }),
    play: (run) => run.signal(paymentSignal),
  })),
  'order-paid-back-in-review': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      confirmPayment: () => ({ state: 'paid', review: 'elevated_risk' }),
      isPaidBack: inTurn(false, true),
    }),
    async play(run) {
      await run.signal(paymentSignal)
      await run.shows('in_review')
      await run.signal(paymentSignal)
      await run.answered('isPaidBack')
      await run.signal(paymentSignal)
      await settle(run)
    },
  })),
  'order-paid-back-as-two-hints-say': rare(() => {
    const processor = gate()
    return {
      begins: anOrder(),
      answers: ordinary({
        confirmPayment: () => ({ state: 'paid', review: 'elevated_risk' }),
        isPaidBack: inTurn(async () => {
          await processor.opened
          return false
        }, true),
      }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.shows('in_review')
        await run.signal(paymentSignal)
        await run.called('isPaidBack')
        // The run gets both at once, with the answer.
        await run.signal(paymentSignal)
        await run.signal(paymentSignal)
        processor.open()
        await settle(run)
      },
    }
  }),
  'order-whose-dispute-is-lost-in-review': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      confirmPayment: () => ({ state: 'paid', review: 'elevated_risk' }),
      recordDispute: () => ({ needsEvidence: false, isOver: true }),
      isPaidBack: () => true,
    }),
    async play(run) {
      await run.signal(paymentSignal)
      await run.shows('in_review')
      await run.signal(disputeSignal, { disputeId: 'dp_1' })
      await settle(run)
    },
  })),
  'order-paid-back-before-its-approval': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      confirmPayment: () => ({ state: 'paid', review: 'elevated_risk' }),
      isPaidBack: () => true,
    }),
    async play(run) {
      await run.signal(paymentSignal)
      await run.shows('in_review')
      await run.begin(approve)
      await settle(run)
    },
  })),
  'order-approved-while-nobody-can-say-whether-it-is-paid-back': rare(() => ({
    begins: anOrder(),
    answers: ordinary({
      confirmPayment: () => ({ state: 'paid', review: 'elevated_risk' }),
      isPaidBack: throws(failure('PaymentUnavailable', { code: 'http_503' })),
    }),
    async play(run) {
      await run.signal(paymentSignal)
      await run.shows('in_review')
      await run.begin(approve)
    },
  })),
  'order-paid-back-while-provisioning': rare(() => {
    const provider = gate()
    return {
      begins: anOrder(),
      answers: ordinary({ provision: () => provider.opened, isPaidBack: () => true }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.called('provision')
        await run.signal(paymentSignal)
        await run.shows('refunded')
        provider.open()
        await settle(run)
      },
    }
  }),
  'order-paid-back-and-filled-late': rare(() => {
    let isFilled = false
    return {
      begins: anOrder(),
      answers: ordinary({
        provision: async () => {
          if (!isFilled) throw failure('StillAllocating')
        },
        isPaidBack: () => true,
      }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.called('provision')
        await run.forward('6 minutes')
        isFilled = true
        await settle(run)
      },
    }
  }),
  'top-up-of-an-order-that-is-over': rare(() => {
    const provider = gate()
    return {
      begins: anOrder({ parentOrderId: randomUUID(), esimId: randomUUID() }),
      answers: ordinary({ provision: () => provider.opened }),
      async play(run) {
        await run.signal(paymentSignal)
        await run.called('provision')
        await run.signal(paymentSignal)
        provider.open()
      },
    }
  }),
}

const unreachable: Answers = {
  sendOrderMail: throws(failure('PaymentRefused', { code: 'refused' })),
  sendOrderPush: throws(unknownFailure()),
  measurePurchase: throws(unknownFailure()),
}
