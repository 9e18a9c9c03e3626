/** The part of an order's timeline about its eSIMs: what providers were asked, and what they say. */
import type { OrderRows } from '../../../db/operator/order-rows.ts'
import { partyName, plain } from '../plain.ts'
import { because, type Entry } from './timeline-entry.ts'

/** What each eSIM provider was asked for, and its answer. */
export function ofProviders({ placements }: Pick<OrderRows, 'placements'>): Entry[] {
  return placements.flatMap((placement): Entry[] => {
    const number = placement.provider_order_no === null ? '' : `, number ${placement.provider_order_no}`
    const hasFailed = placement.state === 'refused'
    return [
      {
        at: placement.placed_after,
        source: 'provider',
        actor: 'us',
        words: `asked ${partyName(placement.provider)} for ${placement.provider_package_code}`,
      },
      {
        at: placement.confirmed_at ?? placement.last_asked_at,
        source: 'provider',
        actor: partyName(placement.provider),
        words: `${placement.state}${because(placement.reason)}${number}`,
        isFault: hasFailed,
      },
    ]
  })
}

/** What became of the eSIMs. @param delivered when the order was delivered */
export function ofEsims({ esims }: OrderRows, delivered: Date | null, asOf: Date): Entry[] {
  return esims.flatMap((esim): Entry[] => [
    { at: esim.activated_at, source: 'esim', actor: 'customer', words: 'first used the eSIM' },
    {
      at: esim.return_asked_at,
      source: 'esim',
      actor: 'us',
      words: `asked ${partyName(esim.provider)} for the return of the eSIM`,
    },
    {
      at: esim.expires_at !== null && esim.expires_at <= asOf ? esim.expires_at : null,
      source: 'esim',
      actor: partyName(esim.provider),
      words: 'the eSIM expired',
    },
    {
      // Before the run's first check of the eSIM, `checked_at` is the time at which the eSIM was stored.
      at: delivered !== null && esim.checked_at > delivered ? esim.checked_at : null,
      source: 'esim',
      actor: partyName(esim.provider),
      words: `says that the eSIM is ${plain(esim.state)}`,
    },
  ])
}
