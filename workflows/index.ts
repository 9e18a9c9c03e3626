/** Entry of the workflow bundle: every workflow type, and nothing else. */
export { order } from './order.ts'
export { orderAftercare } from './order-aftercare.ts'
