/**
 * The money invariant: a paid order is delivered or refunded, or its run is open; nobody is charged twice, nothing is
 * provisioned twice without being returned, and document numbers have no gaps and no duplicates. The state of the
 * simulators is taken as true, and our database is checked against it.
 */
import type { Attention, OrderFacts, Orders } from '../../../db/connection/schema.ts'
import type { Stack } from '../../../dev/stack.ts'
import type { StripeState } from '../../../sim/stripe.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { refundIdOf } from '../../../workflows/order/partial-refund.contract.ts'
import { type Document, faultsInDocuments, readDocuments } from './documents.ts'
import { type Held, readHoldings } from './holdings.ts'

export interface OrderBooks {
  orderId: string
  status: string
  isTopUp: boolean
  quantity: number
  grossMinor: number
  wasDelivered: boolean
  /** an open run may still change everything except charges */
  runIsOpen: boolean
  /** the kinds of the order's operator tasks */
  attention: string[]
  payments: {
    id: string
    status: string
    receivedMinor: number
    charges: number
    refundedMinor: number
    /** of it by partial refunds of ours */
    partialMinor: number
    hasFailedRefund: boolean
    /** what banks have taken back by disputes that were lost */
    takenBackMinor: number
  }[]
  held: Held
  /** eSIMs of a delivered order that went back with a partial refund */
  returned: number
  documents: Document[]
  fact: { outcome: string; refundedMinor: number; grossMinor: number } | undefined
}

/** @throws with all faults */
export async function checkBooks(stack: Stack): Promise<void> {
  const faults = await faultsInBooks(stack)
  if (faults.length > 0) throw new Error(`${faults.length} fault(s) in the books:\n  ${faults.join('\n  ')}`)
}

/** Of an order whose eSIM its provider has ended, and with it the data of its top-ups. */
const endedByProvider = 'esim_ended_by_provider'

/** All faults in the books. */
async function faultsInBooks(stack: Stack): Promise<string[]> {
  const { orders, strays } = await readBooks(stack)
  return [...strays, ...orders.flatMap(faultsInOrder), ...(await faultsInDocuments(stack.context.sql))]
}

/** The faults of one order. */
function faultsInOrder(order: OrderBooks): string[] {
  const faults: string[] = []
  const isWrong = (wrong: boolean, what: string): void => {
    if (wrong) faults.push(`order ${order.orderId} (${order.status}): ${what}`)
  }
  const { payments, held, quantity, grossMinor, documents, fact } = order
  const paid = payments.filter(({ status }) => status === 'succeeded')
  const receivedMinor = sum(paid.map((payment) => payment.receivedMinor))
  const hasStatus = (...statuses: string[]): boolean => statuses.includes(order.status)
  // Of an order that is to be refunded, the customer has from the bank what the dispute was about.
  const takenBackMinor = hasStatus('refunded') ? sum(payments.map((payment) => payment.takenBackMinor)) : 0
  const refundedMinor = sum(payments.map((payment) => payment.refundedMinor)) + takenBackMinor
  const isPaid = paid.length > 0
  const wanted = order.isTopUp ? 1 : quantity

  isWrong(paid.length > 1 || paid.some(({ charges }) => charges > 1), 'charged more than once')
  isWrong(isPaid && receivedMinor !== grossMinor, `received ${receivedMinor} for ${grossMinor}`)
  isWrong(refundedMinor > receivedMinor, `refunded ${refundedMinor} of ${receivedMinor}`)
  isWrong(held.esims > wanted, `${held.esims} eSIMs or top-ups held, ${wanted} ordered`)

  if (hasStatus('awaiting_payment')) isWrong(isPaid && !order.runIsOpen, 'paid, and its run is closed')
  if (hasStatus('cancelled', 'unpaid')) {
    const isOperators = order.attention.includes('payment_not_accepted')
    isWrong(isPaid && !isOperators, 'paid, but closed as not paid')
  }
  if (hasStatus('awaiting_payment', 'cancelled', 'unpaid')) isWrong(held.esims > 0, 'provisioned without payment')
  else isWrong(!isPaid, 'not paid')
  if (hasStatus('in_review', 'provisioning', 'refunding', 'refund_failed'))
    isWrong(!order.runIsOpen, 'its run is closed')

  if (hasStatus('delivered', 'ended')) {
    isWrong(held.esims !== wanted - order.returned, `holds ${held.esims} of ${wanted}`)
    const partialMinor = sum(payments.map((payment) => payment.partialMinor))
    const isElsewhere = order.attention.includes('refund_made_elsewhere')
    isWrong(refundedMinor !== partialMinor && !isElsewhere, `refunded ${refundedMinor}`)
    isWrong(
      fact?.outcome !== 'delivered' || fact.refundedMinor !== refundedMinor,
      `the books have ${fact?.outcome}, refunded ${fact?.refundedMinor}`,
    )
  }
  if (hasStatus('refunded')) {
    isWrong(refundedMinor !== receivedMinor, `refunded ${refundedMinor} of ${receivedMinor}`)
    isWrong(fact?.outcome !== 'refunded' || fact.refundedMinor !== grossMinor, 'the books have no refund')
    const isOperators = ['provider_order_unreturned', endedByProvider]
    const given = held.esims === 0 || order.attention.some((kind) => isOperators.includes(kind))
    isWrong(!given && !(order.runIsOpen && held.pending), `${held.esims} eSIMs not returned`)
  }

  const invoices = documents.filter(({ kind }) => kind === 'invoice')
  const creditNotes = documents.filter(({ kind }) => kind === 'credit_note')
  isWrong(invoices.length !== (order.wasDelivered ? 1 : 0), `${invoices.length} invoices`)
  isWrong(invoices.length === 1 && invoices[0]?.grossMinor !== grossMinor, 'the invoice has another amount')
  const creditedMinor = -sum(creditNotes.map((note) => note.grossMinor))
  // A refund that failed stays credited, since the customer has a claim to it.
  const isCredited = payments.some(({ hasFailedRefund }) => hasFailedRefund)
    ? creditedMinor >= refundedMinor
    : creditedMinor === refundedMinor || hasStatus('refunding')
  isWrong(order.wasDelivered ? !isCredited : creditedMinor !== 0, `credited ${creditedMinor} of ${refundedMinor}`)
  isWrong(creditedMinor > grossMinor, `credited ${creditedMinor} of ${grossMinor}`)
  isWrong(
    creditNotes.some((note) => note.corrects !== invoices[0]?.number),
    'a credit note that does not correct the invoice',
  )
  return faults
}

