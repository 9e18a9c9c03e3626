/** What an order's run has reported: its activities' inputs and results outlive the database. */
import { type OrderActivities, type RefundReason, refundReasonOf } from '../../../workflows/order/order.contract.ts'
import type { OrderRun } from '../order-runs.ts'
import { findLastCompleted, hasCompleted, type RecordedActivity } from '../run-history.ts'
import type { KnownRefunds } from './rebuild-refunds.ts'

/** Whether a run has refunded its order's payment, by what it has reported. */
export const hasRefunded = ({ activities }: OrderRun): boolean => hasCompleted(activities, 'refundPayment')

/** Why a run has refunded its order. */
export function refundReason(run: OrderRun): RefundReason {
  const asked = run.activities.findLast(({ type, input }) => type === 'refundPayment' && input)
  return refundReasonOf(asked?.input?.reason) ?? 'not_delivered_in_time'
}

/** What a run has reported of its refund. */
export function ownRefund(run: OrderRun): KnownRefunds['own'] {
  const refunded = findLastCompleted(run.activities, 'refundPayment')
  const result = refunded?.completed.result as RefundResult | null | undefined
  const at = refunded?.at ?? new Date()
  const dayOfNote = (number: string): Date => {
    const day = result?.issuedOn?.[number]
    return day === undefined ? at : new Date(day)
  }
  const creditNotes = (result?.creditNotes ?? []).map((number) => ({ number, at: dayOfNote(number) }))
  return { reason: refundReason(run), at, creditNotes, isTakenBack: result?.isTakenBack === true }
}

type RefundResult = Partial<NonNullable<Awaited<ReturnType<OrderActivities['refundPayment']>>>>

/** What a run has reported of its delivery. Earlier builds dated it by the time at which the workflow asked for it. */
export function deliveryOf(asOf: Date, result: unknown): { at: Date; invoiceNumber: string | undefined } {
  const { deliveredAt, invoiceNumber } = (result ?? {}) as { deliveredAt?: string; invoiceNumber?: string }
  return { at: deliveredAt === undefined ? asOf : new Date(deliveredAt), invoiceNumber }
}

/** The run has asked providers, and has not returned what they hold. */
export const mayHoldEsims = (run: OrderRun): boolean =>
  provisionings(run).length > 0 && !hasCompleted(run.activities, 'releaseProvision')

export const provisionings = (run: OrderRun): RecordedActivity[] =>
  run.activities.filter(({ type }) => type === 'provision')

/** The random values from which the references at providers were computed. */
export const referencesOf = (run: OrderRun): string[] =>
  provisionings(run).flatMap(({ input }) => (typeof input?.reference === 'string' ? [input.reference] : []))
