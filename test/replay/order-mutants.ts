import type { Mutant } from './mutants.ts'

export const orderMutants: Mutant[] = [
  {
    name: 'an order that does not open its checkout',
    line: 'await openCheckout(run);',
    first: true,
    replacement: '',
    caughtBy: ['order-waits-for-payment', 'order-never-paid', 'order-that-could-not-open', 'top-up-waits-for-payment'],
  },
  {
    name: 'a payment that is not cancelled when the customer cancels',
    line: "if (run.requested.cancel) return closePayment(run, 'cancelled', 'cancelled_by_customer');",
    replacement: "if (run.requested.cancel) return { state: 'cancelled' };",
    caughtBy: ['order-cancelled-unpaid', 'order-paid-while-cancelled'],
  },
  {
    name: 'a payment that is not closed at the deadline',
    line: "return closePayment(run, 'unpaid', 'not_paid_in_time');",
    replacement: "return { state: 'unpaid' };",
    caughtBy: ['order-never-paid', 'order-paid-at-the-deadline'],
  },
  {
    name: 'an operator who is not asked',
    line: "if (payment.state !== 'paid') return finish(run, payment.state);",
    replacement: "if (payment.state !== 'paid') return finish(run, payment.state); payment.review = null;",
    caughtBy: ['order-waits-for-an-operator', 'order-rejected', 'order-never-decided', 'order-approved-and-expired'],
  },
  {
    name: 'a customer who is not told of a delay',
    line: "run.announce('delayed');",
    replacement: '',
    caughtBy: ['order-waits-for-a-slow-provider', 'order-delivered-late', 'order-never-delivered'],
  },
  {
    name: 'a purchase that is not measured',
    line: 'run.measurePurchase();',
    replacement: '',
    caughtBy: ['order-waits-for-use', 'order-used-and-expired', 'order-returned-unused', 'top-up-delivered'],
  },
  {
    name: 'a delivered eSIM that nobody watches',
    line: 'let watch = startWatch();',
    replacement: "let watch = { state: 'watching', recorded: false };",
    caughtBy: ['order-waits-for-use', 'order-waits-for-expiry', 'order-waits-for-the-mail-server'],
  },
  {
    name: 'a top-up of which the first order does not learn',
    line: 'await signalParentOrder(run.input.parentOrderId);',
    replacement: '',
    caughtBy: ['top-up-delivered'],
  },
  {
    name: 'an eSIM that is not given back',
    line: 'const returned = run.stopProvisioning ? returnEsims(run) : undefined;',
    replacement: 'const returned = undefined;',
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
    line: "run.announce('refunded');",
    replacement: "run.announce('refunded'); return undefined;",
    caughtBy: ['order-waits-for-its-refund-to-settle', 'order-refund-bounced-and-repeated'],
  },
  {
    name: 'late news that nobody waits for',
    line: 'await (0,_temporalio_workflow__WEBPACK_IMPORTED_MODULE_0__.condition)(()=>paymentsToCheck > 0, 1);',
    replacement: '',
    caughtBy: ['order-aftercare-of-a-dispute'],
  },
  {
    name: 'a late refund that nobody looks at',
    line: 'paymentsToCheck += 1;',
    replacement: '',
    caughtBy: [
      'order-aftercare-of-a-settled-refund',
      'order-aftercare-of-a-repeated-refund',
      'order-aftercare-waits-for-its-refund-to-be-repeated',
    ],
  },
  {
    name: 'a bounced refund that nobody notes',
    line: "run.announce('refund_failed');",
    replacement: '',
    caughtBy: ['order-waits-for-its-refund-to-be-repeated', 'order-refund-bounced-and-repeated'],
  },
  {
    name: 'work that is given up while the database is away',
    line: 'if (!ranOutOfTries(error)) throw error;',
    replacement: 'throw error;',
    caughtBy: ['order-waits-for-the-database'],
  },
]
