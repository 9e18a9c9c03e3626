/** Brings an order's rows to where its run is: the effects of what the run has completed. docs/restore.md has the table. */
import { invoiceOf } from '../../activities/order/invoice.ts'
import { factsOf, newOrder } from '../../activities/order/payment/payment.ts'
import { notAccepted, objectionTo } from '../../activities/order/payment/payment-acceptance.ts'
import { placementReference } from '../../activities/order/placement-reference.ts'
import type { Context } from '../../context.ts'
import { restoreUndecided } from '../../db/backup/restores.ts'
import type { PackageOffers, Packages } from '../../db/connection/schema.ts'
import { tableEncryption } from '../../db/crypto/column-encryption.ts'
import { installTokenColumns } from '../../db/crypto/install-token.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { recordDelivered, recordPaid, settleFact } from '../../db/order/books.ts'
import { insertEsims, listEsims, noteReturnAsked, setEsimState } from '../../db/order/esims.ts'
import { findOrder, insertOrder, moveOrder, type OrderRow } from '../../db/order/orders.ts'
import {
  deleteSuperseded,
  insertLostPlacement,
  listPlacements,
  movePlacement,
  type Placement,
} from '../../db/order/placements.ts'
import { restoreDocument } from '../../db/order/restored-documents.ts'
import { evidenceOf } from '../../policy/vat.ts'
import type { EsimProviderId, ProvidedEsim } from '../../providers/esim.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import type { OpenPage } from '../../providers/stripe/hosted.ts'
import type { Payment } from '../../providers/stripe/payments.ts'
import {
  type LateOutcome,
  type OrderActivities,
  type OrderStatus,
  type RefundReason,
  refundReasonOf,
} from '../../workflows/order/order.contract.ts'
import { limitOf } from '../../workflows/order/order-states.ts'
import type { OrderRun } from './order-runs.ts'
import { ownOrderOf, type PlacedOrder } from './own-order.ts'
import { type PartialRefund, redoReturns } from './partial-refunds.ts'
import { type KnownRefunds, rebuildRefunds } from './rebuild-refunds.ts'
import type { RecordedActivity } from './run-history.ts'
import type { RepeatingContext } from './until-answered.ts'

/** Kind of the operator task of a refund that the processor has refused or failed. */
const refundFailed = 'refund_failed'

/** Why an order cannot be rebuilt. */
export type Loss = 'account_lost' | 'package_unknown' | 'first_order_lost'

/** The payment of an order, which is read only where something of it is needed. */
export interface OrderPayment {
  /** undefined: the run never got as far as a payment */
  id: string | undefined
  /** @throws when the processor does not say what it is */
  read(): Promise<Payment | undefined>
  /** The same for what can be done without: an operator is told when the processor does not say what it is. */
  readIfShown(): Promise<Payment | undefined>
}

export interface RunFacts {
  run: OrderRun
  payment: OrderPayment
  /** the page on which nobody has paid yet; undefined: there is none */
  page?: OpenPage | undefined
  placed: PlacedOrder[]
  partialRefunds: readonly PartialRefund[]
}

