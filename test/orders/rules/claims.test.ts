/**
 * G3 and U2: everybody can delete their account at once, and paid means delivered or refunded. The customer's claim to
 * the money of an order when the account is erased, for each state of the order.
 */
import { describe, expect, test } from 'vitest'
import { type ClaimRows, claimOf, moneyTasks } from '../../../db/erasure/claims.ts'
import { givesMoneyBack, hasBounced, isOnItsWay, sumOf } from '../../../db/order/refunds.ts'
import type { EsimState } from '../../../providers/esim.ts'
import type { OrderStatus } from '../../../workflows/order/order.contract.ts'

const id = 'b0e7a1f0-0000-4000-8000-000000000001'
const other = 'b0e7a1f0-0000-4000-8000-000000000002'
const at = new Date('2026-07-01T00:00:00.000Z')
const none: ClaimRows = { refunds: [], esims: [], withdrawals: [], tasks: [] }
const order = (status: OrderStatus, ended_at: Date | null = null) => ({ id, status, ended_at })
const refund = (state: string, changes: Partial<ClaimRows['refunds'][number]> = {}) => ({
  order_id: id,
  refund_key: `key-${state}`,
  amount_minor: 300,
  state,
  reason: 'goodwill',
  created_at: at,
  ...changes,
})
const task = (kind: string, detail: string | null = null, subject_id = id, resolved_at: Date | null = null) => ({
  subject_id,
  kind,
  detail,
  attributes: null,
  resolved_at,
})
const followed = (promisedMinor: number, parts: unknown[] = [], trouble: string | null = null) => ({
  action: 'follow',
  promisedMinor,
  parts,
  trouble,
})
const all = { action: 'refund', trouble: null }

describe('the claim of an order', () => {
  test.each([
    ['awaiting_payment', { action: 'cancel', trouble: null }],
    ['in_review', all],
    ['provisioning', all],
    ['refunding', all],
    ['refund_failed', all],
    ['refunded', { action: 'watch', trouble: null }],
    ['delivered', undefined],
    ['ended', undefined],
    ['cancelled', undefined],
    ['unpaid', undefined],
  ] as const)('in the state %s is %j', (status, expected) => {
    expect(claimOf(order(status), none)).toEqual(expected)
  })

  test('is none when its refund has settled', () => {
    expect(claimOf(order('refunded', at), none)).toBeUndefined()
  })
})

test('a refund that has failed, and whose task an operator has settled, is not made a second time', () => {
  const settled = task('refund_failed', 'refund_bounced', id, at)
  expect(claimOf(order('refund_failed'), { ...none, tasks: [settled] })).toEqual(followed(0))
  const others = [
    task('refund_failed', null, other, at),
    task('refund_failed'),
    task('partial_refund_failed', null, id, at),
  ]
  expect(claimOf(order('refund_failed'), { ...none, tasks: others })).toEqual(all)
  // It was asked for once more since.
  expect(claimOf(order('refunding'), { ...none, tasks: [settled] })).toEqual(all)
})

