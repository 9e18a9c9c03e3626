/**
 * U2, paid means delivered or refunded: eSIMs that have gone back to their provider, and whose customer has not got the money.
 * A return is several calls, each of which may be refused, or have an answer that is lost.
 */
import type { Queryable } from '../../db/connection/database.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { countReturned } from '../../db/order/esims.ts'

/** Kind of the operator task: a part of the eSIMs, or a refund that was asked for with the return, has no price of its own. */
export const returnedNotRefunded = 'returned_not_refunded'

/** Makes an operator task of an order whose eSIMs have gone back, all or some, unless a refund was asked for with them. */
export async function raiseUnlessRefunded(sql: Queryable, orderId: string, at: Date): Promise<void> {
  const { returned, total, isRefunded } = await countReturned(sql, orderId)
  if (returned === 0 || isRefunded) return
  await raiseOperatorTask(sql, {
    kind: returnedNotRefunded,
    subjectId: orderId,
    detail: `${returned} of ${total} eSIMs`,
    at,
  })
}
