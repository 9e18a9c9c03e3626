import { randomUUID } from 'node:crypto'
import type { Context } from '../context.ts'
import { raiseAttention } from '../db/attention.ts'
import { listEsims, type StoredEsim } from '../db/esims.ts'
import type { OrderRow } from '../db/orders.ts'
import { claimPlacement, listOffers, listPlacements, movePlacement } from '../db/placements.ts'
import type { EsimProviderId } from '../providers/esim.ts'
import { isProviderFailure } from '../providers/failure.ts'
import { failure } from '../workflows/failures.ts'
import { asFailure, esimProvider as esimTerms, inTermsOf } from './failures.ts'
import { knownOrder } from './known-order.ts'

/** A request whose reply was lost may show late; after so many looks it never was applied. */
const looksForLostTopUp = 4
const lookAgainMs = 5 * 60_000

/** Puts a top-up's data onto the eSIM of an earlier order, once. @throws OutOfStock when that is not possible any more */
export async function topUpParent(context: Context, order: OrderRow, at: Date): Promise<void> {
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
  const applied = begun ? await inTermsOf(esimTerms, () => provider.hasTopUp(topUp)) : false
  if (!applied) await apply()
  await movePlacement(sql, placement.id, ['placing'], { state: 'provided' })

  async function claim() {
    const offer = (await listOffers(sql, order.package_code)).find((candidate) => candidate.provider === esim?.provider)
    const claimed = offer && (await claimPlacement(sql, order.id, offer, randomUUID()))
    if (!claimed) throw failure('OutOfStock', { code: 'no_offer_for_this_esim' })
    return claimed
  }

  async function apply(): Promise<void> {
    try {
      await provider.topUp(topUp)
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      if (error.kind === 'misconfigured') {
        context.metrics.providerMisconfigured.inc({ provider: provider.id, code: error.code })
        await raiseAttention(sql, { kind: 'provider_misconfigured', subjectId: provider.id, detail: error.code, at })
      }
      if (error.kind === 'rejected') {
        await movePlacement(sql, placement.id, ['placing'], { state: 'refused', reason: error.code })
      }
      throw asFailure(error, esimTerms)
    }
  }
}

/**
 * Undo of `topUpParent`, as far as there is one: no provider takes data back, so that an operator is told of what was
 * applied after we had stopped waiting.
 * @param attempt of the activity, from 1
 * @throws PlacementUnsettled while it may still show
 */
export async function releaseTopUp(context: Context, order: OrderRow, at: Date, attempt: number): Promise<void> {
  const { sql } = context
  const [placement] = await listPlacements(sql, order.id)
  const esim = await toppedUpEsim(context, order)
  if (!placement || !esim || placement.state === 'refused' || placement.state === 'released') return
  await movePlacement(sql, placement.id, ['placing', 'provided'], { state: 'releasing' })
  const provider = context.esimProviders[esim.provider as EsimProviderId]
  const { client_ref: clientRef } = placement
  if (await inTermsOf(esimTerms, () => provider.hasTopUp({ clientRef, esimRef: esim.esimRef }))) {
    const code = 'top_up_applied'
    await raiseAttention(sql, { kind: 'provider_order_unreturned', subjectId: order.id, detail: code, at })
    await movePlacement(sql, placement.id, ['releasing'], { state: 'released', reason: code })
    return
  }
  if (attempt < looksForLostTopUp) throw failure('PlacementUnsettled', { nextRetryDelay: lookAgainMs })
  await movePlacement(sql, placement.id, ['releasing'], { state: 'released', reason: 'never_applied' })
}

/** The parent order's eSIM; undefined when it is gone. @throws OrderMissing */
async function toppedUpEsim(context: Context, order: OrderRow): Promise<StoredEsim | undefined> {
  const parent = await knownOrder(context.sql, order.parent_order_id ?? '')
  return (await listEsims(context, parent)).find(({ id }) => id === order.esim_id)
}
