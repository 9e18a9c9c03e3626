/** A small world in which every promise is kept. */

import { milliseconds } from '../../../policy/periods.ts'
import type { Acknowledgements, BoughtEsim, Event, Order, OutsideBooks, Person } from './record.ts'

export interface World {
  books: OutsideBooks
  said: Acknowledgements
}

const { day: dayMs } = milliseconds
const start = Date.UTC(2026, 10, 29)

const person = (name: string, given: Partial<Person> = {}): Person => ({
  name,
  accountId: `account-${name}`,
  email: `${name}@people.example`,
  firstName: `First-${name}`,
  lastName: `Last-${name}`,
  phone: null,
  corrected: false,
  appleSubject: null,
  spentCodes: 0,
  googleSubject: null,
  firebaseUid: `uid-${name}`,
  pushToken: `token-${name}`,
  tokenIsStale: false,
  appInstanceId: `instance-${name}`,
  deviceId: `device-${name}`,
  signedUpAt: start,
  consents: [],
  deletion: null,
  inactive: false,
  returnedAt: null,
  exported: null,
  ...given,
  seen: {
    status: 200,
    email: `${name}@people.example`,
    firstName: `First-${name}`,
    lastName: `Last-${name}`,
    phone: null,
    promotions: false,
    ...given.seen,
  },
})

const order = (name: string, buyer: string, given: Partial<Order> = {}): Order => ({
  name,
  orderId: `order-${name}`,
  accountId: `account-${buyer}`,
  isTopUp: false,
  topUpOf: null,
  packageCode: 'germany-1gb',
  quantity: 1,
  grossMinor: 500,
  adConsent: false,
  risk: 'normal',
  verdict: null,
  decidedAt: null,
  isWithdrawn: false,
  bounces: 0,
  isApologisedFor: false,
  partialRefunds: [],
  status: 'delivered',
  begunAt: start,
  changedAt: start + 2000,
  paidAt: start + 1000,
  deliveredAt: start + 2000,
  iccids: [`iccid-${name}`],
  matchingIds: [],
  seenAt: {},
  answers: 200,
  documents: [],
  ...given,
})

/** An eSIM that Airalo sold in a known second. */
export const bought = (iccid: string, from: number): BoughtEsim => ({
  provider: 'airalo',
  id: iccid,
  iccid,
  held: true,
  boughtFrom: from,
  boughtBy: from + 999,
})

const payment = (name: string, given: Partial<OutsideBooks['payments'][number]> = {}) => ({
  id: `pi-${name}`,
  orderId: `order-${name}`,
  succeeded: true,
  receivedMinor: 500,
  charges: 1,
  customer: null,
  ...given,
})

const mail = (name: string, subject: string, given: Partial<OutsideBooks['mails'][number]> = {}) => ({
  at: start + 3000,
  to: [`${name}@people.example`],
  subject,
  messageId: `<${name}-${subject}>`,
  text: '',
  hasQrCode: false,
  oneClick: false,
  ...given,
})

const entry = (number: string, grossMinor: number, memberState: string | null = null) => ({
  number,
  grossMinor,
  memberState,
  issuedOn: '2026-11-29',
})

/** Stripe's customers, by the orders that they have paid */
const customers: Record<string, string> = { a1: 'cus-ann', c1: 'cus-cat', d1: 'cus-dan' }

export const event = (type: string, about: Partial<Event> = {}): Event => ({
  id: [type, about.orderId ?? about.receiptId].join('-'),
  type,
  at: start + 2_000,
  accountId: null,
  orderId: null,
  receiptId: null,
  isLost: false,
  ...about,
})

/** An event that the API lists, and that each endpoint gets which has asked for it. */
export function tell({ books, said }: World, told: Event): void {
  const { receiptId: _, isLost: __, ...rest } = told
  said.events.push(told)
  for (const { name: endpoint, types } of said.endpoints)
    if (types?.includes(told.type) ?? true) books.deliveries.push({ endpoint, ...rest, isSigned: true })
}

/** Nobody is told of these events. */
export function keepSilent({ books, said }: World, isUntold: (event: Event) => boolean): void {
  const untold = new Set(said.events.filter(isUntold).map(({ id }) => id))
  said.events = said.events.filter(({ id }) => !untold.has(id))
  books.deliveries = books.deliveries.filter(({ id }) => !untold.has(id))
}

