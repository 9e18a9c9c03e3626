/** Entry of the workflow bundle: every workflow type, and nothing else. */
export { accountInactivity } from './account-inactivity.ts'
export { booksCohorts } from './books-cohorts.ts'
export { catalogueSync } from './catalogue-sync.ts'
export { inactivitySweep } from './inactivity-sweep.ts'
export { invoiceRetention } from './invoice-retention.ts'
export { order } from './order.ts'
export { orderAftercare } from './order-aftercare.ts'
export { privacyRequest } from './privacy-request.ts'
