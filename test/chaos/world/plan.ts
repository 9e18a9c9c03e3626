/** Makes a plan from a seed: the same seed and size always give the same events. It touches nothing outside. */
import fc from 'fast-check'
import { lostAfterMs } from '../../../shared/lost-worker.ts'
import type { Fault } from '../../../sim/simulator.ts'
import { ms, oneIn, outOf, passing, streams } from './draws.ts'
import {
  type Act,
  type Disturbance,
  faultyParties,
  isAct,
  links,
  noisyParties,
  type PlannedEvent,
  signInParties,
} from './events.ts'

export interface Size {
  seed: number
  orders: number
  years: number
}

/** The calls to disturb, with a pattern that finds the object in a request. */
const calls: Record<
  (typeof faultyParties)[number],
  { method?: string; path: string; of: string; faults: readonly Fault[] }[]
> = {
  stripe: [
    // A caller waits for this call: its faults are refusals that can be repeated.
    { method: 'POST', path: '/v1/payment_intents$', of: 'order_id\\]=([\\w-]+)', faults: passing.slice(0, 3) },
    { method: 'GET', path: '/v1/payment_intents/', of: 'payment_intents/(pi_\\w+)', faults: passing },
    { method: 'POST', path: '/v1/refunds$', of: 'payment_intent=(pi_\\w+)', faults: passing },
    { method: 'GET', path: '/v1/refunds', of: 'payment_intent=(pi_\\w+)', faults: passing },
    { method: 'POST', path: '/cancel', of: 'payment_intents/(pi_\\w+)', faults: passing },
  ],
  esimAccess: [
    { path: '/esim/order$', of: '"transactionId":"([^"]+)"', faults: passing },
    { path: '/esim/query$', of: '"orderNo":"([^"]+)"', faults: passing },
    { path: '/esim/cancel$', of: '"esimTranNo":"([^"]+)"', faults: passing },
    { path: '/esim/topup$', of: '"transactionId":"([^"]+)"', faults: passing },
  ],
  airalo: [
    { method: 'POST', path: '/v2/orders$', of: 'name="description"\\s+(\\S+)', faults: passing },
    { method: 'GET', path: '/v2/orders/', of: '/v2/orders/(\\d+)', faults: passing },
    { method: 'POST', path: '/v2/refund$', of: 'name="iccids"\\s+\\["(\\d+)', faults: passing },
    { method: 'POST', path: '/v2/orders/topups$', of: 'name="description"\\s+(\\S+)', faults: passing },
  ],
  firebase: [
    { method: 'POST', path: 'messages:send$', of: '"token":"([^"]+)"', faults: passing.slice(0, 3) },
    { method: 'POST', path: 'accounts:delete$', of: '"localId":"([^"]+)"', faults: passing.slice(0, 3) },
  ],
  apple: [{ method: 'POST', path: '/auth/revoke', of: 'token=([^&]+)', faults: passing.slice(0, 3) }],
  meta: [{ method: 'POST', path: '/events$', of: '"event_id":"([^"]+)"', faults: passing.slice(0, 3) }],
  googleAnalytics: [
    { method: 'POST', path: '/mp/collect', of: '"transaction_id":"([^"]+)"', faults: passing.slice(0, 3) },
  ],
}

const boughtOrder = fc.record({
  package: outOf('anyProvider', 'onlyEsimAccess', 'onlyEsimAccess', 'onlyAiralo'),
  quantity: outOf(1, 1, 1, 2),
  payment: outOf(
    'paid',
    'paid',
    'paid',
    'paid',
    'paid',
    'declined_first',
    'abandoned',
    'cancelled',
    'paid_and_cancelled',
  ),
  risk: outOf('normal', 'normal', 'normal', 'normal', 'elevated'),
  verdict: outOf('approve', 'reject'),
  country: outOf('DE', 'DE', 'FR', 'US'),
  adConsent: fc.boolean(),
  savedCards: oneIn(3),
  afterwards: outOf(
    'nothing',
    'nothing',
    'top_up',
    'top_up_then_refund',
    'top_up_and_refund',
    'refund',
    'refund_bounces',
    'refund_part',
    'refund_part',
    'withdraw',
    'warn',
    'use',
    'expire',
    'dispute',
  ),
  disputeOutcome: outOf('won', 'lost'),
} as const)

