import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lostAfterMs } from '../../../shared/lost-worker.ts'
import {
  type Act,
  apiLinks,
  type Disturbance,
  endpointNames,
  endpointTroubles,
  faultyParties,
  links,
  noisyParties,
  signInParties,
} from './events.ts'
import { planOf } from './plan.ts'
import { racedOrders } from './shape.ts'
import { shrink } from './shrink.ts'

test('a failing plan shrinks to the events without which it does not fail', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc
        .integer({ min: 1, max: 120 })
        .chain((count) =>
          fc.tuple(fc.constant(count), fc.uniqueArray(fc.nat({ max: count - 1 }), { minLength: 1, maxLength: 4 })),
        ),
      async ([count, needed]) => {
        const events = Array.from({ length: count }, (_, at) => at)
        const small = await shrink(events, async (part) => needed.every((each) => part.includes(each)), {
          tries: 1_000,
        })
        expect(small).toEqual(needed.toSorted((a, b) => a - b))
      },
    ),
    { numRuns: 40 },
  )
})

test('shrinking stops after its tries with a plan that fails', async () => {
  const events = Array.from({ length: 64 }, (_, at) => at)
  const fails = async (part: number[]): Promise<boolean> => part.includes(3) && part.includes(60)
  const small = await shrink(events, fails, { tries: 5 })
  expect(await fails(small)).toBe(true)
})

test('a seed and a size always make the same plan, with the orders that were asked for', () => {
  const size = { seed: 7, orders: 50, years: 3 }
  expect(planOf(size)).toEqual(planOf(size))
  expect(planOf(size)).not.toEqual(planOf({ ...size, seed: 8 }))
  const bought = planOf(size).filter((event) => 'act' in event && event.act.kind === 'order')
  expect(bought).toHaveLength(50)
})

test('a plan has the acts of unused accounts only when their years are asked for', () => {
  const kinds = (years: number) =>
    planOf({ seed: 7, orders: 200, years }).flatMap((event) => ('act' in event ? [event.act.kind] : []))
  expect(kinds(2)).not.toContain('unused_for_years')
  expect(kinds(3)).toContain('unused_for_years')
})

const actKinds: Record<Act['kind'], true> = {
  sign_up: true,
  sign_in: true,
  order: true,
  top_up: true,
  refund: true,
  refund_bounces: true,
  refund_part: true,
  withdraw: true,
  warn: true,
  use: true,
  expire: true,
  dispute: true,
  correct: true,
  consent: true,
  stale_token: true,
  export: true,
  privacy_request: true,
  delete: true,
  child_report: true,
  come_back: true,
  unused_for_years: true,
  foreign_field: true,
  campaign: true,
  unsubscribe: true,
  apologise: true,
  rotate_keys: true,
  policy: true,
  backup: true,
}
const disturbanceKinds: Record<Disturbance['kind'], true> = {
  faults: true,
  mail_faults: true,
  new_sign_in_key: true,
  webhooks: true,
  kill: true,
  freeze: true,
  deploy: true,
  release: true,
  endpoint: true,
  next_key: true,
  cut: true,
  slow: true,
  restore: true,
}

test('a plan of 5,000 orders has each act, and disturbs each party, part and connection', () => {
  const plan = planOf({ seed: 1, orders: 5_000, years: 3 })
  const acts = plan.flatMap((event) => ('act' in event ? [event.act.kind] : []))
  expect(new Set(acts)).toEqual(new Set(Object.keys(actKinds)))
  const disturbances = plan.flatMap((event) => ('act' in event ? [] : [event.disturbance]))
  const named = new Set(
    disturbances.map((each) => {
      if (each.kind === 'endpoint') return `${each.trouble} ${each.endpoint}`
      const what = 'party' in each ? each.party : 'part' in each ? each.part : 'link' in each ? each.link : ''
      return `${each.kind} ${what}`.trim()
    }),
  )
  const wanted = [
    ...faultyParties.map((party) => `faults ${party}`),
    'mail_faults',
    ...signInParties.map((party) => `new_sign_in_key ${party}`),
    ...noisyParties.map((party) => `webhooks ${party}`),
    ...['worker', 'api', 'database', 'temporal'].map((part) => `kill ${part}`),
    ...['worker', 'api'].map((part) => `freeze ${part}`),
    'deploy worker',
    'release worker',
    ...endpointTroubles.flatMap((trouble) => endpointNames.map((name) => `${trouble} ${name}`)),
    ...[...links, ...apiLinks].flatMap((link) => [`cut ${link}`, `slow ${link}`]),
    'restore',
    'next_key',
  ]
  expect([...named].sort()).toEqual(wanted.sort())
  expect(new Set(disturbances.map(({ kind }) => kind))).toEqual(new Set(Object.keys(disturbanceKinds)))
  // Two faults of one call, and a worker that comes back after its attempts have counted as lost.
  expect(disturbances.some((each) => each.kind === 'faults' && each.faults.length === 2)).toBe(true)
  expect(disturbances.some((each) => each.kind === 'freeze' && each.part === 'worker' && each.ms > lostAfterMs)).toBe(
    true,
  )
})

test('racing orders of a plan are kept apart from those whose end the plan decides', () => {
  const plan = planOf({ seed: 7, orders: 200, years: 0 })
  const raced = racedOrders(plan)
  const acts = plan.flatMap((event) => ('act' in event ? [event.act] : []))
  const decided = acts.filter((act) => act.kind === 'order' && act.payment === 'paid' && act.waits)
  expect(raced.size).toBeGreaterThan(10)
  expect(decided.filter((act) => act.kind === 'order' && !raced.has(act.order)).length).toBeGreaterThan(50)
  for (const act of acts) {
    if (act.kind === 'order' && act.payment === 'paid_and_cancelled') expect(raced).toContain(act.order)
    // One for an order that the plan lets race exists in one of two runs.
    if (act.kind === 'top_up') expect(raced.has(act.order)).toBe(act.refund === 'meanwhile' || raced.has(act.of))
  }
})
