/** The eSIMs that we hold for each order, according to the eSIM providers' simulators. */
import type { ProviderOrders } from '../../../db/connection/schema.ts'
import type { Stack } from '../../../dev/stack.ts'
import type { AiraloState } from '../../../sim/airalo.ts'
import type { EsimAccessState } from '../../../sim/esim-access.ts'

export interface Held {
  /** bought and not returned; for a top-up, how often it was applied */
  esims: number
  /** a placement is still being made or returned */
  pending: boolean
}

/** Holdings by order id, and eSIMs or top-ups without an order. */
export async function readHoldings(stack: Stack): Promise<{ holdings: Map<string, Held>; strays: string[] }> {
  const { sql } = stack.context
  const placements = await sql<
    Pick<ProviderOrders, 'order_id' | 'provider' | 'client_ref' | 'state'>[]
  >`select order_id, provider, client_ref, state from provider_orders`
  const held = heldByReference(await stack.sims.esimAccess.state(), await stack.sims.airalo.state())
  const holdings = new Map<string, Held>()
  for (const { order_id, provider, client_ref, state } of placements) {
    const before = holdings.get(order_id) ?? { esims: 0, pending: false }
    holdings.set(order_id, {
      esims: before.esims + (held.get(`${provider} ${client_ref}`) ?? 0),
      pending: before.pending || ['placing', 'placed', 'releasing'].includes(state),
    })
  }
  const known = new Set(placements.map(({ provider, client_ref }) => `${provider} ${client_ref}`))
  const strays = [...held]
    .filter(([reference, esims]) => esims > 0 && !known.has(reference))
    .map(([reference, esims]) => `${reference}: ${esims} eSIMs or top-ups held for no order`)
  return { holdings, strays }
}

/** The number of eSIMs or top-ups by `provider reference`. */
function heldByReference(esimAccess: EsimAccessState, airalo: AiraloState): Map<string, number> {
  const held = new Map<string, number>()
  const add = (provider: string, reference: string, count: number): void => {
    const key = `${provider} ${reference}`
    held.set(key, (held.get(key) ?? 0) + count)
  }
  const cancelled = new Set(esimAccess.cancels.map(({ esimTranNo }) => esimTranNo))
  for (const { transactionId, esimTranNos } of esimAccess.orders) {
    add('esim-access', transactionId, esimTranNos.filter((id) => !cancelled.has(id)).length)
  }
  for (const { transactionId } of esimAccess.topUps) add('esim-access', transactionId, 1)
  const refunded = new Set(airalo.refunds.flatMap(({ iccids }) => iccids))
  for (const { description, type, iccids } of airalo.orders) {
    const count = type === 'topup' ? 1 : iccids.filter((iccid) => !refunded.has(iccid)).length
    add('airalo', description ?? '', count)
  }
  return held
}
