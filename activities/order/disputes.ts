/** Activities about disputes, in which the customer's bank takes a payment back. */
import { createHash } from 'node:crypto'
import type { Context } from '../../context.ts'
import { raiseUnlessSettled, resolveOperatorTask } from '../../db/operator-tasks.ts'
import { disputesChangedAt, isDisputed, listDisputes, noteEvidenceStaged } from '../../db/order/disputes.ts'
import { listEsimsServed, type StoredEsim, setEsimSuspended } from '../../db/order/esims.ts'
import { findOrder, findOrderOfPayment, type OrderRow } from '../../db/order/orders.ts'
import { raiseForEsim } from '../../db/order/part-tasks.ts'
import { givesMoneyBack, isPaidAnotherWay, listRefunds } from '../../db/order/refunds.ts'
import { sentAt } from '../../db/sends.ts'
import { milliseconds } from '../../policy/periods.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import type { Dispute, DisputeEvidence } from '../../providers/stripe/disputes.ts'
import { failureCode, failureType } from '../../shared/failures.ts'
import type { OrderActivities } from '../../workflows/order/order.contract.ts'
import {
  asFailure,
  esimFailureTypes,
  knownPaymentFailureTypes,
  paymentFailureTypes,
  sinceScheduledMs,
} from '../failures.ts'
import { type DisputedEsim, evidenceFor } from '../fraud/dispute-evidence.ts'
import { recordUntilCurrent } from './dispute-record.ts'
import { askAboutPayment } from './provider-alarm.ts'

type Activities = Pick<OrderActivities, 'recordDispute' | 'stageDisputeEvidence'>

/**
 * After this, operators are notified of an eSIM that does not stop or run as it should, and what its provider refuses
 * is final.
 */
const lateAfterMs = 6 * milliseconds.hour
/** Kind of the operator task of evidence that could not be staged. */
const unstaged = 'dispute_evidence_unstaged'

