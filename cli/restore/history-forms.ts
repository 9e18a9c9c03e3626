/**
 * The forms of what runs and their activities were given, and of what the activities have answered, as far as a restore
 * reads it. A history with another form is unreadable: what it says is not guessed. Histories of earlier builds lack
 * what is optional here.
 */
import { z } from 'zod'
import { deletionReasons, erasureSteps, stepStates } from '../../policy/deletion.ts'
import { dayOf } from '../../shared/calendar.ts'
import type { DeletionInput, Erasure } from '../../workflows/account-deletion.contract.ts'
import {
  foundRefunds,
  type LateOutcome,
  type LeftToOperators,
  type OrderInput,
  type PaymentTruth,
  refundReasons,
} from '../../workflows/order/order.contract.ts'
import { type PartialRefundInput, partialRefundReasons } from '../../workflows/order/partial-refund.contract.ts'

/** A day or a time, in ISO 8601. */
const time = z.string().pipe(z.coerce.date())
/** of a document */
const day = time.transform(dayOf)

/** Inputs of runs. */
export const runInputs = {
  order: z.object({
    orderId: z.string(),
    accountId: z.string(),
    parentOrderId: z.string().nullable(),
    esimId: z.string().nullable(),
    packageCode: z.string(),
    quantity: z.number(),
    expectedAmount: z.object({ minor: z.number(), currency: z.string() }).optional(),
    performanceConsent: z.object({ version: z.string(), at: z.string() }).optional(),
    ipCountry: z.string().optional(),
    orderedAt: z.string().exactOptional(),
    savedCards: z.boolean(),
    hosted: z.boolean().exactOptional(),
    measurement: z.object({ adUserData: z.boolean(), adPersonalization: z.boolean() }),
  }) satisfies z.ZodType<OrderInput>,
  orderAftercare: z.object({ orderId: z.string() }),
  partialRefund: z.object({
    refundId: z.string(),
    orderId: z.string(),
    amountMinor: z.number().nullable(),
    reason: z.enum(partialRefundReasons),
    esims: z.enum(['kept', 'returned']),
  }) satisfies z.ZodType<PartialRefundInput>,
  signInEnded: z.object({ accountId: z.string(), endedAt: time }),
  accountDeletion: z.object({
    accountRef: z.string(),
    reason: z.enum(deletionReasons),
  }) satisfies z.ZodType<DeletionInput>,
}

const leftToOperators = z
  .object({ tasks: z.array(z.object({ kind: z.string(), detail: z.string().exactOptional() })) })
  .optional() satisfies z.ZodType<LeftToOperators | undefined>

/** Answers of an order's activities. */
export const orderResults = {
  withdrawEsims: leftToOperators,
  releaseProvision: leftToOperators,
  confirmPayment: z.discriminatedUnion('state', [
    z.object({ state: z.enum(['pending', 'cancelled']) }),
    z.object({
      state: z.literal('paid'),
      review: z.string().nullable(),
      deliverBy: z.iso.datetime().exactOptional(),
    }),
  ]) satisfies z.ZodType<PaymentTruth>,
  cancelPayment: z.enum(['cancelled', 'paid']),
  settleWithoutRun: z.discriminatedUnion('state', [
    z.object({ state: z.literal('settled') }),
    z.object({ state: z.literal('undecided'), askAt: z.string() }),
    z.object({ state: z.literal('refund'), reason: z.enum(refundReasons), holdsEsims: z.boolean() }),
  ]) satisfies z.ZodType<LateOutcome>,
  recordDelivery: z.object({
    livesUntil: z.string(),
    deliveredAt: time.optional(),
    invoiceNumber: z.string().optional(),
    issuedOn: day.optional(),
  }),
  refundPayment: z
    .object({
      creditNotes: z.array(z.string()),
      issuedOn: z.record(z.string(), day).optional(),
      creditedMinor: z.record(z.string(), z.int()).optional(),
      isTakenBack: z.boolean().optional(),
    })
    .optional(),
  recordRefundFailure: z.object({ reason: z.enum(refundReasons), found: z.enum(foundRefunds).optional() }).optional(),
  raiseAttention: z.object({ kind: z.string(), code: z.string().optional() }).optional(),
  watchEsims: z.object({ recorded: z.boolean() }).optional(),
}

/** The inputs of an order's activities. The history of a local activity does not have it. */
export const orderInputs = {
  openCheckout: z.object({ paymentDueAt: time.optional() }).optional(),
  cancelPayment: z.object({ status: z.enum(['cancelled', 'unpaid']), reason: z.string() }),
  recordRefundFailure: z.object({ code: z.string() }).optional(),
}

export const makePartialRefundResult = z
  .object({ creditNote: z.string().nullable(), issuedOn: day.optional(), creditedMinor: z.int().optional() })
  .optional()

const stepOutcome = z.object({ state: z.enum(stepStates), code: z.string().exactOptional() })

/** Answers of a deletion's activities. */
export const deletionResults = {
  /** It also completes when it refuses, or finds nobody. */
  eraseAccount: z.union([
    z.object({
      receiptId: z.string(),
      erasedAt: z.string(),
      backupsGoneBy: z.string(),
      pending: z.array(z.enum(erasureSteps)),
    }) satisfies z.ZodType<Erasure>,
    z.literal('in_use'),
    z.null(),
  ]),
  /** of each activity that does an erasure step, but for the payments */
  step: stepOutcome.optional(),
  settlePayments: z.object({ watch: z.boolean(), trouble: z.string().optional() }),
  leaveToOperator: stepOutcome.extend({ processor: z.enum(erasureSteps) }).optional(),
  completeDeletion: z.object({ complete: z.boolean() }),
}
