/** New objects with every field that API version 2026-10-28.endive always sends; the SDK's types check them. */
import type Stripe from 'stripe'
import { newId } from './account.ts'

export function newCustomer(created: number, metadata: Record<string, string>): Stripe.Customer {
  return {
    id: newId('cus'),
    object: 'customer',
    balance: 0,
    created,
    currency: null,
    default_source: null,
    description: null,
    email: null,
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata,
    name: null,
    phone: null,
    shipping: null,
  }
}

export function newPaymentIntent(
  created: number,
  given: {
    amount: number
    currency: string
    customer: string | null
    metadata: Record<string, string>
    areCards?: boolean
  },
): Stripe.PaymentIntent {
  const id = newId('pi')
  return {
    id,
    object: 'payment_intent',
    allowed_payment_method_types: given.areCards ? ['card'] : null,
    amount: given.amount,
    amount_capturable: 0,
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    automatic_payment_methods: given.areCards ? null : { allow_redirects: 'always', enabled: true },
    canceled_at: null,
    cancellation_reason: null,
    capture_method: 'automatic_async',
    client_secret: `${id}_${newId('secret')}`,
    confirmation_method: 'automatic',
    created,
    currency: given.currency,
    customer: given.customer,
    customer_account: null,
    description: null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    metadata: given.metadata,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: {},
    payment_method_types: ['card'],
    payment_record: null,
    processing: null,
    receipt_email: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_group: null,
  }
}

export interface ChargeOutcome {
  paid: boolean
  riskLevel: string
  /** only accounts with Radar for Fraud Teams get a score */
  riskScore?: number | undefined
  declineCode?: string | undefined
}

export function newCharge(
  created: number,
  intent: Stripe.PaymentIntent,
  details: Stripe.Charge.PaymentMethodDetails,
  { paid, riskLevel, riskScore, declineCode }: ChargeOutcome,
): Stripe.Charge {
  return {
    id: newId('ch'),
    object: 'charge',
    amount: intent.amount,
    amount_captured: paid ? intent.amount : 0,
    amount_refunded: 0,
    application: null,
    application_fee: null,
    application_fee_amount: null,
    balance_transaction: null,
    billing_details: { address: null, email: null, name: null, phone: null, tax_id: null },
    calculated_statement_descriptor: 'AMA ESIM',
    captured: paid,
    created,
    currency: intent.currency,
    customer: intent.customer,
    description: null,
    disputed: false,
    failure_balance_transaction: null,
    failure_code: paid ? null : 'card_declined',
    failure_message: paid ? null : 'The card was declined.',
    fraud_details: {},
    livemode: false,
    metadata: { ...intent.metadata },
    on_behalf_of: null,
    outcome: {
      advice_code: null,
      network_advice_code: null,
      network_decline_code: null,
      network_status: paid ? 'approved_by_network' : 'declined_by_network',
      reason: paid ? null : (declineCode ?? 'generic_decline'),
      risk_level: riskLevel,
      ...(riskScore === undefined ? {} : { risk_score: riskScore }),
      seller_message: paid ? 'Payment complete.' : 'The bank declined the payment.',
      type: paid ? 'authorized' : 'issuer_declined',
    },
    paid,
    payment_intent: intent.id,
    payment_method: newId('pm'),
    payment_method_details: details,
    receipt_email: null,
    receipt_number: null,
    receipt_url: null,
    refunded: false,
    review: null,
    shipping: null,
    source: null,
    source_transfer: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: paid ? 'succeeded' : 'failed',
    transfer_data: null,
    transfer_group: null,
  }
}

/** The card, with its wallet when a phone's wallet paid. */
export function cardDetails(
  method: string,
  fingerprint: string,
  country: string | null = 'DE',
): Stripe.Charge.PaymentMethodDetails {
  const wallets: Record<string, Stripe.Charge.PaymentMethodDetails.Card.Wallet> = {
    apple_pay: { apple_pay: {}, dynamic_last4: '4242', type: 'apple_pay' },
    google_pay: { google_pay: {}, dynamic_last4: '4242', type: 'google_pay' },
  }
  return {
    type: 'card',
    card: {
      amount_authorized: null,
      authorization_code: null,
      brand: 'visa',
      checks: { address_line1_check: null, address_postal_code_check: null, cvc_check: 'pass' },
      country,
      electronic_commerce_indicator: null,
      exp_month: 12,
      exp_year: 2034,
      fingerprint,
      funding: 'credit',
      installments: null,
      last4: '4242',
      mandate: null,
      network: 'visa',
      network_transaction_id: null,
      regulated_status: 'unregulated',
      three_d_secure: null,
      transaction_link_id: null,
      wallet: wallets[method] ?? null,
    },
  }
}
