/**
 * G3: everybody can delete their account at once. A person's holdings at each holder of their data, read from their
 * rows, and the trace that is searched for after the erasure.
 */
import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { tableEncryption } from '../../db/crypto/column-encryption.ts'
import { createFieldCipher } from '../../db/crypto/field-cipher.ts'
import {
  type EsimRow,
  type IdentityRow,
  type PersonOrder,
  type PersonRows,
  type PlacementRow,
  personOf,
  type RefundRow,
} from '../../db/erasure/holdings.ts'

const accountId = 'b0e7a1f0-0000-4000-8000-000000000001'
const cipher = createFieldCipher({ activeId: 'k', keys: new Map([['k', randomBytes(32)]]) }, randomBytes(32))
const key = cipher.newDataKey(accountId)
const fields = tableEncryption(cipher, key, 'accounts')
const at = new Date('2026-07-01T12:00:00.000Z')
const owned = { orders: ['o'], esims: ['e'], privacyRequests: ['r'], emailChanges: ['c'] }
const sealedRef = (text: string) => tableEncryption(cipher, key, 'esims').seal('esim_ref', text)

const bare: PersonRows = {
  account: {
    id: accountId,
    stripe_customer_id: null,
    firebase_uid: null,
    mail_state: 'bounced',
    email: fields.seal('email', 'someone@people.example'),
    language: 'de',
  },
  owned: { orders: [], esims: [], privacyRequests: [], emailChanges: [] },
  orders: [],
  placements: [],
  esims: [],
  refunds: [],
  disputes: [],
  identities: [],
  listed: [],
  withdrawals: [],
  tasks: [],
}
const order = (change: Partial<PersonOrder> = {}): PersonOrder => ({
  id: 'o',
  parent_order_id: null,
  status: 'provisioning',
  ended_at: null,
  payment_intent_id: 'pi',
  checkout_session_id: null,
  measurement_event_id: null,
  install_token_index: null,
  fact_id: 'f',
  package_name: 'Germany 1 GB',
  destination: 'DE',
  quantity: 2,
  days: 7,
  gross_minor: 500,
  currency: 'EUR',
  invoice_number: 'A-1',
  ...change,
})
const placement = (change: Partial<PlacementRow> = {}): PlacementRow => ({
  id: 'p',
  order_id: 'o',
  provider: 'airalo',
  client_ref: 'ref',
  provider_package_code: 'de-1',
  provider_order_no: '77',
  state: 'placed',
  placed_after: at,
  returns_asked: [],
  daily: false,
  ...change,
})
const esim = (change: Partial<EsimRow> = {}): EsimRow => ({
  order_id: 'o',
  provider: 'airalo',
  esim_ref: sealedRef('8944'),
  esim_ref_index: Buffer.from('e5', 'hex'),
  return_asked_at: null,
  state: 'new',
  ...change,
})
const refund = (change: Partial<RefundRow> = {}): RefundRow => ({
  order_id: 'o',
  refund_key: 'key',
  stripe_refund_id: 're',
  amount_minor: 500,
  state: 'succeeded',
  reason: 'withdrawn',
  created_at: at,
  ...change,
})
const dispute = (stripe_dispute_id: string, closed_at: Date | null) => ({
  stripe_dispute_id,
  order_id: 'o',
  state: 'needs_response',
  opened_at: at,
  closed_at,
  amount_minor: 500,
  currency: 'EUR',
  reason: null,
  network_reason_code: null,
  due_by: null,
  submission_count: 0,
  past_due: false,
  has_evidence: false,
  evidence_staged_at: null,
  evidence_submitted_at: null,
  taken_back: false,
})
const held = {
  provider: 'airalo',
  clientRef: 'ref',
  packageCode: 'de-1',
  quantity: 2,
  days: null,
  orderNo: '77',
  placedAfter: at.toISOString(),
  esimRefs: ['8944'],
}
const person = (rows: Partial<PersonRows> = {}) => personOf({ ...bare, ...rows }, cipher, key, '99')
const secrets = (rows: Partial<PersonRows> = {}) => person(rows).secrets

