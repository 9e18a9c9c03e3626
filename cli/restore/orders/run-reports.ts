/** The reports of an order's run: its activities' inputs and results outlive the database. */
import type { z } from 'zod'
import { dayOf } from '../../../shared/calendar.ts'
import { type RefundReason, refundReasonOf } from '../../../workflows/order/order.contract.ts'
import { orderInputs, orderResults } from '../history-forms.ts'
import type { OrderRun } from '../order-runs.ts'
import { findCompleted, findLastCompleted, hasCompleted, type RecordedActivity, readAs } from '../run-history.ts'
import type { KnownRefunds } from './rebuild-refunds.ts'

const inputForms = new Map<string, z.ZodType>(Object.entries(orderInputs))
const resultForms = new Map<string, z.ZodType>(Object.entries(orderResults))

/**
 * Reads all of an order's activities that a restore reads: one with another form is found before a row is changed.
 * @throws HistoryUnreadable
 */
export function checkOrderActivities(activities: readonly RecordedActivity[]): void {
  for (const { type, input, completed } of activities) {
    const [inputForm, resultForm] = [inputForms.get(type), resultForms.get(type)]
    if (inputForm) readAs(inputForm, input)
    if (resultForm && completed) readAs(resultForm, completed.result)
  }
}

/** Whether a run has refunded its order's payment, by what it has reported. */
export const hasRefunded = ({ activities }: OrderRun): boolean => hasCompleted(activities, 'refundPayment')

/** Why a run has refunded its order. */
export function refundReason(run: OrderRun): RefundReason {
  const asked = run.activities.findLast(({ type, input }) => type === 'refundPayment' && input)
  return refundReasonOf(asked?.input?.reason) ?? 'not_delivered_in_time'
}

/** The refund, as the run has recorded it. */
export function ownRefund(run: OrderRun): KnownRefunds['own'] {
  const refunded = findLastCompleted(run.activities, 'refundPayment')
  const result = refunded && readAs(orderResults.refundPayment, refunded.completed.result)
  const at = refunded?.at ?? new Date()
  const creditNotes = (result?.creditNotes ?? []).map((number) => ({
    number,
    issuedOn: result?.issuedOn?.[number] ?? dayOf(at),
    creditedMinor: result?.creditedMinor?.[number],
  }))
  return { reason: refundReason(run), at, creditNotes, isTakenBack: result?.isTakenBack === true }
}

export interface Delivery {
  at: Date
  /** the day of its invoice: builds that do not say it had no other days than those in UTC */
  issuedOn: string
  invoiceNumber: string | undefined
}

/**
 * What `recordDelivery` has answered. Earlier builds dated a delivery by the time at which the workflow asked for it.
 */
export function readDelivery(asOf: Date, result: unknown): Delivery {
  const { deliveredAt: at = asOf, invoiceNumber, issuedOn = dayOf(at) } = readAs(orderResults.recordDelivery, result)
  return { at, issuedOn, invoiceNumber }
}

/** The delivery, as the run has recorded it. @returns undefined when it has not delivered its order */
export function deliveryOf(activities: readonly RecordedActivity[]): Delivery | undefined {
  const recorded = findCompleted(activities, 'recordDelivery')
  return recorded && readDelivery(recorded.at, recorded.completed.result)
}

/** The run has asked providers, and has not returned what they hold. */
export const mayHoldEsims = (run: OrderRun): boolean =>
  provisionings(run).length > 0 && !hasCompleted(run.activities, 'releaseProvision')

/** The attempts of a run to get its eSIMs, the oldest first. */
export const provisionings = (run: OrderRun): RecordedActivity[] =>
  run.activities.filter(({ type }) => type === 'provision')

/** The random values from which the references at providers were computed. */
export const referencesOf = (run: OrderRun): string[] =>
  provisionings(run).flatMap(({ input }) => (typeof input?.reference === 'string' ? [input.reference] : []))
