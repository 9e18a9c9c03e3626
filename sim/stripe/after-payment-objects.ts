/** New refunds and disputes with all fields; the SDK's types check them, as in objects.ts. */
import type Stripe from 'stripe'
import { newId } from './account.ts'

export function newRefund(
  created: number,
  charge: Stripe.Charge,
  given: {
    amount: number
    reason: string | undefined
    metadata: Record<string, string>
    status: string
    pendingReason?: Stripe.Refund.PendingReason
  },
): Stripe.Refund {
  return {
    id: newId('re'),
    object: 'refund',
    amount: given.amount,
    balance_transaction: null,
    charge: charge.id,
    created,
    currency: charge.currency,
    customer: charge.customer,
    customer_account: null,
    destination_details: { card: { type: 'refund', reference_status: 'pending' }, type: 'card' },
    metadata: given.metadata,
    payment_intent: charge.payment_intent,
    payment_method: charge.payment_method,
    reason: given.reason ?? null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: given.status,
    transfer_reversal: null,
    ...(given.status === 'pending' ? { pending_reason: given.pendingReason ?? 'processing' } : {}),
  }
}

export function newDispute(
  created: number,
  charge: Stripe.Charge,
  given: { amount: number; reason: string; dueBy: number; networkReasonCode: string | null; inquiry: boolean },
): Stripe.Dispute {
  return {
    id: newId('du'),
    object: 'dispute',
    amount: given.amount,
    balance_transactions: [],
    charge: charge.id,
    created,
    currency: charge.currency,
    enhanced_eligibility_types: [],
    evidence: noEvidence(),
    evidence_details: {
      due_by: given.dueBy,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: null,
    is_charge_refundable: given.inquiry,
    livemode: false,
    metadata: {},
    payment_intent: charge.payment_intent,
    payment_method_details: {
      card: {
        brand: 'visa',
        case_type: given.inquiry ? 'inquiry' : 'chargeback',
        network: 'visa',
        network_reason_code: given.networkReasonCode,
      },
      type: 'card',
    },
    reason: given.reason,
    status: given.inquiry ? 'warning_needs_response' : 'needs_response',
  }
}

const noEvidence = (): Stripe.Dispute.Evidence => ({
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
})
