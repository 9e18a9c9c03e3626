/**
 * U2, paid means delivered or refunded: eSIMs that have gone back to their provider, and whose customer has not got the
 * money. A return is several calls, each of which may be refused, or have an answer that is lost.
 */
import type { Queryable } from '../../db/connection/database.ts'
import { raiseUnlessSettled } from '../../db/operator-tasks.ts'
import { countReturned, returnedNotRefunded } from '../../db/order/esims/returned-esims.ts'

/**
 * Makes an operator task of an order whose eSIMs have gone back, all or some, unless a refund was asked for with them.
 */
export async function raiseUnlessRefunded(sql: Queryable, orderId: string, at: Date): Promise<void> {
  const { returned, total, isRefunded } = await countReturned(sql, orderId)
  if (returned === 0 || isRefunded) return
  // Each later event of the order calls this again.
  const detail = `${returned} of ${total} eSIMs`
  await raiseUnlessSettled(sql, { kind: returnedNotRefunded, subjectId: orderId, detail, at })
}
