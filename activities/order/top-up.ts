import { randomUUID } from 'node:crypto'
import type { Context } from '../../context.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { listEsims, type StoredEsim } from '../../db/order/esims.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { claimPlacement, listOffers, listPlacements, movePlacement } from '../../db/order/placements.ts'
import type { EsimProviderId } from '../../providers/esim.ts'
import { finalFor } from '../../providers/esim-codes.ts'
import { failure } from '../../shared/failures.ts'
import { esimLook, sinceScheduledMs, withFailureTypes } from '../failures.ts'
import { askOnce } from './ask-once.ts'
import { knownOrder } from './known-order.ts'

/** A request whose reply was lost may show late; what was not seen for as long never was applied. */
const soughtForMs = 15 * 60_000
const lookAgainMs = 5 * 60_000

/** Puts a top-up's data onto the eSIM of an earlier order, once. @throws OutOfStock when that is not possible any more */
export async function topUpParent(context: Context, order: OrderRow): Promise<void> {
  const { sql } = context
  const esim = await toppedUpEsim(context, order)
  if (!esim) throw failure('OutOfStock', { code: 'unknown_esim' })
  const provider = context.esimProviders[esim.provider as EsimProviderId]

  const [begun] = await listPlacements(sql, order.id)
  if (begun?.state === 'provided') return
  if (begun?.state === 'refused') throw failure('OutOfStock')
  if (begun && begun.state !== 'placing') throw failure('OrderStateConflict', { code: 'releasing' })
  const placement = begun ?? (await claim())
  const topUp = {
    clientRef: placement.client_ref,
    esimRef: esim.esimRef,
    packageCode: placement.provider_package_code,
    ...(placement.daily && { days: order.days }),
  }
  const applied = begun ? await withFailureTypes(esimLook, () => provider.hasTopUp(topUp)) : false
  if (!applied) {
    const asked = await askOnce(context, provider, placement, !begun, finalFor.topUp, () => provider.topUp(topUp))
    if (asked === 'refused') throw failure('OutOfStock')
    if ('later' in asked) throw asked.later
  }
  await movePlacement(sql, placement.id, ['placing'], { state: 'provided' })

  async function claim() {
    const offer = (await listOffers(sql, order.package_code)).find((candidate) => candidate.provider === esim?.provider)
    if (!offer) throw failure('OutOfStock', { code: 'no_offer_for_this_esim' })
    const claimed = await claimPlacement(sql, order.id, offer, randomUUID())
    if (!claimed) throw failure('PlacementUnsettled', { code: 'asked_elsewhere' })
    return claimed
  }
}

/**
 * Undo of `topUpParent`, as far as there is one: no provider takes data back, so that an operator is told of what was
 * applied after we had stopped waiting.
 * @throws PlacementUnsettled while it may still show
 */
export async function releaseTopUp(context: Context, order: OrderRow, at: Date): Promise<void> {
  const { sql } = context
  const [placement] = await listPlacements(sql, order.id)
  const esim = await toppedUpEsim(context, order)
  if (!placement || !esim || placement.state === 'refused' || placement.state === 'released') return
  await movePlacement(sql, placement.id, ['placing', 'provided'], { state: 'releasing' })
  const provider = context.esimProviders[esim.provider as EsimProviderId]
  const { client_ref: clientRef } = placement
  if (await withFailureTypes(esimLook, () => provider.hasTopUp({ clientRef, esimRef: esim.esimRef }))) {
    const code = 'top_up_applied'
    await raiseOperatorTask(sql, { kind: 'provider_order_unreturned', subjectId: order.id, detail: code, at })
    await movePlacement(sql, placement.id, ['releasing'], { state: 'released', reason: code })
    return
  }
  if (sinceScheduledMs() < soughtForMs) throw failure('PlacementUnsettled', { nextRetryDelay: lookAgainMs })
  await movePlacement(sql, placement.id, ['releasing'], { state: 'released', reason: 'never_applied' })
}

/** The parent order's eSIM; undefined when it is gone. @throws OrderMissing */
async function toppedUpEsim(context: Context, order: OrderRow): Promise<StoredEsim | undefined> {
  const parent = await knownOrder(context.sql, order.parent_order_id ?? '')
  return (await listEsims(context, parent)).find(({ id }) => id === order.esim_id)
}
