/**
 * A new Checkout Session with every field that API version 2026-10-28.endive always sends; the SDK's types check them.
 */
import type Stripe from 'stripe'

export interface SessionGiven {
  id: string
  created: number
  expiresAt: number
  amount: number
  currency: string
  customer: string | null
  reference: string | null
  locale: string | null
  metadata: Record<string, string>
  successUrl: string
  cancelUrl: string | null
  url: string
}

export const newSession = (given: SessionGiven): Stripe.Checkout.Session => ({
  id: given.id,
  object: 'checkout.session',
  adaptive_pricing: null,
  after_expiration: null,
  allow_promotion_codes: null,
  allowed_payment_method_types: null,
  amount_subtotal: given.amount,
  amount_total: given.amount,
  automatic_tax: { enabled: false, liability: null, provider: null, status: null },
  billing_address_collection: null,
  cancel_url: given.cancelUrl,
  client_reference_id: given.reference,
  client_secret: null,
  collected_information: null,
  consent: null,
  consent_collection: null,
  created: given.created,
  currency: given.currency,
  currency_conversion: null,
  custom_fields: [],
  custom_text: { after_submit: null, shipping_address: null, submit: null, terms_of_service_acceptance: null },
  customer: given.customer,
  customer_account: null,
  customer_creation: given.customer ? null : 'if_required',
  customer_details: null,
  customer_email: null,
  discounts: [],
  expires_at: given.expiresAt,
  integration_identifier: null,
  invoice: null,
  invoice_creation: null,
  livemode: false,
  locale: given.locale,
  managed_payments: null,
  metadata: given.metadata,
  mode: 'payment',
  origin_context: null,
  payment_intent: null,
  payment_link: null,
  payment_method_collection: 'if_required',
  payment_method_configuration_details: null,
  payment_method_options: {},
  payment_method_types: ['card'],
  payment_status: 'unpaid',
  permissions: null,
  recovered_from: null,
  saved_payment_method_options: null,
  setup_intent: null,
  shipping_address_collection: null,
  shipping_cost: null,
  shipping_options: [],
  status: 'open',
  submit_type: null,
  subscription: null,
  success_url: given.successUrl,
  total_details: { amount_discount: 0, amount_shipping: 0, amount_tax: 0 },
  ui_mode: 'hosted_page',
  url: given.url,
  wallet_options: null,
})
