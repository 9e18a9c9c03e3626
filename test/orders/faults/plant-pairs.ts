/** Pairs of faults, each one after the other on the same call, in both orders. */
import pMap from 'p-map'
import type { AnySimulatorControl } from '../../../sim/control.ts'
import type { Fault } from '../../../sim/simulator.ts'
import { drawPart, seededInt } from '../../harness/seed.ts'

/** Faults that go away by themselves, and leave nothing final behind. */
export const passing: Fault[] = [
  { cut: 'after' },
  { cut: 'before' },
  { status: 503 },
  { status: 429, headers: { 'Retry-After': '7200' } },
  { status: 404, body: {} },
  { status: 200, body: 'OK' },
  // Slow, and answered within the time limits.
  { delayMs: 1_500 },
]

/** Applied, and answered too late: we have gone by then. The stack has to be `impatient`. */
export const tooSlow: Fault = { hang: 'after' }

/** A stack that waits for seconds; the slow answer comes within them. */
export const impatient = { replyTimeoutMs: 4_000 } as const

/** Stripe's answer about an object that one of its machines does not know yet. */
export const missingAtStripe: Fault = {
  status: 404,
  body: { error: { type: 'invalid_request_error', code: 'resource_missing', message: 'No such object' } },
}

/**
 * Pairs of which every second fault is the first one: which ones, and what the other faults of the pairs are, depends
 * on the seed of the run. With `npm test -- --all` they are all pairs, about ten times as many.
 */
export function pairs<Each>(faults: readonly Each[]): [Each, Each][] {
  const distances = [...faults.keys()].slice(1)
  const drawn = process.env.TEST_ALL === '1' ? distances : [seededInt(1, faults.length)]
  const partOf = drawPart(2)
  return drawn.flatMap((distance) =>
    partOf([...faults.entries()]).map(([at, first]): [Each, Each] => [
      first,
      faults[(at + distance) % faults.length] ?? first,
    ]),
  )
}

/** The pair for the call `at` of the object `number`: one object gets another pair at each call. */
export const shifted = <Each>(all: [Each, Each][], number: number, at: number): [Each, Each] | [] =>
  all[(number + 11 * at) % all.length] ?? []

export interface FaultyCall {
  method?: string
  path: string
  /** finds the name of the object in a request, as in `Fault.sequence` */
  of: string
}

/** Gives each object that the calls are about a pair of faults at each call. */
export async function plantPairs(
  simulator: Pick<AnySimulatorControl, 'fault'>,
  calls: readonly FaultyCall[],
  all: [Fault, Fault][],
): Promise<void> {
  for (const [at, { of, ...match }] of calls.entries()) {
    for (const number of all.keys()) {
      for (const fault of shifted(all, number, at)) {
        await simulator.fault({ ...fault, match, sequence: { id: `${match.path}-${number}`, of } })
      }
    }
  }
}

/** Works through the items, six at once: more would exceed the time limit of a checkout. */
export const eachOf = <Item, Result>(items: Iterable<Item>, work: (item: Item) => Promise<Result>): Promise<Result[]> =>
  pMap(items, work, { concurrency: 6 })