const life = fc.record({
  phone: fc.boolean(),
  apple: oneIn(2),
  promotions: fc.boolean(),
  orders: fc.array(boughtOrder, { minLength: 1, maxLength: 3 }),
  along: fc.array(
    outOf('correct', 'consent', 'withdraw', 'stale_token', 'export', 'asks', 'asks_in_vain', 'foreign_field'),
    {
      minLength: 0,
      maxLength: 3,
    },
  ),
  end: outOf('stays', 'stays', 'stays', 'deletes', 'deletes_early', 'is_a_child', 'comes_back', 'unused'),
  // Later than the others, so that what was drawn before stays as it was.
  google: oneIn(3),
  signIns: fc.array(outOf(...signInParties), { maxLength: 2 }),
} as const)

type Life = typeof life extends fc.Arbitrary<infer Value> ? Value : never

const faults = outOf(...faultyParties).chain((party) =>
  outOf(...calls[party]).chain(({ of, faults: possible, ...match }) =>
    fc
      .record({
        chosen: fc.array(outOf(...possible), { minLength: 1, maxLength: 2 }),
        id: fc.nat({ max: 1_000_000 }),
      })
      .map(
        ({ chosen, id }): Disturbance => ({
          kind: 'faults',
          party,
          faults: chosen.map((fault) => ({ ...fault, match, sequence: { id: `${party} ${match.path} ${id}`, of } })),
        }),
      ),
  ),
)
/** An attempt counts as lost meanwhile, is made again, and goes on when its worker does. */
const frozenForLong = fc.integer({ min: lostAfterMs + 1_000, max: lostAfterMs + 4_000 })
/** Disturbances that meet single calls, and cost nothing but a repeat. */
const atParties: fc.Arbitrary<Disturbance> = fc.oneof(
  { weight: 10, arbitrary: faults },
  {
    weight: 2,
    arbitrary: fc
      .array(
        outOf(
          { code: 451, times: 1 },
          { code: 421, times: 2, stage: 'connect' as const },
          { drop: 'before' as const, times: 1 },
          { drop: 'after' as const, times: 1 },
        ),
        { minLength: 1, maxLength: 2 },
      )
      .map((rules): Disturbance => ({ kind: 'mail_faults', rules })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('webhooks' as const),
      party: outOf(...noisyParties),
      drop: fc.nat({ max: 3 }),
      copies: fc.integer({ min: 1, max: 3 }),
    }),
  },
)
/** Disturbances that stop everybody until the part is back. */
const ofParts: fc.Arbitrary<Disturbance> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('kill' as const),
      part: outOf('worker' as const, 'worker' as const, 'api' as const, 'database' as const, 'temporal' as const),
      ms,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('freeze' as const),
      part: outOf('worker' as const, 'api' as const),
      ms: fc.oneof(ms, frozenForLong),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deploy' as const), part: fc.constant('worker' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: outOf('cut' as const, 'slow' as const), link: outOf(...links), ms }),
  },
)

/** How many people live at once. */
const inRound = 480
/** One fault at a party for each person; a part is disturbed once for so many people. */
const peopleForPart = 20
/** Parts are disturbed at the same time: everybody waits for them, and would wait for each alone as long. */
const partsAtOnce = 3
/** Fewer do not lose the database, rotate no keys and get no notice of a policy. */
const peopleToLose = 10
/** The database is lost in the middle of a round. */
const restored: Disturbance = { kind: 'restore', ms: 1_500 }
/** Another build takes over while people act. */
const released: Disturbance = { kind: 'release', part: 'worker' }
/** who stop promotions by one click, between two campaigns of a round */
const unsubscribeAtMost = 5
/** of what operators do once a round */
const operatorsAreDisturbed = 2