export function createDisputeActivities(context: Context): Activities {
  const { sql, stripe } = context

  return {
    /** Erased orders get operator tasks but no rows: an operator has to answer the bank. */
    async recordDispute({ orderId, disputeId, asOf }) {
      const at = new Date(asOf)
      const first = await askAboutPayment(context, () => stripe.getDispute(disputeId))
      const order = await orderOf(first, orderId)
      let later: unknown
      const dispute = await recordUntilCurrent(context, first, order?.id, at, async () => {
        later = order && (await suspendOrResume(order, at))
      })
      // The bank's date does not wait for the eSIM's provider, which is asked for days.
      if (later !== undefined && order?.id === orderId) await stageMeanwhile(order, dispute, at)
      if (later !== undefined) throw later
      // Another order's dispute changes nothing for the run that had the hint.
      if (order?.id !== orderId) return { needsEvidence: false, isOver: false }
      // The run repeats a refund that has failed once a dispute is over.
      const isOver = dispute.isOver && (dispute.isTakenBack || !(await isPaidAnotherWay(sql, order)))
      return { needsEvidence: await needsEvidence(order, dispute), isOver }
    },

    async stageDisputeEvidence({ orderId, disputeId, asOf }) {
      const at = new Date(asOf)
      const order = await findOrder(sql, orderId)
      // Nothing is left of an erased order that could be shown to the bank.
      if (!order) return
      const dispute = await askAboutPayment(context, () => stripe.getDispute(disputeId))
      const isIts = dispute.paymentIntentId !== null && dispute.paymentIntentId === order.payment_intent_id
      if (isIts && (await needsEvidence(order, dispute))) await stageEvidence(order, dispute, at)
      await resolveOperatorTask(sql, { kind: unstaged, subjectId: orderId, by: 'order', at })
    },
  }

  async function stageEvidence(order: OrderRow, { disputeId }: Dispute, at: Date): Promise<void> {
    if (!order.delivered_at) return
    const evidence = evidenceFor({
      order: { ...order, delivered_at: order.delivered_at },
      esims: await statesOf(order),
      mailAcceptedAt: await sentAt(sql, order.id, 'mail:confirmation'),
      refunds: (await listRefunds(sql, order.id)).filter(({ state }) => givesMoneyBack(state)),
    })
    // The same content has the same key: attempts at the same time are one.
    const content = createHash('sha256').update(JSON.stringify(evidence)).digest('base64url')
    const key = `dispute-${disputeId}:evidence-${content}`
    const staged = await stage(disputeId, evidence, key)
    if (staged) await recordUntilCurrent(context, staged, order.id, at, () => noteEvidenceStaged(sql, disputeId, at))
  }

  /** Stages evidence while the eSIM's provider is tried again: what fails here is tried again with it. */
  async function stageMeanwhile(order: OrderRow, dispute: Dispute, at: Date): Promise<void> {
    const task = { kind: unstaged, subjectId: order.id, at }
    try {
      if (await needsEvidence(order, dispute)) await stageEvidence(order, dispute, at)
      await resolveOperatorTask(sql, { ...task, by: 'order' })
    } catch (error) {
      const type = failureType(error)
      if (type === undefined) throw error
      if (type === paymentFailureTypes.rejected || sinceScheduledMs() >= lateAfterMs)
        await raiseUnlessSettled(sql, { ...task, detail: failureCode(error) }, new Date(dispute.createdAt))
    }
  }

  /**
   * The order whose payment is disputed, which may not be the order that the event names; undefined for a payment of
   * none, or of an erased one.
   */
  async function orderOf({ paymentIntentId }: Dispute, hintedId: string): Promise<OrderRow | undefined> {
    if (paymentIntentId === null) return undefined
    const order = await findOrder(sql, hintedId)
    if (order?.payment_intent_id === paymentIntentId) return order
    const owner = await findOrderOfPayment(sql, paymentIntentId)
    return owner === undefined ? undefined : findOrder(sql, owner)
  }

  /** @returns undefined when the dispute was decided meanwhile: Stripe takes no evidence then */
  async function stage(disputeId: string, evidence: DisputeEvidence, key: string): Promise<Dispute | undefined> {
    try {
      return await stripe.stageEvidence(disputeId, evidence, key)
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      if (!(await askAboutPayment(context, () => stripe.getDispute(disputeId))).awaitsEvidence) return undefined
      // Stripe has reported this dispute: "not found" is a passing failure.
      throw asFailure(error, error.code === 'resource_missing' ? knownPaymentFailureTypes : paymentFailureTypes)
    }
  }

  /** An operator may have staged other evidence, or removed ours: it is staged once. */
  async function needsEvidence(order: OrderRow, dispute: Dispute): Promise<boolean> {
    if (!order.delivered_at || !dispute.awaitsEvidence || dispute.hasEvidence) return false
    const known = await listDisputes(sql, order.id)
    return known.every((row) => row.stripe_dispute_id !== dispute.disputeId || row.evidence_staged_at === null)
  }

  /**
   * The states of the disputed eSIMs, as their provider has them now if it answers: a bank's date does not wait for it.
   */
  async function statesOf(order: OrderRow): Promise<DisputedEsim[]> {
    return Promise.all(
      (await listEsimsServed(context, order)).map(async (esim) => {
        const provider = context.esimProviders[esim.provider]
        const now = await provider.getStatus(esim.esimRef).catch((error: unknown) => {
          if (!isProviderFailure(error)) throw error
          return undefined
        })
        const used = BigInt(now?.usedBytes ?? 0)
        return {
          // The bank asks what was used: the state from before a suspension says it.
          state: now && now.state !== 'suspended' && now.state !== 'unknown' ? now.state : esim.state,
          activated_at: now?.activatedAt ? new Date(now.activatedAt) : esim.activatedAt,
          used_bytes: used > esim.usedBytes ? used : esim.usedBytes,
          total_bytes: esim.totalBytes,
        }
      }),
    )
  }

  /**
   * Decides by all disputes about an eSIM: of its order and of each of its top-ups.
   * @returns the failure of a provider that has to be asked again, if any
   */
  async function suspendOrResume(order: OrderRow, at: Date): Promise<unknown> {
    const orderId = order.parent_order_id ?? order.id
    const isLate = sinceScheduledMs() >= lateAfterMs
    const done = new Set<string>()
    const failed = new Set<string>()
    let later: unknown
    for (const esim of await listEsimsServed(context, order)) {
      if (esim.state === 'cancelled' || esim.state === 'expired') continue
      const tell = async (kind: string): Promise<void> => {
        failed.add(kind)
        const since = await disputesChangedAt(sql, { id: esim.id, orderId })
        await raiseForEsim(sql, { kind, subjectId: order.id, at }, { esims: [esim.id] }, since)
      }
      let isSuspended = esim.suspended
      // Another dispute about it may begin or end while the provider is asked.
      for (;;) {
        const suspended = await isDisputed(sql, { id: esim.id, orderId })
        if (isSuspended === suspended) break
        const kind = suspended ? 'esim_not_suspendable' : 'esim_not_resumable'
        try {
          if ((await askProvider(esim, suspended)) !== 'done') {
            await tell(kind)
            break
          }
          await setEsimSuspended(sql, esim.id, suspended)
          isSuspended = suspended
          done.add(kind)
        } catch (error) {
          if (isLate) await tell(kind)
          later ??= error
          break
        }
      }
    }
    // Of one of several eSIMs the task may be about the others.
    const resolved = isLate ? [...done].filter((kind) => !failed.has(kind)) : []
    for (const kind of resolved) await resolveOperatorTask(sql, { kind, subjectId: order.id, by: 'order', at })
    return later
  }

  /** @returns `unsupported` when the provider refuses it for good */
  async function askProvider(esim: StoredEsim, suspended: boolean): Promise<'done' | 'unsupported'> {
    const provider = context.esimProviders[esim.provider]
    try {
      return await (suspended ? provider.suspend(esim.esimRef) : provider.unsuspend(esim.esimRef))
    } catch (error) {
      if (!isProviderFailure(error)) throw error
      // The provider refuses because of the eSIM's state: it may have ended meanwhile. Any other refusal may pass, and
      // so may one that contradicts the state, for some hours.
      const isLate = sinceScheduledMs() >= lateAfterMs
      const isWrongState = error.code === 'wrong_state'
      const isFinal = isLate ? error.kind === 'rejected' || isWrongState : error.kind === 'rejected' && isWrongState
      if (isFinal) return 'unsupported'
      throw asFailure(error, esimFailureTypes)
    }
  }
}