test('of a person without orders and sign-ins only the trace is kept', () => {
  const { trace, ...others } = secrets()
  expect(Object.values(others).every((part) => part === null)).toBe(true)
  expect(Object.keys(others).sort()).toEqual(
    'address apple firebase google payments providerOrders settlements stripeCustomer'.split(' '),
  )
  expect(trace).toEqual({
    ids: [accountId],
    blinds: [],
    orderIds: [],
    requestIds: [],
    emailChangeIds: [],
    transaction: '99',
  })
  expect(person()).toMatchObject({ accountId, appleByHand: false, openDisputes: [], owned: bare.owned })
})

test('the trace has every id of the person’s rows, and the blind indexes of their eSIMs and installation links', () => {
  const rows = {
    account: { ...bare.account, stripe_customer_id: 'cus' },
    owned,
    orders: [
      order({ measurement_event_id: 'm', install_token_index: Buffer.from('0a', 'hex') }),
      order({ id: 'o2', payment_intent_id: null, checkout_session_id: 'cs' }),
    ],
    placements: [placement()],
    esims: [esim()],
    refunds: [refund(), refund({ stripe_refund_id: null })],
    disputes: [dispute('du_open', null), dispute('du_closed', at)],
  }
  expect(secrets(rows).trace).toEqual({
    ids: [accountId, 'o', 'e', 'r', 'c', 'p', 'ref', 'pi', 'cs', 'cus', 'm', 're', 'du_closed'],
    blinds: ['0a', 'e5'],
    orderIds: ['o'],
    requestIds: ['r'],
    emailChangeIds: ['c'],
    transaction: '99',
  })
  expect(person(rows).openDisputes.map(({ stripe_dispute_id }) => stripe_dispute_id)).toEqual(['du_open'])
})

describe('a sign-in', () => {
  const tokens = tableEncryption(cipher, key, 'identities')
  const identity = (provider: IdentityRow['provider'], token: string | null): IdentityRow => ({
    provider,
    subject_index: Buffer.from('0b', 'hex'),
    client_id: 'client',
    refresh_token: tokens.sealOptional('refresh_token', token),
  })

  test.each([
    [[identity('apple', 'a')], { refreshToken: 'a', clientId: 'client', subjectIndex: '0b' }, null, false],
    [[identity('google', 'g')], null, { refreshToken: 'g' }, false],
    [
      [identity('google', 'g'), identity('apple', 'a')],
      { refreshToken: 'a', clientId: 'client', subjectIndex: '0b' },
      { refreshToken: 'g' },
      false,
    ],
    [[identity('apple', null)], null, null, true],
    [[identity('google', null)], null, null, false],
  ])('case %# is ended by its token, and without one at Apple by the person', (identities, apple, google, byHand) => {
    expect(secrets({ identities })).toMatchObject({ apple, google })
    expect(person({ identities }).appleByHand).toBe(byHand)
  })

  test('at Firebase is ended by its user', () => {
    const account = { ...bare.account, firebase_uid: fields.seal('firebase_uid', 'uid') }
    expect(secrets({ account }).firebase).toEqual({ uid: 'uid' })
  })
})

test('the last mail of a deletion goes to the person’s address if it takes mail, in the person’s language', () => {
  expect(secrets({ account: { ...bare.account, mail_state: 'ok' } }).address).toEqual({
    email: 'someone@people.example',
    language: 'de',
  })
})