export function planOf({ seed, orders, years }: Size): PlannedEvent[] {
  const drawn = fc.sample(life, { seed, numRuns: orders })
  const lives: Life[] = []
  for (let planned = 0; planned < orders; planned += lives.at(-1)?.orders.length ?? 1) {
    const next = drawn[lives.length]
    if (!next) break
    lives.push({ ...next, orders: next.orders.slice(0, orders - planned) })
  }
  const rounds = Math.ceil(lives.length / inRound)
  const partsInRound = Math.ceil(Math.min(inRound, lives.length) / peopleForPart)
  const faulty = fc.sample(atParties, { seed, numRuns: lives.length })
  const parts = fc.sample(ofParts, { seed: seed + 1, numRuns: rounds * (partsInRound + operatorsAreDisturbed) })
  const further = streams.map(({ drawn, peopleFor }, at) => {
    const inEach = Math.ceil(Math.min(inRound, lives.length) / peopleFor)
    return { inEach, sample: fc.sample(drawn, { seed: seed + 2 + at, numRuns: rounds * inEach }) }
  })
  const events: PlannedEvent[] = []
  for (let round = 0; round < rounds; round += 1) {
    const those = lives.slice(round * inRound, (round + 1) * inRound)
    const ofRound = those.flatMap((each, at) =>
      actsOf(each, `p${round * inRound + at + 1}`, years).map((act) => ({ round, lane: laneOf(act), act })),
    )
    const isLarge = those.length >= peopleToLose
    const unsubscribing = those
      .flatMap(({ promotions, end }, at) => (promotions && end === 'stays' ? [`p${round * inRound + at + 1}`] : []))
      .slice(0, unsubscribeAtMost)
    const shared: Act[] = [
      { kind: 'campaign', subject: `Offer ${round + 1}` },
      ...(round === 0 ? [{ kind: 'apologise' as const }] : []),
      ...(isLarge ? [{ kind: 'policy' as const, version: `version-${round + 1}` }] : []),
      ...unsubscribing.map((who) => ({ kind: 'unsubscribe' as const, who })),
      ...(isLarge ? [{ kind: 'campaign' as const, subject: `Later offer ${round + 1}` }] : []),
      ...(isLarge && round === 0 ? [{ kind: 'rotate_keys' as const }] : []),
      { kind: 'backup' },
    ]
    const operators = shared.map((act) => ({ round: round + 0.5, lane: 'operators', act }))
    events.push(...ofRound, ...operators)
    const itsFaults = faulty.slice(round * inRound, (round + 1) * inRound)
    const [itsParts, operatorsParts] = split(
      parts.slice(round * (partsInRound + operatorsAreDisturbed), (round + 1) * (partsInRound + operatorsAreDisturbed)),
      partsInRound,
    )
    const during = [
      ...spread(itsFaults, round, ofRound.length),
      ...spread(itsParts, round, ofRound.length, partsAtOnce),
      ...further.flatMap(({ inEach, sample }) =>
        spread(sample.slice(round * inEach, (round + 1) * inEach), round, ofRound.length),
      ),
      ...(isLarge ? [{ round, after: Math.floor(ofRound.length / 3), disturbance: released }] : []),
      ...(isLarge ? [{ round, after: Math.floor(ofRound.length / 2), disturbance: restored }] : []),
    ]
    events.push(
      ...during.sort((one, other) => one.after - other.after),
      ...(isLarge && round === 0 ? [{ round: round + 0.5, after: 0, disturbance: { kind: 'next_key' as const } }] : []),
      ...operatorsParts.map((each) => ({ round: round + 0.5, after: 1, disturbance: each })),
    )
  }
  return events
}

