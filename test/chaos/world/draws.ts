/** What plans are drawn from, and the disturbances that have streams of their own. */
import fc from 'fast-check'
import type { Fault } from '../../../sim/simulator.ts'
import { apiLinks, type Disturbance, endpointNames, endpointTroubles, signInParties } from './events.ts'

/** Faults that go away by themselves, and leave nothing final behind. */
export const passing: readonly Fault[] = [
  { cut: 'after' },
  { cut: 'before' },
  { status: 503 },
  { status: 429, headers: { 'Retry-After': '2' } },
  { status: 404, body: {} },
  { status: 200, body: 'OK' },
  { delayMs: 1500 },
]

export const oneIn = (count: number) => fc.nat({ max: count - 1 }).map((drawn) => drawn === 0)
export const outOf = <const Item>(...items: Item[]) => fc.constantFrom(...items)

/** How long a part is disturbed. */
export const ms = fc.integer({ min: 300, max: 3_000 })

const keysAt = { apple: '/auth/keys$', google: '/oauth2/v3/certs$' } as const

/** Nothing tells one reading of the keys from another: the first ones meet the faults. */
const newKeys = outOf(...signInParties).chain((party) =>
  fc.array(outOf(...passing), { maxLength: 2 }).map(
    (faults): Disturbance => ({
      kind: 'new_sign_in_key',
      party,
      faults: faults.map((fault) => ({ ...fault, match: { method: 'GET', path: keysAt[party] } })),
    }),
  ),
)

/** Apple takes a code for spent, takes us for nobody, or says what it never said. */
const refusedCodes = ['invalid_grant', 'invalid_client', 'unheard_of'].map(
  (error): Fault => ({
    status: 400,
    body: { error },
  }),
)
const codes = fc
  .record({
    chosen: fc.array(outOf(...passing.slice(0, 3), ...refusedCodes), { minLength: 1, maxLength: 2 }),
    id: fc.nat({ max: 1_000_000 }),
  })
  .map(({ chosen, id }): Disturbance => {
    const match = { method: 'POST', path: '/auth/token$' }
    const sequence = { id: `apple code ${id}`, of: '\\bcode=([^&]+)' }
    return { kind: 'faults', party: 'apple', faults: chosen.map((fault) => ({ ...fault, match, sequence })) }
  })

const ofEndpoints: fc.Arbitrary<Disturbance> = fc.record({
  kind: fc.constant('endpoint' as const),
  endpoint: outOf(...endpointNames),
  trouble: outOf(...endpointTroubles),
  ms,
})

const ofApiLinks: fc.Arbitrary<Disturbance> = fc.record({
  kind: outOf('cut' as const, 'slow' as const),
  link: outOf(...apiLinks),
  ms,
})

/**
 * Disturbances that each have a stream of their own: another stream, or another kind in one of them, leaves what the
 * others draw as it was. `peopleFor`: one disturbance for so many people.
 */
export const streams: readonly { drawn: fc.Arbitrary<Disturbance>; peopleFor: number }[] = [
  { drawn: newKeys, peopleFor: 8 },
  { drawn: codes, peopleFor: 8 },
  { drawn: ofEndpoints, peopleFor: 12 },
  { drawn: ofApiLinks, peopleFor: 12 },
]
