/**
 * U2, paid means delivered or refunded: money that a customer's bank has reclaimed for good. Stripe refunds nothing of
 * a disputed payment.
 */
import type { Context } from '../../../context.ts'
import { isProviderFailure } from '../../../providers/failure.ts'
import type { Dispute } from '../../../providers/stripe/disputes.ts'
import type { Payment } from '../../../providers/stripe/payments.ts'
import type { Refund } from '../../../providers/stripe/refunds.ts'
import { askAboutPayment } from '../provider-alarm.ts'

const prefix = 'dispute:'

/** Whether it is the key of money that a bank has taken back, among the keys of refunds. */
export const isTakenBack = (refundKey: string | null): boolean => refundKey?.startsWith(prefix) === true

/**
 * Asks for a refund of all that is left of a payment.
 * @returns what lost disputes have given back instead, the newest first; nothing when the refund was made
 * @throws the refusal, unless nothing is left then
 */
export async function refundUnlessTakenBack(
  context: Context,
  payment: Pick<Payment, 'paymentIntentId' | 'currency'>,
  leftMinor: number,
  askForRefund: () => Promise<unknown>,
): Promise<Refund[]> {
  try {
    await askForRefund()
    return []
  } catch (error) {
    if (!isProviderFailure(error, 'charge_disputed')) throw error
    const takenBack = await listTakenBack(context, payment, leftMinor)
    if (takenMinor(takenBack) < leftMinor) throw error
    return takenBack
  }
}

/** Reads what lost disputes have given back of a payment, as `takenBackBy` answers it. */
export async function listTakenBack(
  context: Context,
  payment: Pick<Payment, 'paymentIntentId' | 'currency'>,
  leftMinor: number,
): Promise<Refund[]> {
  const disputes = await askAboutPayment(context, () => context.stripe.listDisputes(payment.paymentIntentId))
  return takenBackBy(disputes, payment, leftMinor)
}

/**
 * The disputes of a payment that gave it back for good, as refunds, the newest first: the customer has this money back.
 * @param leftMinor what is left of the payment to refund
 */
export function takenBackBy(
  disputes: readonly Dispute[],
  { currency }: Pick<Payment, 'currency'>,
  leftMinor: number,
): Refund[] {
  let left = leftMinor
  return disputes.flatMap((dispute) => {
    // A bank may reckon in another currency; then an operator compares.
    if (!dispute.isTakenBack || dispute.currency !== currency) return []
    const amountMinor = Math.min(dispute.amountMinor, left)
    left -= amountMinor
    const { disputeId } = dispute
    return [{ refundId: disputeId, status: 'succeeded', amountMinor, refundKey: prefix + disputeId } as const]
  })
}

/** Whether nothing of a payment is left, because it was refunded or because its disputes were lost. */
export async function isFullyReturned(
  context: Context,
  payment: Pick<Payment, 'paymentIntentId' | 'currency' | 'disputed'>,
  leftMinor: number,
): Promise<boolean> {
  if (leftMinor <= 0) return true
  if (!payment.disputed) return false
  return takenMinor(await listTakenBack(context, payment, leftMinor)) >= leftMinor
}

const takenMinor = (refunds: Refund[]): number => refunds.reduce((sum, { amountMinor }) => sum + amountMinor, 0)
