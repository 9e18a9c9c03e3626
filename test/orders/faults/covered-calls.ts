/** Each call to an outside party, and the files in which it gets pairs of faults. */

export const pairFiles = {
  checkout: 'test/orders/faults/pairs-of-checkout-faults.long.test.ts',
  order: 'test/orders/faults/pairs-of-faults.long.test.ts',
  later: 'test/orders/faults/pairs-of-later-faults.long.test.ts',
  messages: 'test/orders/faults/pairs-of-message-faults.long.test.ts',
  deletion: 'test/erasure/pairs-of-faults.long.test.ts',
} as const

export interface CoveredCall {
  /** a piece of the pattern that finds the call in these files */
  planted?: { path: string; in: (keyof typeof pairFiles)[] }
  /** method and path, as pairs-of-network-faults.long.test.ts sees the call pass: names, certificates and connections */
  network?: string
  /** why no pair is planted, with the file that has its single faults */
  single?: { why: string; file: string }
}

function single(why: string, file: string, calls: string[]): Record<string, CoveredCall> {
  return Object.fromEntries(calls.map((call) => [call, { single: { why, file } }]))
}

function keys(file: string, calls: string[]): Record<string, CoveredCall> {
  return single('keys are read again at each token until they are there', file, calls)
}

function catalogue(): Record<string, CoveredCall> {
  return {
    ...single('the next sync reads again', 'test/providers/documented/esim-providers.test.ts', [
      'listPackages',
      'currentCost',
    ]),
    ...single('only a restore asks', 'test/stack/restore-loses-nobody.long.test.ts', ['findOrdersOf']),
  }
}

function named(port: string, calls: Record<string, CoveredCall>): Record<string, CoveredCall> {
  return Object.fromEntries(Object.entries(calls).map(([call, covered]) => [`${port}.${call}`, covered]))
}

const stripe: Record<string, CoveredCall> = {
  createCustomer: { planted: { path: '/v1/customers$', in: ['checkout'] }, network: 'POST /v1/customers' },
  createCustomerSession: {
    planted: { path: '/v1/customer_sessions$', in: ['checkout'] },
    network: 'POST /v1/customer_sessions',
  },
  createPayment: { planted: { path: '/v1/payment_intents$', in: ['checkout'] }, network: 'POST /v1/payment_intents' },
  getPayment: {
    planted: { path: '/v1/payment_intents/', in: ['later', 'deletion'] },
    network: 'GET /v1/payment_intents/*',
  },
  cancelPayment: {
    planted: { path: '/cancel', in: ['later', 'deletion'] },
    network: 'POST /v1/payment_intents/*/cancel',
  },
  refund: { planted: { path: '/v1/refunds$', in: ['later', 'deletion'] }, network: 'POST /v1/refunds' },
  listRefunds: { planted: { path: '/v1/refunds', in: ['later', 'deletion'] }, network: 'GET /v1/refunds' },
  deleteCustomer: { planted: { path: '/v1/customers/', in: ['deletion'] }, network: 'DELETE /v1/customers/*' },
  redact: { network: 'POST /v1/privacy/redaction_jobs' },
  getRedaction: { network: 'GET /v1/privacy/redaction_jobs/*' },
  runRedaction: { network: 'POST /v1/privacy/redaction_jobs/*/run' },
  getDispute: { network: 'GET /v1/disputes/*' },
  stageEvidence: { network: 'POST /v1/disputes/*' },
  bookedDisputes: { network: 'GET /v1/disputes' },
  bookedPayments: { network: 'GET /v1/payment_intents' },
  paymentsCreated: { network: 'GET /v1/payment_intents' },
  orderEvents: { network: 'GET /v1/events' },
  olderPaymentsRefunded: { network: 'GET /v1/refunds' },
  balances: { network: 'GET /v1/balance' },
  transactionsCreated: { network: 'GET /v1/balance_transactions' },
  bookedPayouts: { network: 'GET /v1/payouts' },
  paidOutMinor: { network: 'GET /v1/balance_transactions' },
  ...single('a read that the next comparison makes again', 'test/workflows/reconciliation.long.test.ts', [
    'bookedPayment',
  ]),
  ...single('a read of a run that asks until it is answered', 'test/orders/disputes.long.test.ts', ['listDisputes']),
  ...single('a read of a run that asks until it is answered', 'test/fraud/fraud-warnings.long.test.ts', [
    'getFraudWarning',
    'listFraudWarnings',
  ]),
  ...single('an operator waits, and repeats the act under the same key', 'test/fraud/dispute-evidence.long.test.ts', [
    'submitEvidence',
    'acceptDispute',
  ]),
  ...single('only for redaction jobs that Stripe refuses', 'test/erasure/redaction.long.test.ts', [
    'cancelRedaction',
    'knowsCustomer',
  ]),
  ...single('a person waits at a page, and repeats the request', 'test/pages/top-up.test.ts', [
    'createHostedPayment',
    'getHostedPayment',
    'endHostedPayment',
    'listSavedCards',
    'removeSavedCard',
  ]),
}

