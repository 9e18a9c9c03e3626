/** The requests to eSIM providers for an order, and the eSIMs that they have brought. */
import { placementPrefix, placementReference } from '../../../activities/order/placement-reference.ts'
import type { Context } from '../../../context.ts'
import { restoreUndecided } from '../../../db/backup/restores.ts'
import type { PackageOffers } from '../../../db/connection/schema.ts'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { insertEsims, listEsims, recordEsimStatus, type StoredEsim } from '../../../db/order/esims.ts'
import { findOrder, type OrderRow } from '../../../db/order/orders.ts'
import {
  deleteSuperseded,
  insertLostPlacement,
  listPlacements,
  movePlacement,
  type Placement,
} from '../../../db/order/placements.ts'
import type { EsimProviderId, ProvidedEsim } from '../../../providers/esim.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import type { OrderRun } from '../order-runs.ts'
import { hasCompleted } from '../run-history.ts'
import type { RepeatingContext } from '../until-answered.ts'
import { ownOrderOf, type PlacedOrder } from './own-order.ts'
import { mayHoldEsims, provisionings, referencesOf } from './run-reports.ts'

/** The placements and eSIMs of a run that has them. */
export async function rebuildProvided(
  context: RepeatingContext,
  order: OrderRow,
  run: OrderRun,
  placed: PlacedOrder[],
  at: Date,
): Promise<void> {
  const { sql } = context
  const known = await listPlacements(sql, order.id)
  if (known.some(({ state }) => ['provided', 'releasing', 'released'].includes(state))) return
  if (order.parent_order_id) return rebuildTopUp(context, order, run, at)
  const own = ownOrderOf(referencesOf(run), placed)
  if (own && !known.some(({ state }) => state === 'placed')) {
    const placement =
      known.find(({ client_ref }) => client_ref === own.clientRef) ?? (await newerPlacement(context, order, own, at))
    await movePlacement(sql, placement.id, ['placing'], { state: 'placed', provider_order_no: own.orderNo })
  }
  for (const placement of await listPlacements(sql, order.id)) {
    if (placement.state !== 'placed' || !placement.provider_order_no) continue
    const esims = await esimsOf(context, placement.provider, placement.provider_order_no)
    if (!esims) break
    await insertEsims(context, order, placement, esims.slice(0, order.quantity))
    return
  }
  // They went back: nobody needs them.
  if (!mayHoldEsims(run) || hasCompleted(run.activities, 'withdrawEsims')) return
  await raiseOperatorTask(sql, { kind: restoreUndecided, subjectId: order.id, detail: 'provider_order_unknown', at })
}

/** @returns undefined when the provider does not know the order any more, of which the run has the eSIMs */
async function esimsOf(
  { esimProviders }: RepeatingContext,
  provider: EsimProviderId,
  orderNo: string,
): Promise<ProvidedEsim[] | undefined> {
  try {
    return await esimProviders[provider].getEsims(orderNo)
  } catch (error) {
    if (isProviderFailure(error) && (error.kind === 'rejected' || error.code === 'still_allocating')) return undefined
    throw error
  }
}

/** The states and the use of the eSIMs of an order that no run follows any more, as far as their provider says them. */
export async function readEsimStates(context: RepeatingContext, order: OrderRow): Promise<void> {
  const { sql, esimProviders } = context
  for (const esim of await listEsims(context, order)) {
    if (esim.state === 'cancelled') continue
    try {
      const status = await esimProviders[esim.provider].getStatus(esim.esimRef)
      if (status.state !== 'unknown') await recordEsimStatus(sql, esim.id, status, new Date())
    } catch (error) {
      // Nothing is owed for it: the order is rebuilt without its use.
      if (!isProviderFailure(error)) throw error
    }
  }
}

async function rebuildTopUp(context: RepeatingContext, order: OrderRow, run: OrderRun, at: Date): Promise<void> {
  const placement = await topUpPlacement(context, order, run, at)
  if (placement) await movePlacement(context.sql, placement.id, ['placing'], { state: 'provided' })
}

