/**
 * U2: paid means delivered or refunded. A restore asks outside parties again until they answer, and one order cannot
 * end it for the others.
 */

import { expect, test } from 'vitest'
import { placementReference } from '../../activities/order/placement-reference.ts'
import { ownOrderOf } from '../../cli/restore/orders/own-order.ts'
import { readAgreeing } from '../../cli/restore/orders/payments.ts'
import { repeatingPort, untilAnswered } from '../../cli/restore/until-answered.ts'
import type { EsimProviderId } from '../../providers/esim.ts'
import { ProviderFailure } from '../../providers/failure.ts'
import type { Payment } from '../../providers/stripe/payments.ts'

const away = () => new ProviderFailure('stripe', 'unavailable', 'http_503')

/** A port that fails at each of these calls, counted from 1; a page counts as a call. */
function portOf(failing: readonly number[], makeFailure = away) {
  let calls = 0
  const answer = (): number => {
    calls += 1
    if (failing.includes(calls)) throw makeFailure()
    return calls
  }
  return {
    name: 'a port',
    read: async () => answer(),
    async *pages() {
      for (const page of ['a', 'b', 'c']) {
        answer()
        yield page
      }
    },
    plain: () => 'no promise',
    calls: () => calls,
  }
}

async function listOf<Item>(pages: AsyncIterable<Item>): Promise<Item[]> {
  const found: Item[] = []
  for await (const page of pages) found.push(page)
  return found
}

test('a read is repeated until it is answered', async () => {
  const port = portOf([1, 2])
  expect(await repeatingPort(port, 0).read()).toBe(3)
  expect(repeatingPort(port, 0)).toMatchObject({ name: 'a port' })
  expect(repeatingPort(port, 0).plain()).toBe('no promise')
})

test.each([[[1]], [[2]], [[3]], [[1, 2]], [[2, 5]]])(
  'a list whose calls %j fail is read to its end, each page once',
  async (failing) => {
    expect(await listOf(repeatingPort(portOf(failing), 0).pages())).toEqual(['a', 'b', 'c'])
  },
)

test('a read waits as long as a party asks for', async () => {
  const begun = performance.now()
  const limited = portOf([1], () => new ProviderFailure('airalo', 'unavailable', 'rate_limited', { retryAfterMs: 60 }))
  expect(await repeatingPort(limited, 0).read()).toBe(2)
  // Node's timers may be a millisecond early.
  expect(performance.now() - begun).toBeGreaterThan(58)
})

test('a read that is never answered fails after six attempts, also where it is repeated twice', async () => {
  const always = Array.from({ length: 100 }, (_, index) => index + 1)
  const port = portOf(always)
  await expect(untilAnswered(() => repeatingPort(port, 0).read(), 0)).rejects.toThrow('http_503')
  expect(port.calls()).toBe(6)
  const misconfigured = portOf(always, () => new ProviderFailure('stripe', 'misconfigured', 'http_401'))
  await expect(repeatingPort(misconfigured, 0).read()).rejects.toThrow('http_401')
  expect(misconfigured.calls()).toBe(1)
})

const payment = (status: Payment['status'], amountReceivedMinor: number): Payment => ({
  paymentIntentId: 'pi_1',
  clientSecret: '',
  status,
  orderId: null,
  amountMinor: 500,
  amountReceivedMinor,
  refundedMinor: 0,
  currency: 'EUR',
  methodKind: 'card',
  riskLevel: 'normal',
  cardCountry: null,
  disputed: false,
  customerId: null,
  createdAt: '2026-11-29T10:00:00Z',
})
const [stale, paid] = [payment('processing', 0), payment('succeeded', 500)]

test.each([
  ['is asked again about a payment that our records have as made', new Date(), [stale, stale, paid], paid],
  ['is believed about a payment that they do not have', null, [stale, paid], stale],
])('a machine of Stripe’s that does not know a payment %s', async (_what, paid_at, answers, expected) => {
  const [first, ...others] = answers
  const stripe = { getPayment: async () => others.shift() ?? paid }
  expect(await readAgreeing(stripe, { paid_at }, 'pi_1', { first, firstPauseMs: 0 })).toBe(expected)
})

test('a payment of which Stripe goes on saying that it was not made is an operator’s', async () => {
  const stripe = { getPayment: async () => stale }
  await expect(readAgreeing(stripe, { paid_at: new Date() }, 'pi_1', { firstPauseMs: 0 })).rejects.toThrow(
    'payment_contradicts',
  )
})

const [first, second] = ['0b0e5d9b-4f7e-4e07-9d1a-000000000001', '0b0e5d9b-4f7e-4e07-9d1a-000000000002'] as const
const placedAs = (provider: EsimProviderId, reference: string, attempt: number, orderNo: string) => ({
  provider,
  clientRef: placementReference(reference, provider, attempt),
  orderNo,
})

test('of several orders at providers the one that was asked for last is the order’s own, of its copies the first', () => {
  const original = placedAs('airalo', first, 1, '998')
  const copy = placedAs('airalo', first, 1, '1002')
  const later = placedAs('airalo', first, 12, '1001')
  const elsewhere = placedAs('esim-access', first, 9, 'B1')
  const nextProvision = placedAs('esim-access', second, 1, 'B2')
  expect(ownOrderOf([first], [copy, original])).toBe(original)
  expect(ownOrderOf([first], [original, elsewhere, later])).toBe(later)
  expect(ownOrderOf([first, second], [later, nextProvision])).toBe(nextProvision)
  expect(ownOrderOf([first], [])).toBeUndefined()
})
