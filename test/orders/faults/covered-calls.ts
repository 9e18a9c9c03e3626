/**
 * Each call to an outside party. Alone, each gets pairs of all faults, of names, certificates and connections too, in
 * each-call/; and within an order, a top-up, a refund or a deletion in the files that are named here.
 */

export const pairFiles = {
  checkout: 'test/orders/faults/pairs-of-checkout-faults.long.test.ts',
  order: 'test/orders/faults/pairs-of-faults.long.test.ts',
  later: 'test/orders/faults/pairs-of-later-faults.long.test.ts',
  messages: 'test/orders/faults/pairs-of-message-faults.long.test.ts',
  deletion: 'test/erasure/faults/pairs-of-faults.long.test.ts',
  redaction: 'test/erasure/faults/pairs-of-redaction-faults.long.test.ts',
  web: 'test/orders/faults/pairs-of-web-faults.long.test.ts',
  disputes: 'test/orders/faults/pairs-of-dispute-faults.long.test.ts',
  reads: 'test/orders/faults/pairs-of-read-faults.long.test.ts',
  signIn: 'test/sign-in/pairs-of-faults.long.test.ts',
  events: 'test/events/pairs-of-faults.long.test.ts',
  mailServer: 'test/operation/pairs-of-mail-server-faults.long.test.ts',
} as const

export interface CoveredCall {
  /** a piece of the pattern that finds the call in these files */
  planted?: { path: string; in: (keyof typeof pairFiles)[] }
  /**
   * method and path, as pairs-of-network-faults.long.test.ts sees the call pass: names, certificates and connections
   */
  network?: string
  /** why it is not called in each-call/, and the file that has its faults, of names and certificates too */
  elsewhere?: { why: string; file: string }
}

function elsewhere(why: string, file: string, calls: string[]): Record<string, CoveredCall> {
  return Object.fromEntries(calls.map((call) => [call, { elsewhere: { why, file } }]))
}

const ownServer = { why: 'it speaks SMTP', file: pairFiles.mailServer }
/** One function reads the keys for tokens and for notices (providers/id-token.ts). */
const keysAsOfTokens = (party: string) => ({
  why: `it asks for the keys alone, as ${party}.verifyIdToken does`,
  file: 'test/orders/faults/each-call/other-calls.ts',
})

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
  redact: { planted: { path: '/redaction_jobs$', in: ['redaction'] }, network: 'POST /v1/privacy/redaction_jobs' },
  getRedaction: {
    planted: { path: '/redaction_jobs/\\\\w+$', in: ['redaction'] },
    network: 'GET /v1/privacy/redaction_jobs/*',
  },
  runRedaction: {
    planted: { path: '/redaction_jobs/\\\\w+/run$', in: ['redaction'] },
    network: 'POST /v1/privacy/redaction_jobs/*/run',
  },
  cancelRedaction: { planted: { path: '/redaction_jobs/\\\\w+/cancel$', in: ['redaction'] } },
  customerState: { planted: { path: '/v1/customers/', in: ['redaction'] } },
  getDispute: { planted: { path: '/v1/disputes/', in: ['disputes'] }, network: 'GET /v1/disputes/*' },
  stageEvidence: { planted: { path: ' evidence', in: ['disputes'] }, network: 'POST /v1/disputes/*' },
  submitEvidence: { planted: { path: ' submit=true', in: ['disputes'] } },
  acceptDispute: { planted: { path: '/close$', in: ['disputes'] } },
  listDisputes: { planted: { path: '/v1/disputes\\\\?', in: ['disputes'] } },
  getFraudWarning: { planted: { path: '/v1/radar/early_fraud_warnings/', in: ['disputes'] } },
  listFraudWarnings: { planted: { path: '/v1/radar/early_fraud_warnings\\\\?', in: ['disputes'] } },
  bookedDisputes: { network: 'GET /v1/disputes' },
  bookedPayments: { network: 'GET /v1/payment_intents' },
  paymentsCreated: { network: 'GET /v1/payment_intents' },
  // Only a restore asks, which repeats it.
  openPages: {},
  pageOf: {},
  orderEvents: { network: 'GET /v1/events' },
  olderPaymentsRefunded: { network: 'GET /v1/refunds' },
  balances: { network: 'GET /v1/balance' },
  transactionsCreated: { network: 'GET /v1/balance_transactions' },
  bookedPayouts: { network: 'GET /v1/payouts' },
  paidOutMinor: { network: 'GET /v1/balance_transactions' },
  bookedPayment: { planted: { path: '/v1/payment_intents/', in: ['reads'] } },
  createHostedPayment: {
    planted: { path: '/v1/checkout/sessions$', in: ['web'] },
  },
  getHostedPayment: {
    planted: { path: '/v1/checkout/sessions/', in: ['web'] },
  },
  endHostedPayment: {
    planted: { path: '/expire$', in: ['web'] },
  },
  listSavedCards: { planted: { path: '/payment_methods', in: ['web'] } },
  deleteSavedCard: { planted: { path: '/detach$', in: ['web'] } },
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
  suspend: { planted: { path: '/esim/suspend$', in: ['disputes'] }, network: 'POST /api/v1/open/esim/suspend' },
  listOrders: { network: 'POST /api/v1/open/esim/query' },
  balance: { network: 'POST /api/v1/open/balance/query' },
  unsuspend: { planted: { path: '/esim/unsuspend$', in: ['disputes'] } },
  listPackages: { planted: { path: '/package/list', in: ['reads'] } },
  currentCost: { planted: { path: '/package/list', in: ['reads'] } },
  findOrdersOf: { planted: { path: 'startTime', in: ['reads'] } },
  // Only a restore asks, which repeats it.
  topUpsOf: {},
}

