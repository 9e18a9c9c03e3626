/** Disputes of orders, and the operator tasks about them. */
import type { Dispute } from '../../providers/stripe/disputes.ts'
import type { Queryable } from '../connection/database.ts'
import type { Disputes } from '../connection/schema.ts'
import {
  deleteOperatorTask,
  type NewOperatorTask,
  raiseUnlessSettled,
  resolveOperatorTask,
  type TaskAttributes,
} from '../operator-tasks.ts'

/** of PostgreSQL's `integer` */
const largestAmount = 2_147_483_647

/**
 * Stores what the processor says of a dispute. Two of its events may be handled at the same time, and the answer that
 * was read first be written last: what is decided is not undone by an answer that may be older than the decision.
 * @param orderId whose payment it is about
 * @param isReread the answer was read after what is stored had been written
 * @returns false when nothing was stored, and the processor has to be asked again
 */
export async function upsertDispute(
  sql: Queryable,
  orderId: string,
  dispute: Dispute,
  at: Date,
  { isReread = false } = {},
): Promise<boolean> {
  const row = {
    stripe_dispute_id: dispute.disputeId,
    order_id: orderId,
    state: dispute.status,
    opened_at: at,
    closed_at: dispute.isOver ? at : null,
    // A bank may reckon in a currency of small units. The operator task has every amount.
    amount_minor: dispute.amountMinor > largestAmount ? null : dispute.amountMinor,
    currency: dispute.currency,
    reason: dispute.reason,
    network_reason_code: dispute.networkReasonCode,
    due_by: dispute.dueBy === null ? null : new Date(dispute.dueBy),
    submission_count: dispute.submissionCount,
    past_due: dispute.pastDue,
    has_evidence: dispute.hasEvidence,
    taken_back: dispute.isTakenBack,
  } satisfies Partial<Disputes>
  const { stripe_dispute_id: _id, opened_at: _opened, closed_at: closedAt, ...changes } = row
  const submittedAt = dispute.submissionCount > 0 ? at : null
  const stored = await sql`insert into disputes ${sql({ ...row, evidence_submitted_at: submittedAt })}
    on conflict (stripe_dispute_id) do update
      set ${sql(changes)}, evidence_submitted_at = coalesce(disputes.evidence_submitted_at, ${submittedAt}::timestamptz),
        -- One that is decided, and told of again, has ended when it was decided.
        closed_at = case when disputes.closed_at < ${closedAt}::timestamptz and disputes.state = ${row.state}
          then disputes.closed_at else ${closedAt}::timestamptz end
      where disputes.closed_at is null or ${dispute.isOver || isReread}`
  return stored.count > 0
}

/**
 * Raises or resolves the operator tasks of a dispute, by what the processor says of it.
 * @param orderId undefined for an erased order: an operator must answer the bank, and no trace of a settled task may
 * stay
 */
export async function recordDisputeTasks(
  sql: Queryable,
  dispute: Dispute,
  orderId: string | undefined,
  at: Date,
): Promise<void> {
  const open = { kind: 'dispute_open', subjectId: dispute.disputeId }
  if (!dispute.isOver) {
    await raiseUnlessSettled(sql, disputeTask(dispute, orderId, at))
    return
  }
  if (orderId === undefined) return deleteOperatorTask(sql, open)
  await resolveOperatorTask(sql, { ...open, by: dispute.status, at })
  if (dispute.isTakenBack)
    await raiseUnlessSettled(sql, { kind: 'dispute_lost', subjectId: dispute.disputeId, at, attributes: { orderId } })
}

/** The task of an open dispute. The bank's date counts until evidence is submitted. */
function disputeTask(dispute: Dispute, orderId: string | undefined, at: Date): NewOperatorTask {
  const { amountMinor, currency, reason, networkReasonCode, status, submissionCount, pastDue, dueBy } = dispute
  const attributes: TaskAttributes = {
    ...(orderId !== undefined && { orderId }),
    amountMinor,
    currency,
    reason,
    networkReasonCode,
    status,
    evidence: evidenceOf(dispute),
    submissionCount,
    pastDue,
  }
  return {
    kind: 'dispute_open',
    subjectId: dispute.disputeId,
    detail: orderId === undefined ? 'erased' : reason,
    at,
    dueAt: dueBy !== null && submissionCount === 0 ? new Date(dueBy) : null,
    attributes,
  }
}

/** The task of a dispute whose order is being erased, by what is stored of it: the processor is not asked meanwhile. */
export function erasedDisputeTask(row: Disputes, at: Date): NewOperatorTask {
  return {
    kind: 'dispute_open',
    subjectId: row.stripe_dispute_id,
    detail: 'erased',
    at,
    dueAt: row.submission_count === 0 ? row.due_by : null,
    attributes: {
      amountMinor: row.amount_minor,
      currency: row.currency,
      reason: row.reason,
      networkReasonCode: row.network_reason_code,
      status: row.state,
      evidence: evidenceOf({ hasEvidence: row.has_evidence, submissionCount: row.submission_count }),
      submissionCount: row.submission_count,
      pastDue: row.past_due,
    },
  }
}

export type EvidenceState = 'none' | 'staged' | 'submitted'

/** How far the evidence of a dispute is: none, staged at Stripe, or submitted to the bank. */
export function evidenceOf({
  hasEvidence,
  submissionCount,
}: Pick<Dispute, 'hasEvidence' | 'submissionCount'>): EvidenceState {
  if (submissionCount > 0) return 'submitted'
  return hasEvidence ? 'staged' : 'none'
}

/**
 * Whether an eSIM has to be suspended: a dispute about its order or about one of its top-ups is open, or gave the money
 * back.
 */
export async function isDisputed(sql: Queryable, esim: { id: string; orderId: string }): Promise<boolean> {
  const rows = await sql`
    select 1 from disputes d join orders o on o.id = d.order_id
    where (o.id = ${esim.orderId} or o.esim_id = ${esim.id}) and (d.closed_at is null or d.taken_back) limit 1`
  return rows.length > 0
}

/** When a dispute about an eSIM has last begun or ended. */
export async function disputesChangedAt(
  sql: Queryable,
  esim: { id: string; orderId: string },
): Promise<Date | undefined> {
  const [row] = await sql<{ at: Date | null }[]>`
    select max(greatest(d.opened_at, d.closed_at)) as at from disputes d join orders o on o.id = d.order_id
    where o.id = ${esim.orderId} or o.esim_id = ${esim.id}`
  return row?.at ?? undefined
}

/** The disputes of an order, the latest first. */
export async function listDisputes(sql: Queryable, orderId: string): Promise<Disputes[]> {
  return sql<Disputes[]>`select * from disputes where order_id = ${orderId} order by opened_at desc, stripe_dispute_id`
}

/** Notes once that we have staged evidence. */
export async function noteEvidenceStaged(sql: Queryable, disputeId: string, at: Date): Promise<void> {
  await sql`update disputes set evidence_staged_at = coalesce(evidence_staged_at, ${at}), has_evidence = true
    where stripe_dispute_id = ${disputeId}`
}
