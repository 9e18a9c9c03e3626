/** The orders at providers for a run's order, and the one of them that is its own. */
import { placementPrefix, prefixOf } from '../../../activities/order/placement-reference.ts'
import { unreturned } from '../../../activities/order/provider-returns.ts'
import { insertItem } from '../../../db/backup/restores.ts'
import type { Queryable } from '../../../db/connection/database.ts'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { esimProviderIds } from '../../../policy/outside-parties.ts'
import type { EsimProviderId } from '../../../providers/esim.ts'
import type { OrderRun } from '../order-runs.ts'
import type { RepeatingContext } from '../until-answered.ts'
import { referencesOf } from './run-reports.ts'

/** An order that a provider has for a run's order. */
export interface PlacedOrder {
  provider: EsimProviderId
  clientRef: string
  orderNo: string
}

/** The orders at providers for the runs' orders, by order id. */
export async function listPlacedOrders(
  { esimProviders }: RepeatingContext,
  runs: readonly OrderRun[],
  since: Date,
): Promise<Map<string, PlacedOrder[]>> {
  const found = new Map<string, PlacedOrder[]>()
  for (const provider of esimProviderIds) {
    const { findOrdersOf } = esimProviders[provider]
    const orderIds = new Map<string, string>()
    for (const run of runs) {
      if (run.input.parentOrderId) continue
      for (const reference of referencesOf(run)) orderIds.set(placementPrefix(reference, provider), run.orderId)
    }
    const placed = await findOrdersOf([...orderIds.keys()], since.toISOString())
    for (const { clientRef, orderNo } of placed) {
      const orderId = orderIds.get(prefixOf(clientRef))
      if (orderId !== undefined) found.set(orderId, [...(found.get(orderId) ?? []), { provider, clientRef, orderNo }])
    }
  }
  return found
}

/**
 * The request that was made last: a run asks again, and asks another provider, only once it is certain that nothing was
 * applied. Of several orders under one reference, which a repeated request has made, the first one: the run takes it
 * too.
 * @param references of the run, the oldest first
 */
export function ownOrderOf(references: readonly string[], placed: readonly PlacedOrder[]): PlacedOrder | undefined {
  const askedAs = ({ provider, clientRef }: PlacedOrder): [provision: number, attempt: number] => {
    const provision = references.findLastIndex((each) => clientRef.startsWith(placementPrefix(each, provider)))
    const attempt = clientRef.slice(clientRef.lastIndexOf('-') + 1)
    return [provision, Number(attempt)]
  }
  const [own] = placed.toSorted((a, b) => {
    const [provisionA, attemptA] = askedAs(a)
    const [provisionB, attemptB] = askedAs(b)
    return provisionB - provisionA || attemptB - attemptA || a.orderNo.localeCompare(b.orderNo, 'en', { numeric: true })
  })
  return own
}

/** Leaves to operators what providers hold beside an order's own: nothing else would return it. */
export async function leaveDuplicates(
  sql: Queryable,
  restoreId: string,
  { orderId, references, placed }: { orderId: string; references: readonly string[]; placed: readonly PlacedOrder[] },
): Promise<void> {
  const own = ownOrderOf(references, placed)
  const others = placed.filter((each) => each !== own).map(({ provider, orderNo }) => `${provider}:${orderNo}`)
  if (others.length === 0) return
  for (const subjectId of others)
    await insertItem(sql, restoreId, { kind: 'provider_order', subjectId, outcome: 'undecided', detail: 'duplicate' })
  await raiseOperatorTask(sql, {
    kind: unreturned,
    subjectId: orderId,
    detail: 'duplicate',
    at: new Date(),
    attributes: { orders: others.join(' ') },
  })
}
