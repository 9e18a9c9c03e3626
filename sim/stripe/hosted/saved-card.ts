import type Stripe from 'stripe'
import { newId } from '../account.ts'

/** The card of a payment, saved for its customer; the SDK's types check its fields. */
export function newSavedCard(created: number, charge: Stripe.Charge, customer: string): Stripe.PaymentMethod {
  const { brand, exp_month, exp_year, last4, country, fingerprint, funding } = charge.payment_method_details?.card ?? {}
  return {
    id: typeof charge.payment_method === 'string' ? charge.payment_method : newId('pm'),
    object: 'payment_method',
    allow_redisplay: 'always',
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    card: {
      brand: brand ?? 'visa',
      checks: null,
      country: country ?? null,
      display_brand: brand ?? 'visa',
      exp_month: exp_month ?? 12,
      exp_year: exp_year ?? 2034,
      fingerprint: fingerprint ?? null,
      funding: funding ?? 'credit',
      generated_from: null,
      last4: last4 ?? '4242',
      networks: { available: [brand ?? 'visa'], preferred: null },
      regulated_status: 'unregulated',
      three_d_secure_usage: { supported: true },
      wallet: null,
    },
    created,
    customer,
    customer_account: null,
    livemode: false,
    metadata: {},
    type: 'card',
  }
}
