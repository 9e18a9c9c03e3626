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
const all = process.env.TEST_ALL === '1'

const parts = all ? [[]] : [withoutRestores, withoutMoreMoney]
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
    expect(worlds).toBeGreaterThan(2_500)
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

describe('a model without one of its rules breaks an invariant', () => {
  const rules = stepNames.flatMap((step) => rulesOf(step).map((rule) => ({ step, rule })))
  const ofAll = 'the database is complete'
  const each = [...rules.filter(({ rule }) => rule !== ofAll), { step: undefined, rule: ofAll }]

  test.each(each)('$rule ($step)', (without) => {
    const isOfRestores = without.step === undefined || whoTakes(without.step) === 'restore'
    const small = isOfRestores ? [withoutMoreMoney] : [withoutRestores, onlyRefunds]
    expect([...small, []].some((never) => explore({ never, without }).broken !== undefined)).toBe(true)
  })
})
