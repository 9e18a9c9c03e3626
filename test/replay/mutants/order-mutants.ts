import { periods } from '../../../policy/periods.ts'
import { fraudWarningSignal, paymentSignal, providerSignal } from '../../../workflows/order/order.contract.ts'
import type { Mutant } from './mutants.ts'

export const orderMutants: Mutant[] = [
  {
    name: 'an order that does not open its checkout',
    mutation: { workflow: 'order', activity: 'openCheckout', fault: 'skipped' },
    first: true,
    caughtBy: ['order-waits-for-payment', 'order-never-paid', 'order-that-could-not-open', 'top-up-waits-for-payment'],
  },
  {
    name: 'a payment that is not cancelled when the customer cancels',
    mutation: {
      workflow: 'order',
      activity: 'cancelPayment',
      when: { reason: 'cancelled_by_customer' },
      fault: 'skipped',
      result: 'cancelled',
    },
    caughtBy: ['order-cancelled-unpaid', 'order-paid-while-cancelled'],
  },
  {
    name: 'a payment that is not closed at the deadline',
    mutation: {
      workflow: 'order',
      activity: 'cancelPayment',
      when: { status: 'unpaid' },
      fault: 'skipped',
      result: 'cancelled',
    },
    caughtBy: ['order-never-paid', 'order-paid-at-the-deadline'],
  },
  {
    name: 'an operator who is not asked',
    mutation: { workflow: 'order', activity: 'confirmPayment', fault: 'altered', result: { review: null } },
    caughtBy: ['order-waits-for-an-operator', 'order-rejected', 'order-never-decided', 'order-approved-and-expired'],
  },
  {
    name: 'a customer who is not told of a delay',
    mutation: { workflow: 'order', activity: 'sendOrderMail', when: { mail: 'delayed' }, fault: 'skipped' },
    caughtBy: ['order-waits-for-a-slow-provider', 'order-delivered-late', 'order-never-delivered'],
  },
  {
    name: 'a purchase that is not measured',
    mutation: { workflow: 'order', activity: 'measurePurchase', fault: 'skipped' },
    caughtBy: ['order-waits-for-use', 'order-used-and-expired', 'order-returned-unused', 'top-up-delivered'],
  },
  {
    name: 'a message that goes out with the delivery and once more',
    mutation: { workflow: 'order', activity: 'recordDelivery', fault: 'altered', result: { sent: [] } },
    caughtBy: ['order-told-with-its-delivery-waits-for-use'],
  },
  {
    name: 'a message that did not go out with the delivery, and is not tried again',
    mutation: {
      workflow: 'order',
      activity: 'recordDelivery',
      fault: 'altered',
      result: { sent: ['mail', 'push', 'purchase'] },
    },
    caughtBy: ['order-told-with-its-delivery-waits-for-the-mail-server'],
  },
  {
    name: 'a delivered eSIM that nobody watches',
    mutation: { workflow: 'order', activity: 'watchEsims', fault: 'skipped', result: { recorded: true } },
    caughtBy: ['order-waits-for-use', 'order-waits-for-expiry', 'order-waits-for-the-mail-server'],
  },
  {
    name: 'a top-up of which the first order does not learn',
    mutation: { workflow: 'order', sentSignal: providerSignal.name },
    caughtBy: ['top-up-delivered'],
  },
  {
    name: 'an eSIM that is not given back',
    mutation: { workflow: 'order', activity: 'releaseProvision', fault: 'skipped' },
    caughtBy: [
      'order-waits-for-a-late-allocation-to-give-back',
      'order-out-of-stock',
      'order-cancelled-while-provisioning',
      'order-never-given-back',
      'top-up-of-an-expired-esim',
    ],
  },
  {
    name: 'a refund that is taken for settled at once',
    mutation: { workflow: 'order', timer: periods.order.refundSettlesWithinMs },
    caughtBy: ['order-waits-for-its-refund-to-settle', 'order-refund-bounced-and-repeated'],
  },
  {
    name: 'a late event that nobody waits for',
    mutation: { workflow: 'orderAftercare', timer: 'any' },
    caughtBy: ['order-aftercare-of-a-dispute', 'order-aftercare-of-nothing'],
  },
  {
    name: 'a late refund that nobody looks at',
    mutation: { workflow: 'orderAftercare', receivedSignal: paymentSignal.name },
    caughtBy: [
      'order-aftercare-of-a-settled-refund',
      'order-aftercare-of-a-repeated-refund',
      'order-aftercare-waits-for-its-refund-to-be-repeated',
      'order-aftercare-of-a-payment-decided-late',
      'order-aftercare-of-a-refund-that-a-dispute-stopped',
      'order-aftercare-that-was-cancelled',
    ],
  },
  {
    name: 'a mail that aftercare does not send again',
    mutation: {
      workflow: 'orderAftercare',
      activity: 'sendOrderMail',
      when: { mail: 'confirmation' },
      fault: 'skipped',
    },
    caughtBy: ['order-aftercare-of-a-mail-sent-again'],
  },
  {
    name: 'a payment that nobody asks about after a day at the bank',
    mutation: { workflow: 'order', activity: 'cancelPayment', fault: 'skipped', result: 'cancelled' },
    caughtBy: ['order-paid-after-days', 'order-waits-for-the-bank'],
  },
  {
    name: 'a run whose failure no operator learns of',
    mutation: { workflow: 'order', activity: 'raiseAttention', when: { kind: 'order_run_failed' }, fault: 'skipped' },
    caughtBy: ['order-that-failed'],
  },
  {
    name: 'a refund that is not asked about at the end of its wait',
    mutation: { workflow: 'order', activity: 'checkRefunds', fault: 'skipped', result: 'settled' },
    caughtBy: ['order-refund-found-failed-at-the-end', 'order-refund-unsettled-for-a-month'],
  },
  {
    name: 'another refund that a run which was reset does not follow',
    mutation: {
      workflow: 'order',
      activity: 'recordRefundFailure',
      fault: 'altered',
      result: { found: 'paid_another_way' },
    },
    caughtBy: ['order-further-than-its-failed-refund'],
  },
  {
    name: 'another refund that an aftercare which was reset does not follow',
    mutation: {
      workflow: 'orderAftercare',
      activity: 'recordRefundFailure',
      fault: 'altered',
      result: { found: 'paid_another_way' },
    },
    caughtBy: ['order-aftercare-of-an-order-further-than-its-failed-refund'],
  },
  {
    name: 'eSIMs of a warned order that its run, which catches up, does not take back',
    mutation: { workflow: 'order', activity: 'withdrawEsims', fault: 'skipped' },
    caughtBy: ['order-warned-of-while-its-run-catches-up'],
  },
  {
    name: 'a late payment that nobody takes',
    mutation: {
      workflow: 'orderAftercare',
      activity: 'settleWithoutRun',
      fault: 'skipped',
      result: { state: 'settled' },
    },
    caughtBy: [
      'order-aftercare-of-a-late-payment',
      'order-aftercare-of-an-unpaid-order',
      'order-aftercare-waits-for-the-bank',
      'order-aftercare-waits-for-its-refund-to-settle',
    ],
  },
  {
    name: 'a bounced refund that nobody notes',
    mutation: { workflow: 'order', activity: 'sendOrderMail', when: { mail: 'refund_failed' }, fault: 'skipped' },
    caughtBy: ['order-waits-for-its-refund-to-be-repeated', 'order-refund-bounced-and-repeated'],
  },
  {
    name: 'a partial refund that is not followed',
    mutation: { workflow: 'partialRefund', activity: 'checkPartialRefund', fault: 'skipped', result: 'settled' },
    caughtBy: ['partial-refund-settled', 'partial-refund-bounced'],
  },
  {
    name: 'a partial refund that nobody reserves',
    mutation: { workflow: 'partialRefund', activity: 'reservePartialRefund', fault: 'skipped' },
    first: true,
    caughtBy: ['partial-refund-waits-for-its-refund-to-settle', 'partial-refund-settled', 'partial-refund-bounced'],
  },
  {
    name: 'a withdrawal that is recorded and not carried out',
    mutation: { workflow: 'withdrawal', activity: 'carryOutWithdrawal', fault: 'skipped' },
    caughtBy: ['withdrawal-carried-out', 'withdrawal-waits-for-the-provider', 'withdrawal-left-to-an-operator'],
  },
  {
    name: 'a withdrawal that nobody records',
    mutation: { workflow: 'withdrawal', activity: 'recordWithdrawal', fault: 'skipped' },
    first: true,
    caughtBy: ['withdrawal-carried-out', 'withdrawal-waits-for-the-provider'],
  },
  {
    name: 'work that is given up while the database is down',
    mutation: {
      workflow: 'order',
      activity: 'confirmPayment',
      local: false,
      fault: 'skipped',
      result: { state: 'pending' },
    },
    caughtBy: ['order-waits-for-the-database'],
  },
  {
    name: 'a payment that was given back before the delivery, and nobody asks',
    mutation: { workflow: 'order', activity: 'isPaidBack', fault: 'skipped', result: false },
    caughtBy: [
      'order-paid-back-in-review',
      'order-whose-dispute-is-lost-in-review',
      'order-paid-back-before-its-approval',
      'order-paid-back-while-provisioning',
      'order-paid-back-and-filled-late',
      'order-approved-while-nobody-can-say-whether-it-is-paid-back',
    ],
  },
  {
    name: 'aftercare that does not look for a return of which nobody knows the outcome',
    mutation: {
      workflow: 'orderAftercare',
      activity: 'refreshEsims',
      fault: 'skipped',
      result: { ended: false, givenBack: false },
    },
    caughtBy: [
      'order-aftercare-that-finds-what-it-could-not-return',
      'order-aftercare-that-finds-its-esims-ended',
      'order-aftercare-that-finds-its-esims-with-the-customer',
      'order-aftercare-that-cannot-look-for-its-return',
    ],
  },
  {
    name: 'a fraud warning that nobody reads',
    mutation: { workflow: 'order', activity: 'readFraudWarnings', fault: 'skipped', result: 'nothing' },
    caughtBy: [
      'order-warned-of-in-review',
      'order-warned-of-while-provisioning',
      'order-warned-of-and-taken-back',
      'order-warned-of-and-used',
    ],
  },
  {
    name: 'a warned order whose eSIMs are not taken back',
    mutation: { workflow: 'order', activity: 'withdrawEsims', fault: 'skipped' },
    caughtBy: ['order-warned-of-while-its-provider-is-down', 'order-warned-of-and-given-back-by-its-customer'],
  },
  {
    name: 'a warned order that is refunded without its eSIMs, which nobody returns any more',
    mutation: { workflow: 'order', activity: 'releaseProvision', fault: 'skipped' },
    caughtBy: ['order-warned-of-and-refunded-without-its-esims'],
  },
  {
    name: 'a warned order that waits for its provider for as long as that is down',
    mutation: {
      workflow: 'order',
      activity: 'readFraudWarnings',
      when: { providerIsAway: true },
      fault: 'skipped',
      result: 'nothing',
    },
    caughtBy: ['order-warned-of-and-refunded-without-its-esims', 'order-warned-of-and-left-to-an-operator-in-time'],
  },
  {
    name: 'aftercare that refunds without the eSIMs, which nobody returns any more',
    mutation: { workflow: 'orderAftercare', activity: 'releaseProvision', fault: 'skipped' },
    caughtBy: ['order-aftercare-that-refunds-without-the-esims'],
  },
  {
    name: 'aftercare that refunds after a warning, and asks for no eSIM',
    mutation: { workflow: 'orderAftercare', activity: 'withdrawEsims', fault: 'skipped' },
    caughtBy: [
      'order-aftercare-that-tries-for-a-week',
      'order-aftercare-of-a-warning-that-needs-nothing-any-more',
      'order-aftercare-that-cannot-take-back',
      'order-aftercare-waits-for-the-refund-of-returned-esims',
      'order-aftercare-reset-after-a-failed-refund',
    ],
  },
  {
    name: 'aftercare that waits for the provider for as long as that is down',
    mutation: {
      workflow: 'orderAftercare',
      activity: 'readFraudWarnings',
      when: { providerIsAway: true },
      fault: 'skipped',
      result: 'nothing',
    },
    caughtBy: [
      'order-aftercare-that-refunds-without-the-esims',
      'order-aftercare-that-leaves-used-esims-to-an-operator',
    ],
  },
  {
    name: 'a fraud warning of which no operator learns',
    mutation: { workflow: 'order', activity: 'raiseFraudWarning', fault: 'skipped' },
    caughtBy: ['order-warned-of-and-used', 'order-warned-of-and-ended-meanwhile'],
  },
  {
    name: 'a fraud warning that aftercare does not hear',
    mutation: { workflow: 'orderAftercare', receivedSignal: fraudWarningSignal.name },
    caughtBy: [
      'order-aftercare-of-a-fraud-warning',
      'order-aftercare-hinted-while-it-looks',
      'order-aftercare-of-a-warning-of-an-undelivered-order',
      'order-aftercare-that-cannot-take-back',
      'order-aftercare-that-takes-back',
      'order-aftercare-that-takes-back-and-cannot-refund',
    ],
  },
  {
    name: 'a dispute without evidence',
    mutation: { workflow: 'order', activity: 'stageDisputeEvidence', fault: 'skipped' },
    caughtBy: ['order-disputed-with-evidence'],
  },
  {
    name: 'a bulk action that begins without being recorded',
    mutation: { workflow: 'bulkAction', activity: 'startBulkAction', fault: 'skipped' },
    first: true,
    caughtBy: ['bulk-action-done', 'bulk-action-refused'],
  },
  {
    name: 'a bulk action that leaves its orders alone',
    mutation: { workflow: 'bulkAction', activity: 'actOnOrders', fault: 'skipped', result: { ended: 0, left: 0 } },
    first: true,
    caughtBy: ['bulk-action-done', 'bulk-action-given-up', 'bulk-action-carried-on'],
  },
  {
    name: 'a change of a bulk action that is not recorded',
    mutation: { workflow: 'bulkAction', activity: 'setBulkActionState', fault: 'skipped' },
    caughtBy: ['bulk-action-paused-and-resumed', 'bulk-action-cancelled', 'bulk-action-waits-for-an-operator'],
  },
]