const split = <Item>(items: Item[], at: number): [Item[], Item[]] => [items.slice(0, at), items.slice(at)]

/** Disturbances evenly among the acts of a round, so many at the same time. */
const spread = (disturbances: Disturbance[], round: number, acts: number, atOnce = 1) =>
  disturbances.map((each, at) => ({
    round,
    after: Math.floor(((at - (at % atOnce)) * acts) / disturbances.length),
    disturbance: each,
  }))

function actsOf(life: Life, who: string, years: number): Act[] {
  const { phone, apple, google, promotions, signIns, orders, along, end } = life
  const [first, ...later] = signIns.map((by): Act => ({ kind: 'sign_in', who, by }))
  const acts: Act[] = [{ kind: 'sign_up', who, phone, apple, google, promotions }, ...(first ? [first] : [])]
  for (const [at, { afterwards, disputeOutcome, ...bought }] of orders.entries()) {
    const order = `${who}o${at + 1}`
    if (end === 'deletes_early' && at === orders.length - 1) {
      // In the middle of what the others do, while nothing of it has been settled.
      acts.push({ kind: 'order', who, order, ...bought, waits: false })
      continue
    }
    acts.push({ kind: 'order', who, order, ...bought, waits: true })
    if (afterwards.startsWith('top_up')) {
      const refund = afterwards === 'top_up_and_refund' ? 'meanwhile' : 'no'
      acts.push({ kind: 'top_up', order: `${order}t`, of: order, refund })
    }
    if (afterwards === 'top_up_then_refund' || afterwards === 'refund_bounces') acts.push({ kind: 'refund', order })
    if (isOfOrder(afterwards)) acts.push({ kind: afterwards, order })
    if (afterwards === 'refund_part') acts.push({ kind: 'refund_part', order, minor: 100 })
    if (afterwards === 'dispute') acts.push({ kind: 'dispute', order, outcome: disputeOutcome })
  }
  acts.push(...later)
  for (const what of along) {
    if (what === 'consent' || what === 'withdraw') acts.push({ kind: 'consent', who, granted: what === 'consent' })
    else if (what === 'asks' || what === 'asks_in_vain')
      acts.push({ kind: 'privacy_request', who, answered: what === 'asks' })
    else if (what === 'foreign_field') acts.push({ kind: what, who, field: 'advertisingId' })
    else acts.push({ kind: what, who })
  }
  if (end === 'deletes' || end === 'deletes_early') acts.push({ kind: 'delete', who })
  if (end === 'is_a_child') acts.push({ kind: 'child_report', who })
  if (end === 'comes_back') acts.push({ kind: 'delete', who }, { kind: 'come_back', who: `${who}b`, as: who })
  if (end === 'unused' && years >= 3) acts.push({ kind: 'unused_for_years', who })
  return acts
}

const ofOrder = ['refund', 'refund_bounces', 'withdraw', 'warn', 'use', 'expire'] as const
const isOfOrder = (afterwards: string): afterwards is (typeof ofOrder)[number] =>
  ofOrder.some((kind) => kind === afterwards)

/** The person whose lane it is: `p1o1t` and `p1b` belong to `p1`. */
function laneOf(act: Act): string {
  const name = 'who' in act ? act.who : 'order' in act ? act.order : 'operators'
  return /^p\d+/.exec(name)?.[0] ?? name
}

/** A plan in words, for the summary. */
export function describePlan(events: readonly PlannedEvent[]): string {
  const acts = events.filter(isAct).map(({ act }) => act)
  const disturbances = events.filter((event) => !isAct(event)).length
  const orders = acts.filter(({ kind }) => kind === 'order' || kind === 'top_up').length
  const people = acts.filter(({ kind }) => kind === 'sign_up' || kind === 'come_back').length
  return `${people} people, ${orders} orders, ${acts.length} acts, ${disturbances} disturbances`
}