/** @returns why the order cannot be rebuilt, if it cannot */
export async function rebuildOrder(context: RepeatingContext, facts: RunFacts): Promise<Loss | undefined> {
  const { run, placed, partialRefunds } = facts
  const { sql } = context
  const { orderId } = run
  if (!(await findOrder(sql, orderId))) {
    const payable = (await facts.payment.read()) ?? facts.page
    if (!payable) return undefined
    const loss = await insertLostOrder(context, run, payable)
    if (loss) return loss
  }
  for (const activity of run.activities) {
    const order = await findOrder(sql, orderId)
    if (order) await redo(order, activity)
  }
  const order = await findOrder(sql, orderId)
  if (order && mayHoldEsims(run)) await keepOpenPlacements(context, order, run, placed)
  if (!order) return undefined
  const payment = await paymentAtEnd(order)
  if (!payment) return undefined
  // Saved cards belong to it. Without it they would stay at Stripe when the account is erased.
  if (payment.customerId !== null)
    await sql`update accounts set stripe_customer_id = ${payment.customerId}
      where id = ${order.account_id} and stripe_customer_id is null`
  await redoReturns(context, order, partialRefunds)
  await rebuildRefunds(context, order, payment, { partialRefunds, own: ownRefund(run) })
  return undefined

  /** The payment sweep reads the refunds that were made at the processor; those of our runs have numbers of ours. */
  async function paymentAtEnd(order: OrderRow): Promise<Payment | undefined> {
    const isRefunded = order.status.startsWith('refund') || partialRefunds.length > 0 || hasRefunded(run)
    return isRefunded ? facts.payment.read() : facts.payment.readIfShown()
  }

  /** The effect of an activity on the database. One that the dump has already changes nothing. */
  async function redo(order: OrderRow, { type, input, at, completed }: RecordedActivity): Promise<void> {
    if (!completed) return
    const result = completed.result as Record<string, unknown> | string | null | undefined
    switch (type) {
      case 'confirmPayment':
        return rebuildPayment(order, result as { state: string; review?: string | null }, at)
      case 'cancelPayment': {
        if (result !== 'cancelled') return
        const { status, reason } = input as { status: OrderStatus; reason: string }
        await moveOrder(sql, orderId, ['awaiting_payment'], { status, reason, ended_at: at })
        return
      }
      case 'startProvisioning': {
        const deliver_by = limitOf('provisioning', at)
        await moveOrder(sql, orderId, ['in_review'], { status: 'provisioning', reason: null, deliver_by })
        return
      }
      case 'provision':
        return rebuildProvided(context, order, run, placed, at)
      case 'recordDelivery': {
        const { at: deliveredAt, invoiceNumber } = deliveryOf(at, result)
        return rebuildDelivery(context, order, deliveredAt, invoiceNumber)
      }
      case 'withdrawEsims':
        for (const { id } of await listEsims(context, order)) await noteReturnAsked(sql, id, at)
        return setEsimState(sql, orderId, 'cancelled', at)
      case 'startRefund':
      case 'recordRefundFailure': {
        const status = type === 'startRefund' ? 'refunding' : 'refund_failed'
        const from = ['in_review', 'provisioning', 'delivered', 'refunding', 'refunded', 'refund_failed'] as const
        const reason =
          order.reason && order.paid_at && order.status.startsWith('refund') ? order.reason : refundReason(run)
        await moveOrder(sql, orderId, [...from], { status, reason, ended_at: null })
        if (type === 'recordRefundFailure') await raiseAgain(refundFailed, (input?.code as string) ?? 'restore', at)
        return
      }
      case 'settleWithoutRun': {
        const late = result as LateOutcome
        if (late.state === 'refund') await rebuildLateRefund(order, late.reason, at)
        return
      }
      case 'releaseProvision':
        for (const { id } of await listPlacements(sql, orderId))
          await movePlacement(sql, id, ['placing', 'placed', 'provided', 'releasing'], { state: 'released' })
        return setEsimState(sql, orderId, 'cancelled', at)
      case 'refundPayment': {
        const reason = refundReason(run)
        await moveOrder(sql, orderId, ['refunding', 'refund_failed'], { status: 'refunded', reason })
        await resolveOperatorTask(sql, { kind: refundFailed, subjectId: orderId, by: 'order', at })
        return
      }
      case 'raiseAttention': {
        const raised = result as { kind?: string; code?: string } | null | undefined
        if (raised?.kind !== undefined) await raiseAgain(raised.kind, raised.code, at)
        return
      }
      case 'watchEsims':
        if ((result as { recorded?: boolean } | null)?.recorded)
          await moveOrder(sql, orderId, ['delivered'], { status: 'ended', ended_at: at })
        return
      case 'endOrder': {
        const ended: OrderStatus =
          order.status === 'refunded' ? 'refunded' : order.parent_order_id ? 'delivered' : 'ended'
        await moveOrder(sql, orderId, [order.status], { status: ended, ended_at: at })
        return
      }
      default:
    }
  }

  /** What aftercare has begun to refund: an order that was paid late, or one that its run has left without an outcome. */
  async function rebuildLateRefund(order: OrderRow, reason: RefundReason, at: Date): Promise<void> {
    const refunding = { status: 'refunding', reason, ended_at: null } as const
    const notRecorded = ['awaiting_payment', 'unpaid', 'cancelled'] as const
    if (!notRecorded.some((status) => status === order.status)) {
      await moveOrder(sql, orderId, ['in_review', 'provisioning', 'delivered', 'refund_failed'], refunding)
      return
    }
    const paid = await facts.payment.read()
    if (!paid) return
    const recorded = {
      ...refunding,
      payment_kind: paid.methodKind,
      card_country: evidenceOf(paid.cardCountry),
      paid_at: at,
      deliver_by: null,
    }
    await sql.begin((tx) => recordPaid(tx, orderId, factsOf(order), recorded, [...notRecorded]))
  }

  /** A task of the run that the dump has in no state. An operator may have settled it since; no record says so. */
  async function raiseAgain(kind: string, detail: string | undefined, at: Date): Promise<void> {
    const known = await sql`select from attention where kind = ${kind} and subject_id = ${orderId}`
    if (known.length === 0) await raiseOperatorTask(sql, { kind, subjectId: orderId, detail, at })
  }

  async function rebuildPayment(
    order: OrderRow,
    { state, review = null }: { state: string; review?: string | null },
    at: Date,
  ): Promise<void> {
    if (order.status !== 'awaiting_payment' || state === 'pending') return
    const paid = await facts.payment.read()
    if (!paid) return
    if (state === 'paid') {
      const recorded = {
        status: review ? 'in_review' : 'provisioning',
        reason: review,
        payment_kind: paid.methodKind,
        paid_at: at,
        card_country: evidenceOf(paid.cardCountry),
        deliver_by: review ? null : limitOf('provisioning', at),
      } as const
      await sql.begin((tx) => recordPaid(tx, orderId, factsOf(order), recorded))
      return
    }
    const objection = state === 'cancelled' && objectionTo(paid, order)
    if (!objection) return
    await raiseOperatorTask(sql, { kind: notAccepted, subjectId: orderId, detail: objection, at })
    await moveOrder(sql, orderId, ['awaiting_payment'], { status: 'cancelled', reason: notAccepted, ended_at: at })
  }
}