describe('the claim to all of an order', () => {
  const withdrawn = (stated_at: Date | null, order_id = id): ClaimRows => ({
    ...none,
    withdrawals: [{ order_id, stated_at }],
  })
  const returned = (return_asked_at: Date | null, order_id = id, state: EsimState = 'new'): ClaimRows => ({
    ...none,
    esims: [{ order_id, return_asked_at, state }],
  })

  test.each([
    ['delivered', withdrawn(at), all],
    ['ended', withdrawn(at), all],
    ['delivered', withdrawn(null), undefined],
    ['delivered', withdrawn(at, other), undefined],
    ['delivered', returned(at), all],
    ['ended', returned(at), undefined],
    ['delivered', returned(null), undefined],
    ['delivered', returned(at, other), undefined],
    ['delivered', returned(at, id, 'cancelled'), all],
    ['delivered', returned(at, id, 'suspended'), all],
    ['delivered', returned(at, id, 'unknown'), all],
    ['delivered', returned(at, id, 'installed'), undefined],
    ['delivered', returned(at, id, 'in_use'), undefined],
    ['delivered', returned(at, id, 'used_up'), undefined],
    ['delivered', returned(at, id, 'removed'), undefined],
    ['cancelled', withdrawn(at), undefined],
  ] as const)('of state %s with %j is %j', (status, rows, expected) => {
    expect(claimOf(order(status), rows)).toEqual(expected)
  })

  test.each([
    ['one went back', at, 'cancelled', 'new', followed(0, [], 'returned_not_refunded')],
    ['one went back and one is used', at, 'cancelled', 'in_use', followed(0, [], 'returned_not_refunded')],
    ['none went back', null, 'new', 'in_use', undefined],
  ] as const)('of two eSIMs, of which %s', (_what, return_asked_at, first, second, expected) => {
    const esims = [
      { order_id: id, return_asked_at, state: first },
      { order_id: id, return_asked_at: null, state: second },
    ]
    expect(claimOf(order('delivered'), { ...none, esims })).toEqual(expected)
    expect(claimOf(order('ended'), { ...none, esims })).toBeUndefined()
  })

  const undecided = 'returned_not_refunded'
  const before = new Date(at.getTime() - 3_600_000)
  test.each([
    ['nothing else is known', {}, followed(0, [], undecided)],
    ['its task was closed', { tasks: [task(undecided, null, id, at)] }, undefined],
    [
      'a task about another thing was closed',
      { tasks: [task('withdrawal_after_use', null, id, at)] },
      followed(0, [], undecided),
    ],
    ['the task of another order was', { tasks: [task(undecided, null, other, at)] }, followed(0, [], undecided)],
    ['a part was refunded with it', { refunds: [refund('succeeded')] }, undefined],
    [
      'a part of another order was',
      { refunds: [refund('succeeded', { order_id: other })] },
      followed(0, [], undecided),
    ],
    ['its refund was refused', { refunds: [refund('refused')] }, followed(0, [], undecided)],
    [
      'a part was refunded long before',
      { refunds: [refund('succeeded', { created_at: before })] },
      followed(300, [], undecided),
    ],
  ])('of two eSIMs, of which one went back, when %s', (_what, rows: Partial<ClaimRows>, expected) => {
    const esims: ClaimRows['esims'] = [
      { order_id: id, return_asked_at: at, state: 'cancelled' },
      { order_id: id, return_asked_at: null, state: 'in_use' },
    ]
    expect(claimOf(order('delivered'), { ...none, esims, ...rows })).toEqual(expected)
  })

  const day = 86_400_000
  const [earlier, between] = [new Date(at.getTime() - 2 * day), new Date(at.getTime() - day)]
  const back = { order_id: id, return_asked_at: at, state: 'cancelled' } as const
  const kept = { order_id: id, return_asked_at: null, state: 'in_use' } as const

  test.each<[string, ClaimRows['esims'], unknown]>([
    ['it alone went back', [], followed(300, [], undecided)],
    [
      'one of another order went back before',
      [{ ...back, order_id: other, return_asked_at: earlier }],
      followed(300, [], undecided),
    ],
    [
      'one was asked for before and used',
      [{ ...back, return_asked_at: earlier, state: 'in_use' }],
      followed(300, [], undecided),
    ],
    ['its provider has ended one by itself', [{ ...back, return_asked_at: null }], followed(300, [], undecided)],
    ['another one went back before', [{ ...back, return_asked_at: earlier }], undefined],
  ])('a refund came a day before an eSIM went back, and %s', (_what, others, expected) => {
    const refunds = [refund('succeeded', { created_at: between })]
    for (const esims of [
      [back, kept, ...others],
      [...others, kept, back],
    ])
      expect(claimOf(order('delivered'), { ...none, esims, refunds })).toEqual(expected)
  })

  test('a refund is of no return while none is known to have been made', () => {
    const esims: ClaimRows['esims'] = [{ ...back, state: 'new' }, kept]
    expect(claimOf(order('delivered'), { ...none, esims, refunds: [refund('succeeded')] })).toEqual(
      followed(300, [], undecided),
    )
  })

  test.each([
    ['refunded', all],
    ['disputed', all],
    ['older_than_order', all],
    ['of_another_order', undefined],
    [null, undefined],
  ])('that was not accepted because of %s is %j', (detail, expected) => {
    const tasks = [task('payment_not_accepted', detail)]
    expect(claimOf(order('cancelled'), { ...none, tasks })).toEqual(expected)
  })

  test('is not taken from a task of another order or kind', () => {
    expect(
      claimOf(order('cancelled'), { ...none, tasks: [task('payment_not_accepted', 'refunded', other)] }),
    ).toBeUndefined()
    expect(
      claimOf(order('cancelled'), { ...none, tasks: [task('refund_elsewhere_failed', 'refunded')] }),
    ).toBeUndefined()
  })
})