describe('the deletion at Stripe', () => {
  const account = { ...bare.account, stripe_customer_id: 'cus' }
  const payments = { job: null, setAside: [], refusals: 0 }

  test('a customer is deleted and redacted, and so are the payments of orders', () => {
    expect(secrets({ account })).toMatchObject({
      stripeCustomer: { customerId: 'cus' },
      payments: { paymentIntentIds: [], customerIds: ['cus'], ...payments },
    })
    expect(secrets({ orders: [order()] })).toMatchObject({
      stripeCustomer: null,
      payments: { paymentIntentIds: ['pi'], customerIds: [], ...payments },
    })
    expect(secrets({ orders: [order({ payment_intent_id: null })] }).payments).toBeNull()
    const onPages = [
      order({ id: 'o1', checkout_session_id: 'cs_1' }),
      order({ id: 'o2', payment_intent_id: null, checkout_session_id: 'cs_2' }),
    ]
    expect(secrets({ orders: onPages }).payments?.paymentIntentIds).toEqual(['pi', 'cs_1', 'cs_2'])
  })

  test('a payment is settled by its claim, with what the books need', () => {
    const settled = {
      action: 'refund',
      trouble: null,
      paymentIntentId: 'pi',
      factId: 'f',
      invoiceNumber: 'A-1',
      packageName: 'Germany 1 GB',
      destination: 'DE',
      quantity: 2,
      grossMinor: 500,
      currency: 'EUR',
      refundedAt: null,
    }
    expect(secrets({ orders: [order()] }).settlements).toEqual([settled])
    expect(secrets({ orders: [order({ status: 'unpaid' })] }).settlements).toBeNull()
    expect(
      secrets({ orders: [order({ payment_intent_id: null, checkout_session_id: 'cs' })] }).settlements,
    ).toMatchObject([{ paymentIntentId: 'cs' }])
    expect(secrets({ orders: [order({ payment_intent_id: null })] }).settlements).toBeNull()
  })

  test('a refunded order has the time of its own last refund', () => {
    const later = new Date(at.getTime() + 1)
    const refunds = [refund(), refund({ created_at: later }), refund({ order_id: 'o2', created_at: new Date(0) })]
    expect(secrets({ orders: [order({ status: 'refunded' })], refunds }).settlements).toMatchObject([
      { action: 'watch', refundedAt: later.toISOString() },
    ])
  })
})

describe('U2: a provider', () => {
  const rows = { orders: [order()], placements: [placement()], esims: [esim()] }

  test('returns what an order’s customer never got, by all its eSIMs', () => {
    expect(secrets(rows).providerOrders).toEqual([held])
    expect(secrets({ ...rows, esims: [] }).providerOrders).toEqual([{ ...held, esimRefs: null }])
    const refunded = { ...rows, orders: [order({ status: 'refunded' })] }
    expect(secrets(refunded).providerOrders).toBeNull()
    const releasing = [placement({ state: 'releasing' })]
    expect(secrets({ ...refunded, placements: releasing }).providerOrders).toEqual([held])
    const back = esim({ esim_ref: sealedRef('8945'), state: 'cancelled' })
    expect(secrets({ ...rows, esims: [esim(), back] }).providerOrders).toEqual([held])
    expect(secrets({ ...rows, esims: [back] }).providerOrders).toEqual([{ ...held, esimRefs: [] }])
    expect(secrets({ ...rows, placements: [placement({ returns_asked: ['e5'] })] }).providerOrders).toEqual([
      { ...held, returnsAsked: ['e5'] },
    ])
    const others = [esim({ order_id: 'o2' }), esim({ provider: 'esim-access' })]
    expect(secrets({ ...rows, esims: [...others, esim()] }).providerOrders).toEqual([held])
    expect(secrets({ ...rows, placements: [placement({ daily: true })] }).providerOrders).toEqual([
      { ...held, days: 7 },
    ])
  })

  test.each<[string, Partial<PersonRows>]>([
    ['of another order', { placements: [placement({ order_id: 'o2' })] }],
    ['that it has refused', { placements: [placement({ state: 'refused' })] }],
    ['that it has returned already', { placements: [placement({ state: 'released' })] }],
    ['of a top-up, which is data on an eSIM', { orders: [order({ parent_order_id: 'o0' })] }],
    ['of an order whose customer has it', { orders: [order({ status: 'delivered' })] }],
    ['of an order that waits for its payment', { orders: [order({ status: 'awaiting_payment' })] }],
    [
      'on which a top-up was delivered',
      { orders: [order(), order({ id: 'o2', parent_order_id: 'o', status: 'delivered' })] },
    ],
    ['on which a top-up has ended', { orders: [order(), order({ id: 'o2', parent_order_id: 'o', status: 'ended' })] }],
  ])('returns nothing %s', (_name, change) => {
    expect(secrets({ ...rows, ...change }).providerOrders).toBeNull()
  })

  test.each<[string, PersonOrder]>([
    ['a top-up was not delivered', order({ id: 'o2', parent_order_id: 'o', status: 'refunded' })],
    ['another eSIM has a top-up', order({ id: 'o2', parent_order_id: 'o3', status: 'delivered' })],
  ])('returns an eSIM on which %s', (_name, other) => {
    expect(secrets({ ...rows, orders: [order(), other] }).providerOrders).toEqual([held])
  })
})