const hasRefunded = ({ activities }: OrderRun): boolean =>
  activities.some(({ type, completed }) => type === 'refundPayment' && completed)

function refundReason(run: OrderRun): RefundReason {
  const asked = run.activities.findLast(({ type, input }) => type === 'refundPayment' && input)
  return refundReasonOf(asked?.input?.reason) ?? 'not_delivered_in_time'
}

/** What a run has reported of its refund. */
export function ownRefund(run: OrderRun): KnownRefunds['own'] {
  const refunded = run.activities.findLast(({ type, completed }) => type === 'refundPayment' && completed)
  const result = refunded?.completed?.result as RefundResult | null | undefined
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
  provisionings(run).length > 0 &&
  !run.activities.some(({ type, completed }) => type === 'releaseProvision' && completed)

export const provisionings = (run: OrderRun): RecordedActivity[] =>
  run.activities.filter(({ type }) => type === 'provision')

/** The random values from which the references at providers were computed. */
export const referencesOf = (run: OrderRun): string[] =>
  provisionings(run).flatMap(({ input }) => (typeof input?.reference === 'string' ? [input.reference] : []))

async function insertLostOrder(
  context: Context,
  run: OrderRun,
  payable: Payment | OpenPage,
): Promise<Loss | undefined> {
  const { sql, cipher, dataKeys } = context
  const { input, startedAt } = run
  const [account] = await sql`select from accounts where id = ${input.accountId}`
  if (!account) return 'account_lost'
  const [sold] = await sql<Packages[]>`select * from packages where code = ${input.packageCode}`
  if (!sold) return 'package_unknown'
  if (input.parentOrderId && !(await findOrder(sql, input.parentOrderId))) return 'first_order_lost'
  const fields = tableEncryption(cipher, await dataKeys.get(sql, input.accountId), 'orders')
  const opened = run.activities.find(({ type }) => type === 'openCheckout')?.input as
    | { paymentDueAt?: string }
    | undefined
  const order = newOrder(input, sold, {
    gross_minor: payable.amountMinor,
    currency: payable.currency,
    // A payment that is known need not be read on its page.
    ...('sessionId' in payable
      ? { payment_intent_id: null, payment_client_secret: null, checkout_session_id: payable.sessionId }
      : {
          payment_intent_id: payable.paymentIntentId,
          payment_client_secret: fields.seal('payment_client_secret', payable.clientSecret),
          checkout_session_id: null,
        }),
    customer_session_secret: null,
    // A purchase that was measured under the lost id must not be measured again.
    measurement_event_id: null,
    created_at: new Date(input.orderedAt ?? startedAt),
    payment_due_at: opened?.paymentDueAt ? new Date(opened.paymentDueAt) : limitOf('awaiting_payment', startedAt),
  })
  await insertOrder(sql, order)
  return undefined
}

/** The placements and eSIMs of a run that has them. */
async function rebuildProvided(
  context: RepeatingContext,
  order: OrderRow,
  run: OrderRun,
  placed: PlacedOrder[],
  at: Date,
): Promise<void> {
  const { sql } = context
  const known = await listPlacements(sql, order.id)
  if (known.some(({ state }) => ['provided', 'releasing', 'released'].includes(state))) return
  if (order.parent_order_id) return rebuildTopUp(context, order, run, at)
  const own = ownOrderOf(referencesOf(run), placed)
  if (own && !known.some(({ state }) => state === 'placed')) {
    const placement =
      known.find(({ client_ref }) => client_ref === own.clientRef) ?? (await newerPlacement(context, order, own, at))
    await movePlacement(sql, placement.id, ['placing'], { state: 'placed', provider_order_no: own.orderNo })
  }
  for (const placement of await listPlacements(sql, order.id)) {
    if (placement.state !== 'placed' || !placement.provider_order_no) continue
    const esims = await esimsOf(context, placement.provider, placement.provider_order_no)
    if (!esims) break
    await insertEsims(context, order, placement, esims.slice(0, order.quantity))
    return
  }
  // They went back: nobody needs them.
  if (!mayHoldEsims(run) || run.activities.some(({ type, completed }) => type === 'withdrawEsims' && completed)) return
  await raiseOperatorTask(sql, { kind: restoreUndecided, subjectId: order.id, detail: 'provider_order_unknown', at })
}

/** @returns undefined when the provider does not know the order any more, of which the run has the eSIMs */
async function esimsOf(
  { esimProviders }: RepeatingContext,
  provider: EsimProviderId,
  orderNo: string,
): Promise<ProvidedEsim[] | undefined> {
  try {
    return await esimProviders[provider].getEsims(orderNo)
  } catch (error) {
    if (isProviderFailure(error) && (error.kind === 'rejected' || error.code === 'still_allocating')) return undefined
    throw error
  }
}

async function rebuildTopUp(context: Context, order: OrderRow, run: OrderRun, at: Date): Promise<void> {
  const placement = await topUpPlacement(context, order, run, at)
  if (placement) await movePlacement(context.sql, placement.id, ['placing'], { state: 'provided' })
}

/** The request of a top-up; a run that goes on asks the provider whether it was applied. */
async function topUpPlacement(
  context: Context,
  order: OrderRow,
  run: OrderRun,
  at: Date,
): Promise<Placement | undefined> {
  const { sql } = context
  const [known] = await listPlacements(sql, order.id)
  const parent = order.parent_order_id ? await findOrder(sql, order.parent_order_id) : undefined
  const esim = parent && (await listEsims(context, parent)).find(({ id }) => id === order.esim_id)
  const [reference] = referencesOf(run)
  if (known || !esim || reference === undefined) return known
  const clientRef = placementReference(reference, esim.provider, 1)
  return lostPlacement(context, order, { provider: esim.provider, clientRef }, at)
}

/**
 * The requests whose answer the run waits for. eSIM Access shows an order only once it is allocated: its request is repeated
 * under its reference, by which it stays one order.
 */
async function keepOpenPlacements(
  context: Context,
  order: OrderRow,
  run: OrderRun,
  placed: PlacedOrder[],
): Promise<void> {
  const { sql } = context
  const at = provisionings(run)[0]?.at ?? run.startedAt
  if (order.parent_order_id) return void (await topUpPlacement(context, order, run, at))
  const known = await listPlacements(sql, order.id)
  const own = ownOrderOf(referencesOf(run), placed)
  const isKnown = known.some(({ client_ref, state }) => client_ref === own?.clientRef || isApplied.includes(state))
  if (own && !isKnown) await newerPlacement(context, order, own, at)
  if (own || known.length > 0) return
  const reference = referencesOf(run)[0]
  const provider = 'esim-access' satisfies EsimProviderId
  const [offer] = await sql<Pick<PackageOffers, 'provider'>[]>`
    select provider from package_offers where package_code = ${order.package_code} and provider = ${provider}`
  if (reference === undefined || !offer) return
  await lostPlacement(context, order, { provider, clientRef: placementReference(reference, provider, 1) }, at)
}

/** States of a request that its provider has applied. */
const isApplied: Placement['state'][] = ['placed', 'provided', 'releasing', 'released']

/** The request that the run has made since the dump, in place of one that the dump holds open. */
async function newerPlacement(context: Context, order: OrderRow, found: PlacedOrder, at: Date): Promise<Placement> {
  await deleteSuperseded(context.sql, order.id, found.clientRef)
  return lostPlacement(context, order, found, at)
}

async function lostPlacement(
  { sql }: Context,
  order: OrderRow,
  found: { provider: EsimProviderId; clientRef: string; orderNo?: string },
  at: Date,
): Promise<Placement> {
  const [offer] = await sql<Pick<PackageOffers, 'provider_package_code' | 'cost_micros'>[]>`
    select provider_package_code, cost_micros from package_offers
    where package_code = ${order.package_code} and provider = ${found.provider}`
  return insertLostPlacement(sql, order.id, {
    provider: found.provider,
    clientRef: found.clientRef,
    orderNo: found.orderNo ?? null,
    packageCode: offer?.provider_package_code ?? '',
    costMicros: found.orderNo === undefined ? (offer?.cost_micros ?? null) : null,
    placedAt: at,
  })
}

async function rebuildDelivery(
  context: Context,
  order: OrderRow,
  at: Date,
  invoiceNumber: string | undefined,
): Promise<void> {
  const { sql, cipher, dataKeys } = context
  if (order.status !== 'provisioning') return
  const key = await dataKeys.get(sql, order.account_id)
  const delivered = { delivered_at: at, ...installTokenColumns(cipher, key, order.id) }
  const document = invoiceOf(context.config, order, at)
  if (invoiceNumber === undefined) {
    // It gets a number of the restore, so it is issued today.
    await recordDelivered(sql, delivered, { ...document, issuedAt: new Date(), orderId: order.id })
    return
  }
  await sql.begin(async (tx) => {
    if (!(await moveOrder(tx, order.id, ['provisioning'], { ...delivered, status: 'delivered' }))) return
    if (order.fact_id) await settleFact(tx, order.fact_id, 'delivered')
    const invoice = { number: invoiceNumber, kind: 'invoice', documentKey: 'invoice', corrects: null } as const
    await restoreDocument(tx, { ...document, ...invoice, orderId: order.id })
  })
}