/**
 * The request of a top-up, under the reference by which its provider has applied it: a run that goes on asks for that
 * one, and would else buy it twice. Each attempt that was certainly not applied was made under another one.
 */
async function topUpPlacement(
  context: RepeatingContext,
  order: OrderRow,
  run: OrderRun,
  at: Date,
): Promise<Placement | undefined> {
  const { sql } = context
  const [known] = await listPlacements(sql, order.id)
  const parent = order.parent_order_id ? await findOrder(sql, order.parent_order_id) : undefined
  const esim = parent && (await listEsims(context, parent)).find(({ id }) => id === order.esim_id)
  const references = referencesOf(run)
  const [reference] = references
  if ((known && known.state !== 'placing') || !esim || reference === undefined) return known
  const { provider } = esim
  const prefixes = references.map((each) => placementPrefix(each, provider))
  const applied = await appliedTopUp(context, esim, prefixes)
  if (known && (applied === undefined || applied === known.client_ref)) return known
  const clientRef = applied ?? placementReference(reference, provider, 1)
  if (known) await deleteSuperseded(sql, order.id, clientRef)
  return lostPlacement(context, order, { provider, clientRef }, at)
}

/** @returns undefined also when the provider does not know the eSIM any more */
async function appliedTopUp(
  { esimProviders }: RepeatingContext,
  { provider, esimRef }: Pick<StoredEsim, 'provider' | 'esimRef'>,
  prefixes: readonly string[],
): Promise<string | undefined> {
  try {
    return (await esimProviders[provider].topUpsOf(prefixes, esimRef))[0]
  } catch (error) {
    if (isProviderFailure(error) && error.kind === 'rejected') return undefined
    throw error
  }
}

/**
 * The requests whose answer the run waits for. eSIM Access shows an order only once it is allocated: its request is
 * repeated under its reference, by which it stays one order.
 */
export async function keepOpenPlacements(
  context: RepeatingContext,
  order: OrderRow,
  run: OrderRun,
  placed: PlacedOrder[],
): Promise<void> {
  const { sql } = context
  const at = provisionings(run)[0]?.at ?? run.startedAt
  if (order.parent_order_id) return void (await topUpPlacement(context, order, run, at))
  const known = await listPlacements(sql, order.id)
  const own = ownOrderOf(referencesOf(run), placed)
  const isKnown = known.some(({ client_ref, state }) => client_ref === own?.clientRef || isApplied.includes(state))
  if (own && !isKnown) await newerPlacement(context, order, own, at)
  if (own || known.length > 0) return
  const reference = referencesOf(run)[0]
  const provider = 'esim-access' satisfies EsimProviderId
  const [offer] = await sql<Pick<PackageOffers, 'provider'>[]>`
    select provider from package_offers where package_code = ${order.package_code} and provider = ${provider}`
  if (reference === undefined || !offer) return
  await lostPlacement(context, order, { provider, clientRef: placementReference(reference, provider, 1) }, at)
}

/** States of a request that its provider has applied. */
const isApplied: Placement['state'][] = ['placed', 'provided', 'releasing', 'released']

/** The request that the run has made since the dump, in place of one that the dump holds open. */
async function newerPlacement(context: Context, order: OrderRow, found: PlacedOrder, at: Date): Promise<Placement> {
  await deleteSuperseded(context.sql, order.id, found.clientRef)
  return lostPlacement(context, order, found, at)
}

async function lostPlacement(
  { sql }: Context,
  order: OrderRow,
  found: { provider: EsimProviderId; clientRef: string; orderNo?: string },
  at: Date,
): Promise<Placement> {
  const [offer] = await sql<Pick<PackageOffers, 'provider_package_code' | 'cost_micros'>[]>`
    select provider_package_code, cost_micros from package_offers
    where package_code = ${order.package_code} and provider = ${found.provider}`
  return insertLostPlacement(sql, order.id, {
    provider: found.provider,
    clientRef: found.clientRef,
    orderNo: found.orderNo ?? null,
    packageCode: offer?.provider_package_code ?? '',
    costMicros: found.orderNo === undefined ? (offer?.cost_micros ?? null) : null,
    placedAt: at,
  })
}
