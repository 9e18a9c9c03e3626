/**
 * Sealed parts, which erasure steps still need of an erased person, are read in the forms of all builds of the last 90
 * days.
 */
import { expect, test } from 'vitest'
import type { DeletionPart } from '../../db/erasure/deletion-seals.ts'
import { readPart, UnreadablePart } from '../../db/erasure/sealed-parts.ts'
import { keysOf } from '../../shared/keys-of.ts'

const settlement = {
  paymentIntentId: 'pi_1',
  action: 'refund',
  factId: null,
  invoiceNumber: null,
  packageName: 'Germany 1 GB',
  destination: 'DE',
  quantity: 1,
  grossMinor: 500,
  currency: 'EUR',
  refundedAt: null,
  trouble: null,
}
const placement = {
  provider: 'airalo',
  clientRef: 'ref',
  packageCode: 'code',
  quantity: 1,
  days: null,
  orderNo: null,
  placedAfter: '2026-11-29T10:00:00.000Z',
  esimRefs: null,
}
const payments = { paymentIntentIds: ['pi_1'], customerIds: [], job: null, setAside: [], refusals: 0 }
const trace = { ids: ['a'], blinds: [], orderIds: [], transaction: '7' }

/** Each part as the first build has written it, and as this one does. */
const written: Record<DeletionPart, readonly [unknown, unknown]> = {
  apple: [
    { refreshToken: 'r', clientId: 'c', subjectIndex: 's' },
    { refreshToken: 'r', clientId: 'c', subjectIndex: 's' },
  ],
  google: [{ refreshToken: 'r' }, { refreshToken: 'r' }],
  firebase: [{ uid: 'u' }, { uid: 'u' }],
  stripeCustomer: [{ customerId: 'cus_1' }, { customerId: 'cus_1' }],
  settlements: [
    [settlement],
    [
      {
        ...settlement,
        action: 'follow',
        promisedMinor: 200,
        bookedMinor: 100,
        parts: [{ refundKey: 'k', amountMinor: 100, reason: 'goodwill' }],
      },
    ],
  ],
  providerOrders: [[placement], [{ ...placement, days: 3, esimRefs: ['e'], returnsAsked: ['e'] }]],
  payments: [payments, { ...payments, job: { id: 'prj_1', paymentIntentIds: ['pi_1'], customerIds: [] } }],
  address: [{ email: 'a@people.example' }, { email: 'a@people.example', language: 'sq' }],
  trace: [trace, { ...trace, requestIds: ['q'], emailChangeIds: ['m'] }],
}
const parts = keysOf(written)

test.each(parts)('the part %s is read as the first build has written it, as this one does, and with more', (part) => {
  for (const secret of written[part]) expect(readPart(part, JSON.stringify(secret))).toEqual(secret)
  const [, now] = written[part]
  const later = Array.isArray(now) ? now.map((each) => ({ ...each, later: 1 })) : { ...Object(now), later: 1 }
  expect(readPart(part, JSON.stringify(later))).toEqual(later)
})

test.each(parts)('the part %s is refused in another form, by an error without its values', (part) => {
  const wrong = [{}, [{ email: 'secret-value', refreshToken: 7 }], 'secret-value', null]
  for (const secret of wrong.map((value) => JSON.stringify(value))) {
    const read = () => readPart(part, secret)
    expect(read).toThrow(UnreadablePart)
    expect(read).toThrow(`the part ${part} of a seal is unreadable`)
    expect(read).not.toThrow(/secret-value/)
  }
})
