/**
 * Refunds of an order and their credit notes: Stripe has all refunds, also those made at the dashboard, and the runs
 * have the numbers.
 */
import { takenBackBy } from '../../../activities/order/refunds/lost-disputes.ts'
import { leftOfPaid } from '../../../activities/order/refunds/refund.ts'
import { hasNotFailed, recordRefunds, refundedMinorOf } from '../../../activities/order/refunds/refund-records.ts'
import type { Transaction } from '../../../db/connection/database.ts'
import type { InvoiceLinks } from '../../../db/connection/schema.ts'
import { settleFact } from '../../../db/order/books.ts'
import type { OrderRow } from '../../../db/order/orders.ts'
import { listRefunds, noteCreditNote } from '../../../db/order/refunds.ts'
import { isIssued, restoreCreditNote } from '../../../db/order/restored-documents.ts'
import type { Payment } from '../../../providers/stripe/payments.ts'
import type { Refund } from '../../../providers/stripe/refunds.ts'
import { dayIn } from '../../../shared/calendar.ts'
import type { RefundReason } from '../../../workflows/order/order.contract.ts'
import { type Credited, type PartialRefund, redoReservation } from '../partial-refunds.ts'
import type { RepeatingContext } from '../until-answered.ts'

/** The refunds of an order that its runs know. */
export interface KnownRefunds {
  partialRefunds: readonly PartialRefund[]
  /** of the order's own run */
  own: {
    reason: RefundReason
    at: Date
    /** the numbers of all credit notes at the end of its refund */
    creditNotes: readonly ({ number: string; issuedOn: string } & Credited)[]
    /** a lost dispute has given the customer the money */
    isTakenBack: boolean
  }
}

/** Writes the refunds of an order as Stripe has them, with their credit notes. Repeatable. */
export async function rebuildRefunds(
  context: RepeatingContext,
  order: OrderRow,
  payment: Payment,
  known: KnownRefunds,
): Promise<void> {
  const { sql, stripe } = context
  const { partialRefunds, own } = known
  // A refund that has bounced is none at Stripe any more, and has its credit note all the same.
  const isNothing = payment.refundedMinor === 0 && own.creditNotes.length === 0 && !own.isTakenBack
  if (!order.paid_at || (isNothing && partialRefunds.length === 0)) return
  const takenBack = await listTakenBack(context, payment, own)
  const refunds = [...takenBack, ...(await stripe.listRefunds(payment.paymentIntentId))]
  await sql.begin(async (tx) => {
    for (const each of partialRefunds) await redoReservation(tx, order, payment, each, refunds)
    const credited = (await listRefunds(tx, order.id)).filter(({ credit_note }) => credit_note !== null)
    const notes = await findNotes(
      tx,
      refunds.filter(({ refundId }) => !credited.some(({ stripe_refund_id }) => stripe_refund_id === refundId)),
      known,
    )
    const [invoice] = await tx<Pick<InvoiceLinks, 'number'>[]>`
      select number from invoice_links where order_id = ${order.id} and document_key = 'invoice'`
    if (invoice) await restoreNotes(tx, invoice.number, notes, order.id)
    await recordRefunds(tx, order, refunds, {
      reason: order.reason ?? own.reason,
      at: own.at,
      issuedOn: dayIn(context.config.SELLER_TIME_ZONE, new Date()),
    })
    const rows = invoice ? await listRefunds(tx, order.id) : []
    for (const { refund, number } of notes) {
      const row = rows.find(({ stripe_refund_id }) => stripe_refund_id === refund.refundId)
      if (row) await noteCreditNote(tx, row.refund_key, number)
    }
    const isRefunded = order.status.startsWith('refund') && leftOfPaid(payment) <= refundedMinorOf(takenBack)
    const outcome = isRefunded ? 'refunded' : order.delivered_at ? 'delivered' : 'paid'
    if (order.fact_id) await settleFact(tx, order.fact_id, outcome, refundedMinorOf(refunds))
  })
}

/** The sums that banks have taken back by lost disputes, if the order's run has counted them as refunded. */
export const listTakenBack = async (
  { stripe }: RepeatingContext,
  payment: Payment,
  { isTakenBack }: Pick<KnownRefunds['own'], 'isTakenBack'>,
): Promise<Refund[]> =>
  isTakenBack ? takenBackBy(await stripe.listDisputes(payment.paymentIntentId), payment, leftOfPaid(payment)) : []

export interface KnownNote extends Credited {
  refund: Refund
  number: string
  issuedOn: string
}

/**
 * The numbers of the refunds' credit notes, as far as they are certain.
 * @param refunds without a credit note, the newest first, as Stripe lists them
 */
export async function findNotes(
  tx: Transaction,
  refunds: readonly Refund[],
  { partialRefunds, own }: KnownRefunds,
): Promise<KnownNote[]> {
  const found = new Map<Refund, KnownNote>()
  const accepted = refunds.filter(hasNotFailed).toReversed()
  for (const { refundKey, made } of partialRefunds) {
    const refund = refunds.find((each) => each.refundKey === refundKey)
    if (refund && made?.creditNote) {
      const { creditNote: number, issuedOn, creditedMinor } = made
      found.set(refund, { refund, number, issuedOn, creditedMinor })
    }
  }
  const taken = [...found.values()].map(({ number }) => number)
  const notes: KnownRefunds['own']['creditNotes'][number][] = []
  for (const note of own.creditNotes.toSorted(byNumber))
    if (!taken.includes(note.number) && !(await isIssued(tx, note.number))) notes.push(note)
  // Credit notes are issued in the order of the refunds: what is left over is newer than the last one that the run
  // knew.
  const others = accepted.filter((refund) => !found.has(refund))
  // The note of a refund that has bounced stays, and is that of the refund which is made in its place.
  const bounced = refunds.filter((refund) => !hasNotFailed(refund) && !found.has(refund)).toReversed()
  const noted = notes.length <= others.length ? others : [...bounced, ...others]
  if (notes.length <= noted.length)
    for (const [index, note] of notes.entries()) {
      const refund = noted[index]
      if (refund) found.set(refund, { refund, ...note })
    }
  return refunds.toReversed().flatMap((refund) => found.get(refund) ?? [])
}

/**
 * Writes credit notes again, in the order in which they were issued: the tax of each is what those before it have left.
 * The amount of one is not that of its refund, where another refund has bounced that was credited before.
 * @param orderId null when the account is lost
 */
export async function restoreNotes(
  tx: Transaction,
  invoiceNumber: string,
  notes: readonly KnownNote[],
  orderId: string | null,
): Promise<void> {
  for (const { refund, number, issuedOn, creditedMinor = refund.amountMinor } of notes.toSorted(byNumber))
    await restoreCreditNote(tx, { invoiceNumber, number, amountMinor: creditedMinor, issuedOn, orderId })
}

const byNumber = (a: { number: string }, b: { number: string }): number => (a.number < b.number ? -1 : 1)
