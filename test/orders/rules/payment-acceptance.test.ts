/** U2: paid means delivered or refunded. The payments that pay for an order. */
import { expect, test } from 'vitest'
import { notAccepted, objectionTo } from '../../../activities/order/payment/payment-acceptance.ts'

const order = { id: 'o', created_at: new Date('2026-07-01T12:00:00.000Z') }
const payment = { orderId: 'o', createdAt: '2026-07-01T12:00:00.000Z', refundedMinor: 0, disputed: false }

test.each([
  ['of the order', {}, undefined],
  ['of another order', { orderId: 'p' }, 'of_another_order'],
  ['from five minutes before the order, since clocks differ', { createdAt: '2026-07-01T11:55:00.000Z' }, undefined],
  ['from longer before', { createdAt: '2026-07-01T11:54:59.999Z' }, 'older_than_order'],
  ['from long after', { createdAt: '2026-07-02T12:00:00.000Z' }, undefined],
  ['of which a cent was refunded', { refundedMinor: 1 }, 'refunded'],
  ['that is disputed', { disputed: true }, 'disputed'],
  ['that is refunded and disputed', { refundedMinor: 1, disputed: true }, 'refunded'],
])('a payment %s meets the objection %s', (_, changed, expected) => {
  expect(objectionTo({ ...payment, ...changed }, order)).toBe(expected)
})

test('the reason of an order whose payment is not accepted has the name that callers know', () => {
  expect(notAccepted).toBe('payment_not_accepted')
})
