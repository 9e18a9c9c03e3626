/** The operator task of refunds that the bank has not settled for a month. */
import type { Queryable } from '../../../db/connection/database.ts'
import { closedByOperatorAt, raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { isOnItsWay, listRefunds, type RefundRow } from '../../../db/order/refunds.ts'
import { periods } from '../../../policy/periods.ts'

export const refundUnsettled = 'refund_unsettled'

export const areOlder = (refunds: readonly Pick<RefundRow, 'created_at'>[], ms: number, at: Date): boolean =>
  refunds.every(({ created_at }) => +created_at < +at - ms)

/** Whether no refund of an order can fail any more. */
export const isPastFailing = (refunds: readonly RefundRow[], at: Date): boolean =>
  refunds.length > 0 && areOlder(refunds, periods.order.refundSettlesWithinMs, at)

/**
 * Tells operators that refunds of an order are late. Of those that were late when an operator settled the task, it is
 * no news that they still are.
 */
export async function raiseUnsettled(sql: Queryable, orderId: string, at: Date): Promise<void> {
  const task = { kind: refundUnsettled, subjectId: orderId, at }
  const closedAt = await closedByOperatorAt(sql, task)
  if (closedAt) {
    const late = (await listRefunds(sql, orderId)).filter((refund) => isOnItsWay(refund) && isPastFailing([refund], at))
    if (late.every((refund) => isPastFailing([refund], closedAt))) return
  }
  await raiseOperatorTask(sql, task)
}