const airalo: Record<string, CoveredCall> = {
  placeOrder: { planted: { path: '/v2/orders$', in: ['order'] }, network: 'POST /v2/orders' },
  findOrder: { network: 'GET /v2/orders' },
  getEsims: { planted: { path: '/v2/orders/', in: ['order', 'deletion'] }, network: 'GET /v2/orders/*' },
  getStatus: { planted: { path: '/v2/sims/', in: ['deletion'] }, network: 'GET /v2/sims/*/usage' },
  cancelUnused: { planted: { path: '/v2/refund$', in: ['order', 'deletion'] }, network: 'POST /v2/refund' },
  topUp: { planted: { path: '/v2/orders/topups$', in: ['later'] }, network: 'POST /v2/orders/topups' },
  hasTopUp: { planted: { path: '/v2/orders\\\\?', in: ['later'] }, network: 'GET /v2/orders' },
  listOrders: { network: 'GET /v2/orders' },
  balance: { network: 'GET /v2/balance' },
  ...elsewhere('Airalo has no such call', 'test/providers/airalo.test.ts', ['suspend', 'unsuspend']),
  listPackages: { planted: { path: '/v2/packages', in: ['reads'] }, network: 'GET /v2/packages' },
  currentCost: { planted: { path: '/v2/packages', in: ['reads'] }, network: 'GET /v2/packages' },
  findOrdersOf: { planted: { path: '/v2/orders', in: ['reads'] }, network: 'GET /v2/orders' },
  topUpsOf: {},
}

/** By `<outside party>.<function of its port>`. */
export const coveredCalls: Record<string, CoveredCall> = {
  ...named('stripe', stripe),
  ...named('esim-access', esimAccess),
  ...named('airalo', airalo),
  ...named('apple', {
    revoke: { planted: { path: '/auth/revoke$', in: ['deletion'] }, network: 'POST /auth/revoke' },
    exchangeCode: { planted: { path: '/auth/token$', in: ['signIn'] } },
    verifyIdToken: { planted: { path: '/auth/keys$', in: ['signIn'] } },
    parseNotification: {
      planted: { path: "notify', { type: 'consent-revoked'", in: ['signIn'] },
      elsewhere: keysAsOfTokens('apple'),
    },
  }),
  ...named('google', {
    revoke: { planted: { path: '/revoke$', in: ['deletion'] }, network: 'POST /revoke' },
    verifyIdToken: { planted: { path: 'keyPaths.google, firebaseKeys', in: ['signIn'] } },
    parseSecurityEvent: {
      planted: { path: "notify', { type: 'sessions-revoked'", in: ['signIn'] },
      elsewhere: keysAsOfTokens('google'),
    },
  }),
  ...named('firebaseIdToken', {
    verifyFirebaseIdToken: { planted: { path: 'keyPaths.google, firebaseKeys', in: ['signIn'] } },
  }),
  ...named('firebaseUsers', {
    deleteUser: {
      planted: { path: 'accounts:delete$', in: ['deletion'] },
      network: 'POST /v1/projects/ama-esim-sandbox/accounts:delete',
    },
    // Nobody waits for it, and its run goes on asking.
    moveAddress: {},
  }),
  ...named('push', {
    send: {
      planted: { path: 'messages:send$', in: ['messages'] },
      network: 'POST /v1/projects/ama-esim-sandbox/messages:send',
    },
  }),
  ...named('mail', {
    send: { planted: { path: 'recipient', in: ['messages', 'mailServer'] }, elsewhere: ownServer },
    sendToMany: { planted: { path: 'mail.sendToMany(', in: ['mailServer'] }, elsewhere: ownServer },
    ...elsewhere('only `npm run doctor` asks, and reports the fault', 'test/providers/mail.test.ts', ['verify']),
  }),
  ...named('measurement', {
    sendPurchase: { planted: { path: '/events$', in: ['messages'] } },
    sendToMeta: { planted: { path: '/events$', in: ['messages'] }, network: 'POST /v24.0/*/events' },
    sendToGoogleAnalytics: { planted: { path: '/mp/collect', in: ['messages'] }, network: 'POST /mp/collect' },
  }),
  ...named('operatorSignIn', {
    addressFor: { planted: { path: 'failNext(metadata', in: ['signIn'] } },
    personOf: { planted: { path: "'/token', '/me', '/jwks'", in: ['signIn'] } },
    // An operator works on, and it is asked again.
    personNow: {},
    // The sender sends it again.
    logoutIn: {},
  }),
  ...named('eventReceivers', {
    deliver: {
      planted: { path: 'front.failBy', in: ['events'] },
      elsewhere: { why: 'it never rejects, and its party is another one for each endpoint', file: pairFiles.events },
    },
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
