/**
 * Withdrawals that were stated after the dump: the statement counts from its time, and a run states it only once, so
 * that nobody could state it again. The name and the language of the statement are those of the account, as the API
 * suggests.
 */
import type { Client } from '@temporalio/client'
import type { Context } from '../../context.ts'
import { findAccount } from '../../db/accounts.ts'
import { insertItem } from '../../db/backup/restores.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { findOrder, type OrderRow } from '../../db/order/orders.ts'
import { canWithdrawFrom, findWithdrawal, openWithdrawal, stateWithdrawal } from '../../db/order/withdrawals.ts'
import { defaultLanguage } from '../../messages/languages.ts'
import { textsOf } from '../../messages/texts.ts'
import { refundDueAfter } from '../../shared/withdrawal-period.ts'
import { withdrawalType, withdrawalWorkflowId } from '../../workflows/order/withdrawal.contract.ts'
import type { IsolateFailure } from './failure-isolation.ts'
import { type IsWanted, openSince } from './order-runs.ts'
import { findCompleted, listHistories, type RunHistory } from './run-history.ts'

interface WithdrawalOptions {
  restoreId: string
  since: Date
  isolate: IsolateFailure
  isWanted: IsWanted
}

/** Writes the withdrawals that were stated after a time, as their runs have them. Repeatable. */
export async function rebuildWithdrawals(
  context: Context,
  temporal: Client,
  { restoreId, since, isolate, isWanted }: WithdrawalOptions,
): Promise<void> {
  const { sql } = context
  const query = `WorkflowType = '${withdrawalType}' AND ${openSince(since)}`
  const orderOf = (workflowId: string): string => workflowId.slice(withdrawalWorkflowId('').length)
  const histories = await listHistories(temporal, query, {
    isolate,
    isWanted: (workflowId) => isWanted(orderOf(workflowId)),
    read: (history) => history,
  })
  for (const { workflowId, found } of histories) {
    const history = found?.result
    if (history) await isolate({ kind: 'run', subjectId: workflowId }, () => rebuild(workflowId, history))
  }

  async function rebuild(workflowId: string, history: RunHistory): Promise<void> {
    const order = await findOrder(sql, orderOf(workflowId))
    if (!order) return
    const stated = await restate(order, history)
    if (stated)
      await insertItem(sql, restoreId, { kind: 'run', subjectId: order.id, outcome: 'rebuilt', detail: withdrawalType })
    await raiseTasks(order, history)
  }

  /** @returns whether a statement was written that the dump does not have */
  async function restate(order: OrderRow, { activities }: RunHistory): Promise<boolean> {
    const recorded = findCompleted(activities, 'recordWithdrawal')
    const known = await findWithdrawal(sql, context, order)
    if (!recorded || known?.statedAt) return false
    const account = await findAccount(sql, context, order.account_id)
    const name = known?.name ?? `${account?.firstName} ${account?.lastName}`
    const statement =
      known?.statement ??
      textsOf(account?.language ?? defaultLanguage).t('purchase.withdrawal.statement', { order: order.id })
    await openWithdrawal(sql, context, order, { name, statement, at: recorded.at })
    return stateWithdrawal(sql, order.id, recorded.at)
  }

  /** The operator tasks that the run has made, unless the money was given back. */
  async function raiseTasks(order: OrderRow, { activities, failedWith }: RunHistory): Promise<void> {
    if (!canWithdrawFrom.includes(order.status)) return
    const left = findCompleted(activities, 'leaveWithdrawalToOperator')
    const statedAt = (await findWithdrawal(sql, context, order))?.statedAt
    const task = { subjectId: order.id, detail: 'restore' }
    if (left && statedAt)
      await raiseOperatorTask(sql, {
        ...task,
        kind: 'withdrawal_unsettled',
        at: left.at,
        dueAt: refundDueAfter(statedAt),
      })
    if (failedWith === 'WithdrawalRightLost' && !statedAt && !order.performance_consent)
      await raiseOperatorTask(sql, { ...task, kind: 'withdrawal_after_use', at: new Date() })
  }
}