const esimAccess: Record<string, CoveredCall> = {
  placeOrder: { planted: { path: '/esim/order$', in: ['order'] }, network: 'POST /api/v1/open/esim/order' },
  findOrder: { planted: { path: '/esim/query$', in: ['order'] }, network: 'POST /api/v1/open/esim/query' },
  getEsims: { planted: { path: '/esim/query$', in: ['order', 'deletion'] }, network: 'POST /api/v1/open/esim/query' },
  getStatus: { planted: { path: '/esim/query$', in: ['later'] }, network: 'POST /api/v1/open/esim/query' },
  cancelUnused: {
    planted: { path: '/esim/cancel$', in: ['order', 'deletion'] },
    network: 'POST /api/v1/open/esim/cancel',
  },
  topUp: { planted: { path: '/esim/topup$', in: ['later'] }, network: 'POST /api/v1/open/esim/topup' },
  hasTopUp: { planted: { path: '/esim/query$', in: ['later'] }, network: 'POST /api/v1/open/esim/query' },
  suspend: { network: 'POST /api/v1/open/esim/suspend' },
  listOrders: { network: 'POST /api/v1/open/esim/query' },
  balance: { network: 'POST /api/v1/open/balance/query' },
  ...single('the same call as suspend, after a won dispute', 'test/orders/disputes.long.test.ts', ['unsuspend']),
  ...catalogue(),
}

const airalo: Record<string, CoveredCall> = {
  placeOrder: { planted: { path: '/v2/orders$', in: ['order'] }, network: 'POST /v2/orders' },
  findOrder: { network: 'GET /v2/orders' },
  getEsims: { planted: { path: '/v2/orders/', in: ['order'] }, network: 'GET /v2/orders/*' },
  getStatus: { network: 'GET /v2/sims/*/usage' },
  cancelUnused: { planted: { path: '/v2/refund$', in: ['order'] } },
  topUp: { planted: { path: '/v2/orders/topups$', in: ['later'] } },
  hasTopUp: { planted: { path: '/v2/orders\\\\?', in: ['later'] }, network: 'GET /v2/orders' },
  listOrders: { network: 'GET /v2/orders' },
  balance: { network: 'GET /v2/balance' },
  ...single('Airalo has no such call', 'test/providers/airalo.test.ts', ['suspend', 'unsuspend']),
  ...catalogue(),
}

/** By `<outside party>.<function of its port>`. */
export const coveredCalls: Record<string, CoveredCall> = {
  ...named('stripe', stripe),
  ...named('esim-access', esimAccess),
  ...named('airalo', airalo),
  ...named('apple', {
    revoke: { planted: { path: '/auth/revoke$', in: ['deletion'] }, network: 'POST /auth/revoke' },
    ...single('a code is good for one call: after a fault the person signs in again', 'test/providers/apple.test.ts', [
      'exchangeCode',
    ]),
    ...keys('test/providers/apple.test.ts', ['verifyIdToken', 'parseNotification']),
  }),
  ...named('google', {
    revoke: { planted: { path: '/revoke$', in: ['deletion'] }, network: 'POST /revoke' },
    ...keys('test/providers/google.test.ts', ['verifyIdToken', 'parseSecurityEvent']),
  }),
  ...named('firebaseIdToken', keys('test/providers/google.test.ts', ['verifyFirebaseIdToken'])),
  ...named('firebaseUsers', {
    deleteUser: {
      planted: { path: 'accounts:delete$', in: ['deletion'] },
      network: 'POST /v1/projects/ama-esim-sandbox/accounts:delete',
    },
  }),
  ...named('push', {
    send: {
      planted: { path: 'messages:send$', in: ['messages'] },
      network: 'POST /v1/projects/ama-esim-sandbox/messages:send',
    },
  }),
  ...named('mail', {
    send: { planted: { path: 'recipient: person.email', in: ['messages'] } },
    ...single('the same transmission as send', 'test/workflows/policy-notice.test.ts', ['sendToMany']),
    ...single('only `npm run doctor` asks, and reports the fault', 'test/providers/mail.test.ts', ['verify']),
  }),
  ...named('measurement', {
    sendPurchase: { planted: { path: '/events$', in: ['messages'] } },
    sendToMeta: { planted: { path: '/events$', in: ['messages'] }, network: 'POST /v24.0/*/events' },
    sendToGoogleAnalytics: { planted: { path: '/mp/collect', in: ['messages'] }, network: 'POST /mp/collect' },
  }),
  ...named('operatorSignIn', {
    ...single('an operator waits, and signs in again', 'test/sign-in/openid.long.test.ts', ['addressFor', 'personOf']),
    ...single('an operator works on, and it is asked again', 'test/sign-in/openid-sessions.long.test.ts', [
      'personNow',
    ]),
    ...single('the sender sends it again', 'test/sign-in/openid-sessions.long.test.ts', ['logoutIn']),
  }),
  ...named('eventReceivers', {
    ...single(
      'each delivery is repeated by its schedule, and any other status is none',
      'test/events/deliveries.long.test.ts',
      ['deliver'],
    ),
  }),
}

/** Functions of ports that call nobody. */
export const withoutCall = [
  'stripe.parseWebhook',
  'esim-access.parseWebhook',
  'airalo.parseWebhook',
  'eventReceivers.faultOf',
  ...['firebaseUsers', 'push', 'mail', 'eventReceivers'].map((port) => `${port}.close`),
  'mail.idle',
]
