/** Customers at Stripe, to whom saved cards belong. They hold no personal data. */
import type { Context } from '../../../context.ts'
import type { Accounts } from '../../../db/connection/schema.ts'
import { failure } from '../../../shared/failures.ts'
import { paymentFailureTypes, withFailureTypes } from '../../failures.ts'

export function createCustomers({ sql, cipher, stripe }: Pick<Context, 'sql' | 'cipher' | 'stripe'>) {
  async function makeCustomer(accountId: string, after = ''): Promise<string> {
    // Not the account reference: with it, Stripe's records could be joined with the deletion ledger.
    const accountRef = cipher.fingerprint('stripe-customer', accountId).toString('base64url')
    const customerId = await withFailureTypes(paymentFailureTypes, () =>
      stripe.createCustomer({ accountRef, idempotencyKey: `customer-${accountRef}${after}` }),
    )
    const kept = await sql`update accounts set stripe_customer_id = ${customerId} where id = ${accountId}`
    if (kept.count === 1) return customerId
    // The account was erased meanwhile, and its deletion did not know this customer.
    await withFailureTypes(paymentFailureTypes, () => stripe.deleteCustomer(customerId))
    throw failure('AccountMissing')
  }

  return {
    /** Finds or creates the customer of an account. */
    async customerOf(accountId: string): Promise<string> {
      const [known] = await sql<Pick<Accounts, 'stripe_customer_id'>[]>`
        select stripe_customer_id from accounts where id = ${accountId}`
      return known?.stripe_customer_id ?? makeCustomer(accountId)
    },

    /**
     * Creates another customer after Stripe has refused one as missing: it was deleted in the dashboard, with its cards.
     * @throws PaymentUnavailable for one that was not: one of Stripe's machines may not know it at the moment
     */
    async replaceCustomer(accountId: string, gone: string): Promise<string> {
      const state = await withFailureTypes(paymentFailureTypes, () => stripe.customerState(gone))
      if (state !== 'deleted') throw failure('PaymentUnavailable', { code: 'resource_missing' })
      return makeCustomer(accountId, `:after-${gone}`)
    },
  }
}
