/** An order that cannot be rebuilt: its payment is refunded, its eSIM returned if unused, and the books keep it. */
import { sellerAndTax } from '../../../activities/order/invoice.ts'
import { destinationOf } from '../../../activities/order/payment/payment.ts'
import { placementReference } from '../../../activities/order/placement-reference.ts'
import { insertItem, type LostOrderPlan } from '../../../db/backup/restores.ts'
import type { Packages } from '../../../db/connection/schema.ts'
import { isErased } from '../../../db/erasure/deletion-ledger.ts'
import { insertFact, settleFact } from '../../../db/order/books.ts'
import type { HeldPlacement } from '../../../db/order/placements.ts'
import { isIssued, restoreDocument } from '../../../db/order/restored-documents.ts'
import { evidenceOf } from '../../../policy/vat.ts'
import type { Payment } from '../../../providers/stripe/payments.ts'
import { dayIn } from '../../../shared/calendar.ts'
import { hasCompleted } from '../run-history.ts'
import type { RepeatingContext } from '../until-answered.ts'
import type { Loss, RunFacts } from './rebuild-order.ts'
import { findNotes, listTakenBack, restoreNotes } from './rebuild-refunds.ts'
import { deliveryOf, mayHoldEsims, ownRefund, provisionings, referencesOf } from './run-reports.ts'

interface FactsOfLost extends Omit<RunFacts, 'payment'> {
  payment: Payment | undefined
}

/** Writes what the books keep of a lost order, and the items by which its payment and its eSIMs are settled. */
export async function leaveLostOrder(
  context: RepeatingContext,
  restoreId: string,
  facts: FactsOfLost,
  loss: Loss,
): Promise<void> {
  const { sql, cipher } = context
  const { run, payment } = facts
  if (!payment || payment.status === 'canceled') return
  // A person who was erased keeps what was delivered, and nobody owes them anything: their deletion had not ended the
  // run yet.
  if (keepsDelivery(run) && (await isErased(sql, cipher.accountRef(run.input.accountId)))) {
    await keepBooks(context, { ...facts, payment })
    return
  }
  const books = payment.paidAt === undefined ? noBooks : await keepBooks(context, { ...facts, payment })
  const plan: LostOrderPlan = {
    paymentIntentId: payment.paymentIntentId,
    orderId: run.orderId,
    ...books,
    placement: null,
  }
  await insertItem(sql, restoreId, {
    kind: 'payment',
    subjectId: payment.paymentIntentId,
    detail: loss,
    // A refund from before the restore is settled by comparing, too: it can still fail.
    outcome: 'to_settle',
    plan,
  })
  for (const placement of heldBy(facts)) {
    await insertItem(sql, restoreId, {
      kind: 'provider_order',
      subjectId: `${placement.provider}:${placement.orderNo ?? placement.clientRef}`,
      detail: loss,
      outcome: 'to_settle',
      plan: { ...plan, ...noBooks, paymentIntentId: null, placement },
    })
  }
}

const keepsDelivery = ({ activities }: RunFacts['run']): boolean =>
  hasCompleted(activities, 'recordDelivery') &&
  !activities.some(({ type }) => type === 'startRefund' || type === 'refundPayment')

const noBooks = { factId: null, invoiceNumber: null }

async function keepBooks(
  context: RepeatingContext,
  { run, payment, partialRefunds }: FactsOfLost & { payment: Payment },
): Promise<Pick<LostOrderPlan, 'factId' | 'invoiceNumber'>> {
  const { sql, config, stripe } = context
  const { packageCode, quantity } = run.input
  const [sold] = await sql<Packages[]>`select * from packages where code = ${packageCode}`
  const paidAt = new Date(payment.paidAt ?? payment.createdAt)
  const facts = {
    packageName: sold?.name ?? packageCode,
    destination: sold ? destinationOf(sold.destinations) : '',
    quantity,
    grossMinor: payment.amountMinor,
    currency: payment.currency,
  }
  const delivered = deliveryOf(run.activities)
  const number = delivered?.invoiceNumber ?? null
  const own = ownRefund(run)
  const takenBack = await listTakenBack(context, payment, own)
  // One that has bounced is none at Stripe any more, and has its credit note.
  const mayHaveRefunds = payment.refundedMinor > 0 || own.creditNotes.length > 0
  const made = mayHaveRefunds ? await stripe.listRefunds(payment.paymentIntentId) : []
  const refunds = [...takenBack, ...made]
  return await sql.begin(async (tx) => {
    // The dump has the books of an order that it has as delivered.
    if (number !== null && (await isIssued(tx, number))) return { factId: null, invoiceNumber: number }
    const factId = await insertFact(tx, facts, dayIn(config.SELLER_TIME_ZONE, paidAt))
    if (delivered) await settleFact(tx, factId, 'delivered')
    if (!delivered || number === null) return { factId, invoiceNumber: null }
    const document = {
      ...facts,
      issuedOn: delivered.issuedOn,
      suppliedOn: delivered.issuedOn,
      ...sellerAndTax(
        config,
        { card_country: evidenceOf(payment.cardCountry), ip_country: run.input.ipCountry ?? null },
        delivered.issuedOn,
      ),
      paymentKind: payment.methodKind,
      orderId: null,
    }
    await restoreDocument(tx, { ...document, number, kind: 'invoice', documentKey: 'invoice', corrects: null })
    const notes = await findNotes(tx, refunds, { partialRefunds, own })
    await restoreNotes(tx, number, notes, null)
    return { factId, invoiceNumber: number }
  })
}

/** Placements that providers hold, or may hold, for a lost order. */
function heldBy({ run, placed }: Pick<RunFacts, 'run' | 'placed'>): HeldPlacement[] {
  if (!mayHoldEsims(run) || run.input.parentOrderId) return []
  const asked = provisionings(run)
  const common = {
    packageCode: run.input.packageCode,
    quantity: run.input.quantity,
    days: null,
    placedAfter: (asked[0]?.at ?? run.startedAt).toISOString(),
    esimRefs: null,
  }
  if (placed.length > 0)
    return placed.map(({ provider, clientRef, orderNo }) => ({ ...common, provider, clientRef, orderNo }))
  const [reference] = referencesOf(run)
  if (reference === undefined || asked.some(({ completed }) => completed)) return []
  // eSIM Access shows an order only once it is allocated.
  const provider = 'esim-access'
  return [{ ...common, provider, clientRef: placementReference(reference, provider, 1), orderNo: null }]
}
