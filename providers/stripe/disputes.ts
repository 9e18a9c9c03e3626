/**
 * Disputes of payments. Sources: docs.stripe.com/api/disputes/object, docs.stripe.com/api/disputes/update,
 * docs.stripe.com/disputes/categories
 */
import type Stripe from 'stripe'
import { lookUp } from '../codes/meaning.ts'
import { disputeStatuses } from '../codes/stripe-values.ts'
import type { StripeClient } from './client.ts'
import { createPages, toTheEnd } from './pages.ts'

export interface Dispute {
  disputeId: string
  /** as codes/stripe-values.ts lists them; another one counts as undecided */
  status: string
  /** Stripe's code, such as `fraudulent` */
  reason: string
  /** the card network's code; missing for other ways of paying */
  networkReasonCode: string | null
  amountMinor: number
  /** ISO 4217, upper case */
  currency: string
  paymentIntentId: string | null
  /** ISO 8601; null when the bank takes no answer */
  dueBy: string | null
  /** evidence is staged or submitted */
  hasEvidence: boolean
  submissionCount: number
  /** the last submission was late, and the bank may not look at it */
  pastDue: boolean
  /** ISO 8601 */
  createdAt: string
  /** it is decided, or needs no decision */
  isOver: boolean
  /** the customer has the money for good: it was lost, or it was prevented by giving the money back */
  isTakenBack: boolean
  /** the bank waits for our evidence; an inquiry (`warning_*`) is answered like a dispute */
  awaitsEvidence: boolean
}

/**
 * Evidence for the bank. P2, the payment processor takes the payment: the evidence has no name, address, e-mail
 * address, IP address and no identifier of the eSIM, though Stripe has fields for some of them.
 */
export interface DisputeEvidence {
  productDescription: string
  serviceDate: string
  activityLog: string
  refundRefusal?: string
  remarks: string
}

export function createDisputes({ sdk, call, create, statusIn }: StripeClient) {
  const pages = createPages(call)

  function toDispute(dispute: Stripe.Dispute): Dispute {
    // Reports a status that no table has; it is stored as Stripe has it.
    statusIn('dispute', disputeStatuses, dispute.status, '')
    return read(dispute)
  }

  return {
    async getDispute(disputeId: string): Promise<Dispute> {
      return toDispute(await call('reads', () => sdk.disputes.retrieve(disputeId)))
    },

    /** The disputes of a payment, the newest first. */
    async listDisputes(paymentIntentId: string): Promise<Dispute[]> {
      const all = pages((page) => sdk.disputes.list({ ...page, payment_intent: paymentIntentId }))
      return (await toTheEnd(all)).map(toDispute)
    },

    /** Puts evidence beside a dispute, where an operator sees it. The bank gets nothing. */
    async stageEvidence(disputeId: string, evidence: DisputeEvidence, key: string): Promise<Dispute> {
      const parameters = { evidence: toEvidence(evidence), submit: false } satisfies Stripe.DisputeUpdateParams
      return toDispute(
        await create(key, (idempotencyKey) =>
          call('writes', () => sdk.disputes.update(disputeId, parameters, { idempotencyKey })),
        ),
      )
    },

    /** Sends the staged evidence to the bank, which takes it once. */
    async submitEvidence(disputeId: string, key: string): Promise<Dispute> {
      return toDispute(
        await create(key, (idempotencyKey) =>
          call('writes', () => sdk.disputes.update(disputeId, { submit: true }, { idempotencyKey })),
        ),
      )
    },

    /** Accepts a dispute: it is lost, and that cannot be taken back. */
    async acceptDispute(disputeId: string, key: string): Promise<Dispute> {
      return toDispute(
        await create(key, (idempotencyKey) =>
          call('writes', () => sdk.disputes.close(disputeId, {}, { idempotencyKey })),
        ),
      )
    },
  }
}

function read(dispute: Stripe.Dispute): Dispute {
  const status = lookUp(disputeStatuses, dispute.status)
  const { evidence_details: details, payment_intent: intent } = dispute
  return {
    disputeId: dispute.id,
    status: dispute.status,
    reason: dispute.reason,
    networkReasonCode: dispute.payment_method_details?.card?.network_reason_code ?? dispute.network_reason_code ?? null,
    amountMinor: dispute.amount,
    currency: dispute.currency.toUpperCase(),
    paymentIntentId: intent === null || typeof intent === 'string' ? intent : intent.id,
    // 0 as well as null: the bank takes no answer.
    dueBy: details.due_by ? new Date(details.due_by * 1000).toISOString() : null,
    hasEvidence: details.has_evidence,
    submissionCount: details.submission_count,
    pastDue: details.past_due,
    createdAt: new Date(dispute.created * 1000).toISOString(),
    isOver: status?.lasts === 'final',
    isTakenBack: dispute.status === 'lost' || (dispute.status === 'prevented' && isResolved(dispute)),
    awaitsEvidence: status?.answers === true && details.submission_count === 0,
  }
}

/**
 * Whether a rule of ours resolved the dispute, which refunds the payment. A prevented dispute was either resolved, or
 * blocked when the bank was shown the purchase (docs.stripe.com/changelog/basil/2025-08-27/add-preventions-to-dispute,
 * docs.stripe.com/disputes/get-started/prevention).
 */
const isResolved = (dispute: Stripe.Dispute): boolean =>
  dispute.payment_method_details?.card?.case_type === 'resolution'

const toEvidence = (evidence: DisputeEvidence): Stripe.DisputeUpdateParams.Evidence => ({
  product_description: evidence.productDescription,
  service_date: evidence.serviceDate,
  access_activity_log: evidence.activityLog,
  ...(evidence.refundRefusal === undefined ? {} : { refund_refusal_explanation: evidence.refundRefusal }),
  uncategorized_text: evidence.remarks,
})