/** Each order in our books and at the outside parties, and payments or eSIMs without an order. */
export async function readBooks(stack: Stack): Promise<{ orders: OrderBooks[]; strays: string[] }> {
  const { sql } = stack.context
  const stripe = await stack.sims.stripe.state()
  const rows = await sql<OrderFields[]>`
    select o.id, o.status, o.quantity, o.gross_minor, o.parent_order_id, o.delivered_at,
      (select count(*)::int from esims e where e.order_id = o.id and e.state = 'cancelled'
        and e.return_asked_at is not null) as returned,
      f.outcome, f.refunded_minor, f.gross_minor as fact_gross_minor
    from orders o left join order_facts f on f.id = o.fact_id`
  const attention = await sql<Pick<Attention, 'kind' | 'subject_id'>[]>`select kind, subject_id from attention`
  const [{ holdings, strays }, documents, open] = await Promise.all([
    readHoldings(stack),
    readDocuments(sql),
    openRuns(stack),
  ])
  const ids = new Set(rows.map(({ id }) => id))
  const paidForNothing = stripe.paymentIntents
    .filter(({ status, metadata }) => status === 'succeeded' && !ids.has(metadata.order_id ?? ''))
    .map(({ id }) => `payment ${id} belongs to no order`)
  const orders = rows.map((row) => ({
    orderId: row.id,
    status: row.status,
    isTopUp: row.parent_order_id !== null,
    quantity: row.quantity,
    grossMinor: row.gross_minor,
    wasDelivered: row.delivered_at !== null,
    runIsOpen: open.has(orderWorkflowId(row.id)) || open.has(orderAftercareWorkflowId(row.id)),
    attention: attention
      .filter(({ subject_id: id, kind }) => id === row.id || (id === row.parent_order_id && kind === endedByProvider))
      .map(({ kind }) => kind),
    payments: stripe.paymentIntents
      .filter(({ metadata }) => metadata.order_id === row.id)
      .map((payment) => paymentBooks(stripe, payment)),
    returned: row.returned,
    held: holdings.get(row.id) ?? { esims: 0, pending: false },
    documents: documents.get(row.id) ?? [],
    fact:
      row.outcome === null
        ? undefined
        : { outcome: row.outcome, refundedMinor: row.refunded_minor ?? 0, grossMinor: row.fact_gross_minor ?? 0 },
  }))
  return { orders, strays: [...strays, ...paidForNothing] }
}

type OrderFields = Pick<Orders, 'id' | 'status' | 'quantity' | 'gross_minor' | 'parent_order_id' | 'delivered_at'> & {
  [Column in 'outcome' | 'refunded_minor']: OrderFacts[Column] | null
} & { fact_gross_minor: OrderFacts['gross_minor'] | null; returned: number }

function paymentBooks(
  { charges, refunds, disputes }: StripeState,
  { id, status, amount_received }: StripeState['paymentIntents'][number],
) {
  const ofPayment = refunds.filter((refund) => refund.payment_intent === id)
  const effective = ofPayment.filter(({ status }) => status !== 'failed' && status !== 'canceled')
  return {
    id,
    status,
    receivedMinor: amount_received,
    charges: charges.filter((charge) => charge.payment_intent === id && charge.status === 'succeeded').length,
    refundedMinor: sum(effective.map(({ amount }) => amount)),
    partialMinor: sum(effective.filter(({ metadata }) => refundIdOf(metadata?.refund_key)).map(({ amount }) => amount)),
    hasFailedRefund: effective.length < ofPayment.length,
    takenBackMinor: sum(
      disputes
        .filter(({ payment_intent, status }) => payment_intent === id && status === 'lost')
        .map(({ amount }) => amount),
    ),
  }
}

async function openRuns(stack: Stack): Promise<Set<string>> {
  const open = new Set<string>()
  for await (const { workflowId } of stack.temporal.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
    open.add(workflowId)
  }
  return open
}

const sum = (amounts: number[]): number => amounts.reduce((total, amount) => total + amount, 0)
