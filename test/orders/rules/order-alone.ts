/** An order that is being provisioned as a row alone: no run and no payment belongs to it. */
import { randomUUID } from 'node:crypto'
import { insertOrder } from '../../../db/order/orders.ts'
import type { Offer } from '../../../db/order/placements.ts'
import { plainOrder } from '../../erasure/plain-order.ts'
import type { Harness } from '../../harness/harness.ts'

/** What such an order may be placed for. */
export const anyOffer: Offer = {
  provider: 'airalo',
  provider_package_code: 'any',
  cost_micros: null,
  daily: false,
  kind: 'base',
  destinations: ['DE'],
}

/** @returns the order's id */
export async function orderAlone({ context: { sql }, signUp }: Harness): Promise<string> {
  const { accountId } = await signUp()
  const id = randomUUID()
  await insertOrder(sql, plainOrder({ id, accountId, at: new Date() }))
  await sql`update orders set status = 'provisioning', paid_at = now() where id = ${id}`
  return id
}
