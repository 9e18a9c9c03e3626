/** The model itself: no order of its steps breaks an invariant, and no rule can be left out. */
import { describe, expect, test } from 'vitest'
import { orderStates } from '../../workflows/order/order-states.ts'
import { type Exploration, explore } from './explore.ts'
import { rulesOf, type StepName, stepNames, whoTakes } from './model.ts'

/** Where the product of all steps takes many seconds, each run takes two parts of it. */
const withoutRestores: StepName[] = ['a backup is made']
const withoutMoreMoney: StepName[] = ['orders a top-up', 'reserves a partial refund', 'a refund bounces']
const onlyRefunds: StepName[] = [
  'pays at risk',
  'withdraws from the contract',
  'gives the eSIM back',
  'orders a top-up',
  'a refund bounces',
]
/** What others do to an order that is none of its customer's doing. */
const elsewhere: StepName[] = [
  'is cancelled at the processor',
  'the money goes back elsewhere',
  'the issuer warns of fraud',
  'the provider ends the eSIM',
  'is cancelled too late',
  'tries the refund again after a dispute',
]
const all = process.env.TEST_ALL === '1'

const parts = all
  ? [[]]
  : [
      [...withoutRestores, ...elsewhere],
      [...withoutMoreMoney, ...elsewhere],
      [...withoutRestores, ...withoutMoreMoney],
    ]
let found: Exploration[] | undefined
/** The parts of the whole model, explored by the first test that asks. */
const exploreParts = (): Exploration[] => {
  found ??= parts.map((never) => explore({ never }))
  return found
}

test('U2 G3: in no order of its steps does the model break an invariant', () => {
  const explored = exploreParts()
  expect(explored.flatMap(({ broken }) => broken ?? [])).toEqual([])
  for (const { worlds, ends } of explored) {
    expect(worlds).toBeGreaterThan(1_500)
    expect(ends).toBeGreaterThan(200)
  }
  // A restore rebuilds the rows before a run can miss its own.
  const taken = new Set(explored.flatMap((each) => [...each.taken]))
  expect(stepNames.filter((name) => !taken.has(name))).toEqual(['ends without its row'])
})

test('the model moves an order as the table of its states does', () => {
  const moves = new Set(exploreParts().flatMap((each) => [...each.moves]))
  const table = Object.entries(orderStates).flatMap(([from, { on }]) =>
    Object.values(on).flatMap(({ leadsTo = [] }) => leadsTo.map(({ to }) => `${from} → ${to}`)),
  )
  expect([...moves].sort()).toEqual([...new Set(table)].filter((move) => !move.endsWith('closed')).sort())
})

/** The step of the model for each event of the table that moves an order, but not for one that closes its run. */
const stepOf: Record<string, StepName> = {
  'awaiting_payment → cancelled: cancel': 'cancels the payment',
  'awaiting_payment → refunding: cancel': 'takes a payment that was faster than the cancellation',
  'awaiting_payment → provisioning: payment': 'takes the payment',
  'awaiting_payment → in_review: payment': 'takes the payment',
  'awaiting_payment → cancelled: payment': 'finds that the payment was cancelled',
  'awaiting_payment → refunding: fraud-warning': 'stops for the warning',
  'awaiting_payment → unpaid: time': 'is not paid in time',
  'awaiting_payment → provisioning: time': 'takes the payment',
  'awaiting_payment → in_review: time': 'takes the payment',
  'in_review → refunding: cancel': 'refunds what was not approved',
  'in_review → provisioning: approve': 'goes on after the review',
  'in_review → refunding: approve': 'stops for the money that is back',
  'in_review → refunding: reject': 'refunds what was not approved',
  'in_review → refunding: payment': 'stops for the money that is back',
  'in_review → refunding: dispute': 'stops for the money that is back',
  'in_review → refunding: fraud-warning': 'stops for the warning',
  'in_review → refunding: time': 'is not approved in time',
  'provisioning → refunding: cancel': 'stops for the customer',
  'provisioning → delivered: cancel': 'is cancelled too late',
  'provisioning → refunding: payment': 'stops for the money that is back',
  'provisioning → refunding: dispute': 'stops for the money that is back',
  'provisioning → refunding: fraud-warning': 'stops for the warning',
  'provisioning → delivered: work': 'delivers',
  'provisioning → refunding: work': 'refunds what no provider has',
  'provisioning → refunding: time': 'is not delivered in time',
  'delivered → refunding: refund': 'refunds what came back',
  'delivered → ended: provider': 'expires',
  'delivered → refunding: provider': 'refunds what the provider has ended',
  'delivered → refunding: fraud-warning': 'refunds what came back',
  'delivered → ended: time': 'expires',
  'delivered → refunding: time': 'refunds what the provider has ended',
  'refunding → refunded: work': 'refunds',
  'refunding → refund_failed: work': 'a refund is refused',
  'refund_failed → refunding: refund': 'repeats the refund',
  'refund_failed → refunding: dispute': 'tries the refund again after a dispute',
  'refunded → refund_failed: payment': 'finds that a refund has bounced',
  'refunded → refund_failed: time': 'finds that a refund has bounced',
}

test('the model has a step for each event that moves an order', () => {
  const table = Object.entries(orderStates).flatMap(([from, { on }]) =>
    Object.entries(on).flatMap(([event, { leadsTo = [] }]) => leadsTo.map(({ to }) => `${from} → ${to}: ${event}`)),
  )
  const moving = [...new Set(table)].filter((move) => !move.includes('→ closed'))
  expect(Object.keys(stepOf).sort()).toEqual(moving.sort())
  const movesBy = new Set(exploreParts().flatMap((each) => [...each.movesBy]))
  const missing = Object.entries(stepOf).filter(
    ([move, step]) => !movesBy.has(`${move.slice(0, move.indexOf(':'))}: ${step}`),
  )
  expect(missing).toEqual([])
})

describe('a model without one of its rules breaks an invariant', () => {
  const rules = stepNames.flatMap((step) => rulesOf(step).map((rule) => ({ step, rule })))
  const ofAll = 'the database is complete'
  const each = [...rules.filter(({ rule }) => rule !== ofAll), { step: undefined, rule: ofAll }]

  test.each(each)('$rule ($step)', (without) => {
    const isOfRestores = without.step === undefined || whoTakes(without.step) === 'restore'
    const small = isOfRestores
      ? [[...withoutMoreMoney, ...elsewhere]]
      : [[...withoutRestores, ...elsewhere], [...withoutRestores, ...withoutMoreMoney], onlyRefunds]
    expect([...small, []].some((never) => explore({ never, without }).broken !== undefined)).toBe(true)
  })
})
