/** Entry of the workflow bundle: every workflow type, and nothing else. */
export { catalogueSync } from './catalogue-sync.ts'
export { order } from './order.ts'
export { orderAftercare } from './order-aftercare.ts'
