/**
 * U2: paid means delivered or refunded, and once. A request to a provider that does not recognise a repeated one is
 * repeated when it certainly was not applied: each process has another clock, and the database one.
 */
import { randomUUID } from 'node:crypto'
import { expect, test, vi } from 'vitest'
import { askOnce } from '../../../activities/order/ask-once.ts'
import { claimPlacement } from '../../../db/order/placements.ts'
import { failureType } from '../../../shared/failures.ts'
import { shareStack } from '../../harness/harness.ts'
import { anyOffer, orderAlone } from './order-alone.ts'

// The orders here are rows alone: no run and no payment belongs to them.
const harness = await shareStack({ books: false })
const { context } = harness
const { sql } = context
const minute = 60_000

/** An order whose request to Airalo was made a while ago, and may have been applied. */
async function askedBefore(ms: number) {
  const id = await orderAlone(harness)
  const claimed = await claimPlacement(sql, id, anyOffer, randomUUID())
  if (!claimed) throw new Error('it was not claimed')
  const [row] = await sql<{ at: Date }[]>`
    update provider_orders set last_asked_at = last_asked_at - ${ms} * interval '1 millisecond' where id = ${claimed.id}
    returning last_asked_at as at`
  return { ...claimed, last_asked_at: row?.at ?? claimed.last_asked_at }
}

/** Asks again while the clock of this process is ahead of the database's. */
async function askAgain(placement: Awaited<ReturnType<typeof askedBefore>>, aheadMs: number): Promise<unknown> {
  const now = Date.now
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => now() + aheadMs)
  try {
    return await askOnce(context, context.esimProviders.airalo, placement, false, new Set(), async () => 'made')
  } catch (error) {
    return failureType(error)
  } finally {
    clock.mockRestore()
  }
}

test.each([
  ['a second', 1_000, 0, 'PlacementUnsettled'],
  ['a second', 1_000, 10 * minute, 'PlacementUnsettled'],
  ['two minutes', 2 * minute, 0, { answer: 'made' }],
  ['two minutes', 2 * minute, -10 * minute, { answer: 'made' }],
])(
  'a request that Airalo got %s ago (%i ms), while our clock is %i ms ahead: %j',
  async (_ago, ms, aheadMs, outcome) => {
    expect(await askAgain(await askedBefore(ms), aheadMs)).toEqual(outcome)
  },
)
