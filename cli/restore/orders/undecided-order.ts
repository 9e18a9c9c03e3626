/** Orders of which a restore cannot tell what became: they are closed, and an operator decides. */
import { notAccepted } from '../../../activities/order/payment/payment-acceptance.ts'
import type { Database } from '../../../db/connection/database.ts'
import { raiseOperatorTask } from '../../../db/operator-tasks.ts'
import { findOrder, moveOrder } from '../../../db/order/orders.ts'

/** Statuses of which a run that is gone may have delivered the order. */
export const undelivered = ['awaiting_payment', 'in_review', 'provisioning'] as const
/** Why an order was closed that may have been delivered, and could not be rebuilt. */
export const closedByRestore = 'restore'
/** Why an order or payment is undecided: Temporal may have deleted the run that says what became of it. */
export const olderThanRuns = 'older_than_runs'

/** Closes an order that may have been delivered, so that nothing refunds it by itself. An operator decides. */
export async function closeUndecided(sql: Database, orderId: string, detail: string): Promise<void> {
  const at = new Date()
  const change = { status: 'cancelled', reason: notAccepted, ended_at: at } as const
  if (await moveOrder(sql, orderId, [...undelivered], change))
    await raiseOperatorTask(sql, { kind: notAccepted, subjectId: orderId, detail, at })
}

/** Undoes `closeUndecided`, as far as its run can be read now: the run brings the order to where it is. */
export async function reopenUndecided(sql: Database, orderId: string): Promise<void> {
  const order = await findOrder(sql, orderId)
  if (order?.status !== 'cancelled' || order.reason !== notAccepted) return
  const [closed] = await sql`select from attention where kind = ${notAccepted} and subject_id = ${orderId}
    and detail = ${closedByRestore} and resolved_at is null`
  if (!closed) return
  const status = order.paid_at ? 'provisioning' : 'awaiting_payment'
  await moveOrder(sql, orderId, ['cancelled'], { status, reason: null, ended_at: null })
}
