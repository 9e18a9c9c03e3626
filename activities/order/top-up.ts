import type { Context } from '../../context.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { isBeingReturned } from '../../db/order/esims/returned-esims.ts'
import { listEsims, type StoredEsim } from '../../db/order/esims.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { claimPlacement, listOffers, listPlacements, movePlacement } from '../../db/order/placements.ts'
import { finalFor } from '../../providers/codes/esim.ts'
import { failure } from '../../shared/failures.ts'
import { esimFailureTypes, sinceScheduledMs, withFailureTypes } from '../failures.ts'
import { askOnce } from './ask-once.ts'
import { knownOrder } from './known-order.ts'
import { unreturned } from './provider-returns.ts'
import { buyAtSeenPrice } from './seen-price.ts'

/** A top-up whose reply was lost may show late; after this it was never applied. */
const soughtForMs = 15 * 60_000
const nextQueryMs = 5 * 60_000

/** Adds a top-up's data to the eSIM of an earlier order, once. @throws OutOfStock when that is no longer possible */
export async function topUpParent(
  context: Context,
  order: OrderRow,
  clientRefOf: (provider: string) => string,
): Promise<void> {
  const { sql } = context
  const esim = await toppedUpEsim(context, order)
  if (!esim) throw failure('OutOfStock', { code: 'unknown_esim' })
  const provider = context.esimProviders[esim.provider]

  const [begun] = await listPlacements(sql, order.id)
  if (begun?.state === 'provided') return
  if (begun?.state === 'refused') throw failure('OutOfStock')
  if (begun && begun.state !== 'placing') throw failure('OrderStateConflict', { code: 'releasing' })
  // U2, paid means delivered or refunded: an eSIM that is being returned takes no top-up; `claimReturn` looks for
  // top-ups in turn, and one of the two waits for the other.
  if (!begun && (await isBeingReturned(sql, esim.id))) throw failure('OutOfStock', { code: 'esim_returned' })
  const placement = begun ?? (await claim())
  const topUp = {
    clientRef: placement.client_ref,
    esimRef: esim.esimRef,
    packageCode: placement.provider_package_code,
    ...(placement.daily && { days: order.days }),
  }
  const applied = begun ? await withFailureTypes(esimFailureTypes, () => provider.hasTopUp(topUp)) : false
  if (!applied) {
    const buy = () =>
      buyAtSeenPrice(context, provider, order, placement, (unitCostMicros) =>
        provider.topUp({ ...topUp, unitCostMicros }),
      )
    const asked = await askOnce(context, provider, placement, !begun, finalFor.topUp, buy)
    if (asked === 'refused') throw failure('OutOfStock')
    if ('later' in asked) throw asked.later
  }
  // Its eSIM went back all the same, as a record says that is older than the return, or a worker of an earlier build.
  if (await isBeingReturned(sql, esim.id)) throw failure('OutOfStock', { code: 'esim_returned' })
  await movePlacement(sql, placement.id, ['placing'], { state: 'provided' })

  async function claim() {
    const offer = (await listOffers(sql, order.package_code)).find((candidate) => candidate.provider === esim?.provider)
    if (!offer) throw failure('OutOfStock', { code: 'no_offer_for_this_esim' })
    const claimed = await claimPlacement(sql, order.id, offer, clientRefOf(offer.provider))
    if (!claimed) throw failure('PlacementUnsettled', { code: 'asked_elsewhere' })
    return claimed
  }
}

/** Why a placement is released of a top-up that was applied all the same: operators have it. */
export const topUpApplied = 'top_up_applied'

/**
 * Undoes `topUpParent` where possible. No provider takes data back, so a top-up that was applied after the order was
 * given up becomes an operator task.
 * @throws PlacementUnsettled while the provider may still show the top-up
 */
export async function releaseTopUp(context: Context, order: OrderRow, at: Date): Promise<void> {
  const { sql } = context
  const [placement] = await listPlacements(sql, order.id)
  if (!placement || placement.state === 'refused' || placement.state === 'released') return
  const leave = async (reason: string): Promise<void> => {
    await raiseOperatorTask(sql, { kind: unreturned, subjectId: order.id, detail: reason, at })
    await movePlacement(sql, placement.id, ['placing', 'provided', 'releasing'], { state: 'released', reason })
  }
  const esim = await toppedUpEsim(context, order)
  // A restore has not found it. A provider says by its eSIM alone whether a top-up was applied.
  if (!esim) return leave('unknown_esim')
  const provider = context.esimProviders[esim.provider]
  const { client_ref: clientRef } = placement
  if (placement.state === 'placing' && !(await movePlacement(sql, placement.id, ['placing'], { state: 'releasing' })))
    throw failure('PlacementUnsettled', { code: 'asked_elsewhere' })
  // What is provided was applied, as its provider has said.
  const isApplied =
    placement.state === 'provided' ||
    (await withFailureTypes(esimFailureTypes, () => provider.hasTopUp({ clientRef, esimRef: esim.esimRef })))
  if (isApplied) return leave(topUpApplied)
  if (sinceScheduledMs() < soughtForMs) throw failure('PlacementUnsettled', { nextRetryDelay: nextQueryMs })
  await movePlacement(sql, placement.id, ['releasing'], { state: 'released', reason: 'never_applied' })
}

/** The eSIM of the parent order; undefined when its row is gone. @throws OrderMissing */
async function toppedUpEsim(context: Context, order: OrderRow): Promise<StoredEsim | undefined> {
  const parent = await knownOrder(context.sql, order.parent_order_id ?? '')
  return (await listEsims(context, parent)).find(({ id }) => id === order.esim_id)
}
