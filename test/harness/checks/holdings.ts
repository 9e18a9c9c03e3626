/** The eSIMs that we hold for each order, according to the eSIM providers' simulators. */
import type { ProviderOrders } from '../../../db/connection/schema.ts'
import type { Stack } from '../../../dev/stack.ts'
import { readSold } from './provider-books.ts'

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
  const held = heldByReference(await readSold(stack.sims))
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
function heldByReference(sold: Awaited<ReturnType<typeof readSold>>): Map<string, number> {
  const held = new Map<string, number>()
  for (const { provider, reference, kind, esims } of sold) {
    const key = `${provider} ${reference}`
    const count = kind === 'top_up' ? 1 : esims.filter((esim) => esim.held).length
    held.set(key, (held.get(key) ?? 0) + count)
  }
  return held
}
