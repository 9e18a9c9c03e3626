/** An order on the pages of the person who has it. */
import { numberOrNull } from '../../../db/connection/bigints.ts'
import type { Queryable } from '../../../db/connection/database.ts'
import { findOrder, type OrderRow } from '../../../db/order/orders.ts'
import type { Visitor } from '../../http/caller.ts'
import { Problem } from '../../http/problem.ts'

/** @throws Problem not_found, also for the order of another person */
export async function ownOrder(sql: Queryable, id: string, { accountId }: Visitor): Promise<OrderRow> {
  const order = await findOrder(sql, id)
  if (order?.account_id !== accountId) throw new Problem('not_found')
  return order
}

/** What the package of an order holds. @param daily the codes of packages with a volume for each day */
export const holdsOf = ({ package_code: code, data_bytes: bytes, days }: OrderRow, daily: ReadonlySet<string>) => ({
  dataBytes: numberOrNull(bytes),
  daily: daily.has(code),
  days,
})
