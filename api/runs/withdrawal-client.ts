/** Opens withdrawals, and states them by their runs. */
import type { ApiContext } from '../../context.ts'
import { findAccount } from '../../db/accounts.ts'
import type { OrderRow } from '../../db/order/orders.ts'
import { canWithdrawFrom, findWithdrawal, openWithdrawal } from '../../db/order/withdrawals.ts'
import type { Language } from '../../messages/languages.ts'
import { textsOf } from '../../messages/texts.ts'
import { asOneLine } from '../../shared/text/one-line.ts'
import { withdrawalPeriodEnds } from '../../shared/withdrawal-period.ts'
import { withdrawalStart, withdrawalStated } from '../../workflows/order/withdrawal.contract.ts'
import { orNotFound, Problem } from '../http/problem.ts'
import { startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'order_state_conflict', detail: 'The withdrawal was carried out.' } as const

/** Until when an order's contract can be withdrawn from; null when it cannot. */
export function withdrawableUntil(order: OrderRow, now: Date): Date | null {
  const end = withdrawalPeriodEnds(order.paid_at ?? order.created_at)
  return canWithdrawFrom.includes(order.status) && now < end ? end : null
}

export function createWithdrawalClient(api: ApiContext) {
  const { sql, temporal, config, cipher } = api
  return {
    /**
     * Opens a withdrawal, which changes nothing for the order. One that was stated stays as it is.
     * @param options.name default: the name of the one that is open, or of the account
     * @param options.language in which the customer reads the statement; default: that of the account
     * @throws Problem order_state_conflict, withdrawal_period_over
     */
    async open(order: OrderRow, { name, language }: { name?: string | undefined; language?: Language }): Promise<void> {
      const known = await findWithdrawal(sql, api, order)
      if (known?.statedAt) return
      const at = new Date()
      if (!canWithdrawFrom.includes(order.status))
        throw new Problem('order_state_conflict', { detail: `Reason: ${order.status}` })
      if (withdrawableUntil(order, at) === null) throw new Problem('withdrawal_period_over')
      const account = orNotFound(await findAccount(sql, api, order.account_id))
      const names = name ?? known?.name ?? asOneLine(`${account.firstName} ${account.lastName}`)
      const { t } = textsOf(language ?? account.language)
      const statement = t('purchase.withdrawal.statement', { order: order.id })
      await openWithdrawal(sql, api, order, { name: names, statement, at })
    },

    /** Confirms the open withdrawal of an order. To repeat it changes nothing. @throws Problem withdrawal_... */
    async confirm(order: OrderRow): Promise<void> {
      const known = await findWithdrawal(sql, api, order)
      if (!known) throw new Problem('withdrawal_not_opened')
      // A statement may have been written when its run had given up: then the repetition has it carried out.
      if (!known.statedAt || canWithdrawFrom.includes(order.status)) await state(order.id, order.account_id)
    },
  }

  /** Records the statement, once for each order, and has it carried out. @throws Problem withdrawal_... */
  async function state(orderId: string, accountId: string): Promise<void> {
    const start = withdrawalStart({ orderId, accountRef: cipher.accountRef(accountId) }, config.TEMPORAL_TASK_QUEUE)
    await startAndUpdate(temporal, withdrawalStated, start, ended)
  }
}