/** A buyer with a refund of a part, one with a refund, one who is erased, one whose years pass, and a doubted one. */
export function keptWorld(): World {
  const people = [
    person('ann', {
      appleSubject: 'apple-ann',
      corrected: true,
      consents: [{ at: start + 100, granted: true }],
      seen: { status: 200, promotions: true, subjects: ['apple-ann'] },
      exported: {
        faults: [],
        account: { id: 'account-ann', email: 'ann@people.example', firstName: 'First-ann', lastName: 'Last-ann' },
        subjects: ['apple-ann'],
        linked: ['apple-ann'],
        devices: [{ deviceId: 'device-ann', pushToken: 'token-ann' }],
        orders: [
          {
            id: 'order-a1',
            packageCode: 'germany-1gb',
            destination: 'Germany',
            createdAt: '2026-11-29T00:00:00Z',
            amountMinor: 500,
          },
        ],
      },
    }),
    person('bob', { googleSubject: 'google-bob', seen: { status: 200, subjects: ['google-bob'] } }),
    person('cat', {
      appleSubject: 'apple-cat',
      seen: { status: 404 },
      deletion: {
        at: start + 50_000,
        receiptId: 'receipt-cat',
        asked: 'requested',
        reason: 'requested',
        pending: [],
        left: [],
        wasRestored: false,
      },
    }),
    person('dan', { inactive: true, appleSubject: 'apple-dan', seen: { status: 404 } }),
    person('eve'),
    person('kid', {
      seen: { status: 404 },
      deletion: {
        at: start + 50_000,
        receiptId: 'receipt-kid',
        asked: 'child',
        reason: 'child',
        pending: [],
        left: [],
        wasRestored: false,
      },
    }),
  ]
  const orders = [
    order('a1', 'ann', {
      matchingIds: ['CODE-A1'],
      adConsent: true,
      partialRefunds: [200],
      documents: ['A-1', 'A-2'],
      isApologisedFor: true,
    }),
    order('b1', 'bob', { status: 'refunded', deliveredAt: null, iccids: [] }),
    order('b2', 'bob', { status: 'unpaid', paidAt: null, deliveredAt: null, iccids: [] }),
    order('b3', 'bob', { status: 'cancelled', paidAt: null, deliveredAt: null, iccids: [] }),
    order('b4', 'bob', { status: 'refunded', isWithdrawn: true, iccids: ['iccid-b4'], documents: ['A-6', 'A-7'] }),
    order('c1', 'cat', { documents: ['A-3'], answers: 404 }),
    order('d1', 'dan', { documents: ['A-8'], answers: 404 }),
    order('e1', 'eve', {
      matchingIds: ['CODE-E1'],
      risk: 'elevated',
      verdict: 'approve',
      decidedAt: start + 500,
      documents: ['A-4'],
    }),
    order('e2', 'eve', { risk: 'elevated', verdict: 'reject', status: 'refunded', deliveredAt: null, iccids: [] }),
    order('e3', 'eve', { isTopUp: true, topUpOf: 'order-e1', iccids: [], documents: ['A-5'] }),
  ]
  const paid = orders.filter(({ paidAt }) => paidAt !== null)
  const events = [
    ...orders.flatMap(({ orderId, accountId, status }) => [
      event('order.created', { orderId, accountId }),
      event(`order.${status}`, { orderId, accountId }),
    ]),
    ...['cat', 'kid'].map((name) =>
      event('account.deleted', { accountId: `account-${name}`, receiptId: `receipt-${name}` }),
    ),
  ]
  const world: World = {
    books: {
      payments: paid.map(({ name }) => payment(name, { customer: customers[name] ?? null })),
      refunds: [
        { payment: 'pi-a1', minor: 200, failed: false },
        { payment: 'pi-b1', minor: 500, failed: false },
        { payment: 'pi-b4', minor: 500, failed: false },
        { payment: 'pi-e2', minor: 500, failed: true },
        { payment: 'pi-e2', minor: 500, failed: false },
      ],
      customers: ['cus-other', 'cus-ann'],
      esims: orders.flatMap(({ iccids, begunAt, status }) =>
        iccids.map((iccid) => ({ ...bought(iccid, begunAt + 1_000), held: status === 'delivered' })),
      ),
      topUps: [{ provider: 'airalo', reference: 'e3', iccid: 'iccid-e1' }],
      mails: [
        mail('ann', 'Your eSIM is ready', { hasQrCode: true, text: 'Hello First-ann. CODE-A1 Invoice A-1' }),
        mail('bob', 'Your eSIM is ready', { hasQrCode: true, text: 'Invoice A-6' }),
        mail('cat', 'Your eSIM is ready', { hasQrCode: true, text: 'Invoice A-3' }),
        mail('dan', 'Your eSIM is ready', { hasQrCode: true, text: 'Invoice A-8' }),
        mail('eve', 'Your eSIM is ready', { hasQrCode: true, text: 'CODE-E1 Invoice A-4' }),
        mail('eve', 'Your eSIM for Germany has more data'),
        mail('ann', 'Your refund of €2.00', { text: 'Credit note A-2' }),
        mail('ann', 'Sorry about your order for Germany'),
        mail('bob', 'Your refund of €5.00', { messageId: '<refund-b1>' }),
        mail('bob', 'Your refund of €5.00', { messageId: '<refund-b4>', text: 'Credit note A-7' }),
        mail('bob', 'Your order for Germany is cancelled'),
        mail('bob', 'We have received your withdrawal'),
        mail('eve', 'Your refund of €5.00'),
        mail('ann', 'Ten percent off', { at: start + 20_000, oneClick: true }),
        mail('cat', 'Your account is deleted', { at: start + 70_000 }),
        mail('dan', 'Your account is deleted', { at: start + 70_000 }),
        mail('kid', 'Your account is deleted', { at: start + 70_000 }),
        ...[60, 30, 7].map((days) => mail('dan', `Your AMA eSIM account will be deleted in ${days} days`)),
        ...['ann', 'bob', 'dan', 'eve'].map((name) =>
          mail(name, 'Our privacy policy changes on 5 January 2027', { text: 'version next', at: start + 80_000 }),
        ),
        mail('q', 'We have your privacy request', { to: ['q@elsewhere.example'] }),
        mail('q', 'Our answer to your privacy request', { to: ['q@elsewhere.example'] }),
        mail('r', 'We have your privacy request', { to: ['r@elsewhere.example'] }),
        ...[14, 21, 27].map((day) => mail('s', `Day ${day} of request PR-2`, { to: ['support@ama-esim.example'] })),
      ],
      lostMailReplies: [],
      pushes: [{ at: start + 3000, token: 'token-ann', content: 'Your eSIM is ready order-a1' }],
      pushAttempts: [
        { at: start + 3000, token: 'token-ann', lost: false },
        { at: start + 4000, token: 'token-bob', lost: false },
      ],
      unregistered: [{ token: 'token-bob', at: start + 4000 }],
      grants: [
        { party: 'apple', subject: 'apple-ann', revoked: false },
        { party: 'apple', subject: 'apple-cat', revoked: true },
        { party: 'apple', subject: 'apple-dan', revoked: true },
      ],
      firebaseUsers: ['uid-ann', 'uid-bob', 'uid-eve'],
      conversions: [
        { party: 'meta', text: '{"event_id":"1","value":5}', id: '1', instance: null },
        { party: 'google-analytics', text: '{"transaction_id":"1","value":5}', id: '1', instance: 'instance-ann' },
      ],
      deliveries: [],
      received: [
        { party: 'airalo', text: 'POST /v2/orders description=ref-1' },
        { party: 'stripe', text: 'POST /v1/payment_intents metadata[order_id]=order-a1' },
        { party: 'meta', text: '{"event_id":"1","value":5}' },
      ],
    },
    said: {
      people,
      orders,
      campaigns: [{ subject: 'Ten percent off', launchedAt: start + 15_000 }],
      policies: [
        {
          version: 'next',
          postedAt: start + 75_000,
          effectiveAt: start + 37 * dayMs,
          inForce: true,
          reached: start + 38 * dayMs,
          onPage: true,
        },
      ],
      privacyRequests: [
        { replyTo: 'q@elsewhere.example', reference: 'PR-1', isAnswered: true, isDue: false },
        { replyTo: 'r@elsewhere.example', reference: 'PR-2', isAnswered: false, isDue: true },
      ],
      foreignFields: [{ field: 'idfa', value: 'idfa-value', status: 400 }],
      signIns: [
        { name: 'ann', what: 'sign-up', status: 201 },
        { name: 'bob', what: 'sign-in', status: 200 },
      ],
      events: [],
      eventsReadAt: start + 300_000,
      endpoints: [
        { name: 'all', types: null, from: start },
        { name: 'some', types: ['order.delivered', 'account.deleted'], from: start },
      ],
      journal: {
        text: 'A-1,A-2,A-3,A-4,A-5,A-6,A-7,A-8',
        entries: [
          entry('A-1', 500, 'FR'),
          entry('A-2', -200, 'FR'),
          entry('A-3', 500),
          entry('A-4', 500),
          entry('A-5', 500),
          entry('A-6', 500),
          entry('A-7', -500),
          entry('A-8', 500, 'AT'),
        ],
      },
      oss: {
        from: '2026-10-01',
        until: '2026-12-31',
        states: [
          { country: 'AT', grossMinor: 500 },
          { country: 'FR', grossMinor: 300 },
        ],
      },
      lostNumbers: 0,
      journalAfterPeriod: { text: '', entries: [] },
      backups: [
        { name: 'old', kept: false, ageMs: 31 * dayMs },
        { name: 'new', kept: true, ageMs: 0 },
      ],
      crashes: [],
      appliedAnyway: [],
      losses: [],
    },
  }
  for (const each of events) tell(world, each)
  return world
}
