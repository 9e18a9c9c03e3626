/** The endpoints of balance, balance transactions and payouts. */
import type { Router } from 'express'
import { found } from './collection.ts'
import { text } from './parameters.ts'
import { invalidParameter } from './refusal.ts'
import { list, type Parts, pagination } from './routes.ts'

export function mountLedger(router: Router, { account, protocol, ledger }: Parts): void {
  protocol.endpoint(router, 'get', '/v1/balance', [], () => ledger.balance())

  const path = '/v1/balance_transactions'
  protocol.endpoint(router, 'get', path, [...pagination, 'currency', 'payout', 'source', 'type'], ({ parameters }) => {
    const payout = text(parameters, 'payout')
    // docs.stripe.com/api/balance_transactions/list: "for automatic payouts only".
    if (payout && !found(account.payouts, 'payout', payout).automatic) {
      const message = 'Balance transaction history can only be filtered on automatic payouts, not manual.'
      throw invalidParameter(undefined, 'payout', message)
    }
    const filters = ['currency', 'source', 'type', 'payout']
    return list(path, account.balanceTransactions, parameters, filters)
  })
  protocol.endpoint(router, 'get', `${path}/:id`, [], ({ id }) =>
    found(account.balanceTransactions, 'balance_transaction', id),
  )

  const filters = ['status', 'destination']
  protocol.endpoint(router, 'get', '/v1/payouts', [...pagination, ...filters, 'arrival_date'], ({ parameters }) =>
    list('/v1/payouts', account.payouts, parameters, filters),
  )
  protocol.endpoint(router, 'get', '/v1/payouts/:id', [], ({ id }) => found(account.payouts, 'payout', id))
}
