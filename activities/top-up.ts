import { randomUUID } from 'node:crypto'
import type { Context } from '../context.ts'
import { raiseAttention } from '../db/attention.ts'
import { listEsims } from '../db/esims.ts'
import type { OrderRow } from '../db/orders.ts'
import { claimPlacement, listOffers, listPlacements, movePlacement } from '../db/placements.ts'
import type { EsimProviderId } from '../providers/esim.ts'
import { isProviderFailure } from '../providers/failure.ts'
import { failure } from '../workflows/failures.ts'
import { asFailure, esimProvider as esimTerms, inTermsOf } from './failures.ts'
import { knownOrder } from './known-order.ts'

/** Puts a top-up's data onto the eSIM of an earlier order, once. @throws OutOfStock when that is not possible any more */
export async function topUpParent(context: Context, order: OrderRow, at: Date): Promise<void> {
  const { sql } = context
  const parent = await knownOrder(sql, order.parent_order_id ?? '')
  const esim = (await listEsims(context, parent)).find(({ id }) => id === order.esim_id)
  if (!esim) throw failure('OutOfStock', { code: 'unknown_esim' })
  const provider = context.esimProviders[esim.provider as EsimProviderId]

  const [begun] = await listPlacements(sql, order.id)
  if (begun?.state === 'provided') return
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
      throw asFailure(error, esimTerms)
    }
  }
}