describe.each(['delivered', 'ended'] as const)('the claim to a part of an order that is %s', (status) => {
  const claim = (rows: Partial<ClaimRows>) => claimOf(order(status), { ...none, ...rows })

  test('is a refund that was asked for, with its key', () => {
    expect(claim({ refunds: [refund('requested')] })).toEqual(
      followed(300, [{ refundKey: 'key-requested', amountMinor: 300, reason: 'goodwill' }]),
    )
  })

  test('is a refund on its way, and what was refunded before', () => {
    const refunds = [refund('pending'), refund('succeeded', { amount_minor: 50 }), refund('refused'), refund('failed')]
    expect(claim({ refunds })).toEqual(followed(350))
  })

  test('is nothing when its refunds have succeeded, failed or were refused', () => {
    const refunds = [refund('succeeded'), refund('failed'), refund('canceled'), refund('refused')]
    expect(claim({ refunds })).toBeUndefined()
  })

  test('is not a refund of another order', () => {
    expect(claim({ refunds: [refund('pending', { order_id: other })] })).toBeUndefined()
  })

  test.each(['partial_refund_failed', 'refund_elsewhere_failed'])(
    'counts failed refunds while operators have %s',
    (kind) => {
      const refunds = [refund('failed'), refund('refused', { amount_minor: 20 })]
      expect(claim({ refunds, tasks: [task(kind)] })).toEqual(followed(320))
      expect(claim({ refunds, tasks: [task(kind, null, other)] })).toBeUndefined()
    },
  )

  test('counts of the refunds that were not made those alone that a task is about', () => {
    const refunds = [
      refund('failed'),
      refund('refused', { amount_minor: 20 }),
      refund('succeeded', { amount_minor: 5 }),
    ]
    const about = (attributes: Record<string, string>) => ({ ...task('partial_refund_failed'), attributes })
    expect(claim({ refunds, tasks: [about({ refunds: 'key-failed' })] })).toEqual(followed(305))
    expect(claim({ refunds, tasks: [about({ refunds: 'key-other key-refused' })] })).toEqual(followed(25))
    // Its amount was released, and another one may have been made instead.
    expect(claim({ refunds, tasks: [about({ released: 'key-refused' })] })).toEqual(followed(5))
    expect(claim({ refunds, tasks: [about({ refunds: 'key-failed', released: 'key-refused' })] })).toEqual(
      followed(305),
    )
    expect(claim({ refunds, tasks: [task('partial_refund_failed', 'refund_released')] })).toEqual(followed(5))
  })

  test.each(['withdrawal_after_use', 'returned_not_refunded', 'esim_ended_by_provider'])(
    'waits for an operator who has %s',
    (kind) => {
      expect(claim({ tasks: [task(kind)] })).toEqual(followed(0, [], kind))
    },
  )
})

test.each([
  ['succeeded', { givesBack: true, isOnItsWay: false, hasBounced: false }],
  ['pending', { givesBack: true, isOnItsWay: true, hasBounced: false }],
  ['requires_action', { givesBack: true, isOnItsWay: true, hasBounced: false }],
  ['failed', { givesBack: false, isOnItsWay: false, hasBounced: true }],
  ['canceled', { givesBack: false, isOnItsWay: false, hasBounced: true }],
  ['requested', { givesBack: false, isOnItsWay: false, hasBounced: false }],
  ['refused', { givesBack: false, isOnItsWay: false, hasBounced: false }],
])('whether a refund in the state %s gives money back, is on its way, or has bounced: %o', (state, expected) => {
  expect({
    givesBack: givesMoneyBack(state),
    isOnItsWay: isOnItsWay({ state }),
    hasBounced: hasBounced(state),
  }).toEqual(expected)
})

test('an erasure reads the tasks of operators that are about a claim', () => {
  expect(moneyTasks).toEqual([
    'payment_not_accepted',
    'partial_refund_failed',
    'refund_elsewhere_failed',
    'withdrawal_after_use',
    'returned_not_refunded',
    'esim_ended_by_provider',
  ])
})

test('the sum of refunds is that of their amounts', () => {
  expect([sumOf([]), sumOf([{ amount_minor: 3 }, { amount_minor: 4 }])]).toEqual([0, 7])
})
