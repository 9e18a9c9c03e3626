/**
 * The treatment of each type of run whose row may be newer than the dump. A new type does not compile without an entry.
 */
import { createPrivacyRequestActivities } from '../../activities/privacy-requests.ts'
import type { Queryable } from '../../db/connection/database.ts'
import { applyEmailChange, type EmailChangeStatus, endEmailChange } from '../../db/email-changes.ts'
import { periods } from '../../policy/periods.ts'
import { plusDays } from '../../shared/calendar.ts'
import { keysOf } from '../../shared/keys-of.ts'
import { breachWorkflowId } from '../../workflows/breach/breach.contract.ts'
import { campaignWorkflowId } from '../../workflows/campaign.contract.ts'
import { emailChangeWorkflowId } from '../../workflows/email-change.contract.ts'
import { keyRotationWorkflowId } from '../../workflows/keys/key-rotation.contract.ts'
import { bulkActionWorkflowId } from '../../workflows/order/bulk-action.contract.ts'
import { policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import { privacyRequestWorkflowId } from '../../workflows/privacy-request.contract.ts'
import type { WorkflowType } from '../../workflows/versioning/behaviors.ts'
import type { RepeatingContext } from './until-answered.ts'

/** A run's row in the dump. */
export interface DumpedRow {
  /** nothing is left to do for it */
  settled: boolean
}

/** What Temporal's list shows of a run. */
export interface ShownByRun {
  isClosed: boolean
  stage: string | undefined
  dueAt: Date | undefined
  /** when it has closed, or now */
  at: Date
}

/** Brings the row to where its run has ended. @returns false when the run does not show how */
type Settle = (context: RepeatingContext, id: string, shown: ShownByRun) => Promise<boolean>

/**
 * - `rebuild`: what it has done is written again, by the part of the restore that `by` names.
 * - `operator`: only the lost database had its texts. An operator decides, if the dump lacks the row or has it
 *   unsettled although the run has ended, unless the run shows enough to `settle` the row. `doneAs` is the status of a
 *   run that remembers what it has done.
 * - `nothing`: the run, or the next one of its kind, reads what there is.
 */
export type AfterRestore =
  | { outcome: 'rebuild'; by: string }
  | {
      outcome: 'operator'
      doneAs?: string
      row(sql: Queryable, workflowId: string): Promise<DumpedRow | undefined>
      settle?(context: RepeatingContext, workflowId: string, shown: ShownByRun): Promise<boolean>
    }
  | { outcome: 'nothing'; because: string }

const rebuilt = (by: string): AfterRestore => ({ outcome: 'rebuild', by })
const unaffected = (because: string): AfterRestore => ({ outcome: 'nothing', because })

/** @param find finds the row by the part of the workflow id that names it */
const leftToOperator = (
  workflowIdOf: (id: string) => string,
  find: (sql: Queryable, id: string) => Promise<DumpedRow[]>,
  { doneAs, settle }: { doneAs?: string; settle?: Settle } = {},
): AfterRestore => {
  const idIn = (workflowId: string) => workflowId.slice(workflowIdOf('').length)
  return {
    outcome: 'operator',
    ...(doneAs !== undefined && { doneAs }),
    row: async (sql, workflowId) => (await find(sql, idIn(workflowId)))[0],
    ...(settle && { settle: (context, workflowId, shown) => settle(context, idIn(workflowId), shown) }),
  }
}

/** The stages at which a change of address has ended. */
const endOf: Readonly<Partial<Record<string, EmailChangeStatus>>> = {
  changed: 'changed',
  expired: 'expired',
  cancelled: 'cancelled',
  replaced: 'replaced',
  taken: 'taken',
}

/**
 * G2: the account has the address on which both have agreed, or the one that its person has left would open it again. A
 * run that still tells the old address ends the change by itself.
 */
const settleEmailChange: Settle = async (context, id, { isClosed, stage, at }) => {
  const { sql } = context
  const status = endOf[stage ?? '']
  if (!status) return false
  if (status === 'changed' && (await applyEmailChange(sql, context, id, at)) !== 'changed') return false
  if (isClosed) await endEmailChange(sql, id, status, at)
  return true
}

/** G6: an answered request must not be late for ever. What was answered is in the mail to its person alone. */
const settleRequest: Settle = async (context, id, { stage, dueAt }) => {
  if (stage !== 'answered' || !dueAt) return false
  const asOf = plusDays(dueAt, -periods.privacyRequest.keepAnsweredDays).toISOString()
  await createPrivacyRequestActivities(context).recordAnswer({ requestId: id, asOf })
  return true
}

export const afterRestore: Readonly<Record<WorkflowType, AfterRestore>> = {
  accountDeletion: rebuilt('deletions.ts'),
  order: rebuilt('orders/rebuild-order.ts'),
  orderAftercare: rebuilt('aftercare.ts'),
  partialRefund: rebuilt('partial-refunds.ts'),
  signInEnded: rebuilt('sign-ins.ts'),
  withdrawal: rebuilt('withdrawals.ts'),

  breach: leftToOperator(
    breachWorkflowId,
    (sql, id) => sql<DumpedRow[]>`select state = 'closed' as settled from breaches where id::text = ${id}`,
  ),
  bulkAction: leftToOperator(
    bulkActionWorkflowId,
    (sql, id) => sql<DumpedRow[]>`
      select state in ('done', 'cancelled') as settled from bulk_actions where id::text = ${id}`,
  ),
  campaign: leftToOperator(
    campaignWorkflowId,
    (sql, id) => sql<DumpedRow[]>`
      select state in ('done', 'cancelled') as settled from campaigns where id::text = ${id}`,
  ),
  emailChange: leftToOperator(
    emailChangeWorkflowId,
    (sql, id) => sql<DumpedRow[]>`
      select state <> 'draft' and old_email is null as settled from email_changes where id::text = ${id}`,
    { doneAs: 'changed', settle: settleEmailChange },
  ),
  keyRotation: leftToOperator(
    keyRotationWorkflowId,
    (sql, id) => sql<DumpedRow[]>`select status = 'done' as settled from key_rotations where id::text = ${id}`,
  ),
  policyNotice: leftToOperator(
    policyNoticeWorkflowId,
    (sql, version) => sql<DumpedRow[]>`
      select state not in ('draft', 'posted') as settled from policies where version = ${version}`,
  ),
  privacyRequest: leftToOperator(
    privacyRequestWorkflowId,
    (sql, id) => sql<DumpedRow[]>`select state = 'answered' as settled from privacy_requests where id::text = ${id}`,
    { doneAs: 'answered', settle: settleRequest },
  ),

  accountInactivity: unaffected('asks again before each step when the account was last used'),
  backup: unaffected('the folder lists the backups'),
  booksCohorts: unaffected('reads the books'),
  catalogueSync: unaffected('reads the offers'),
  draftSweep: unaffected('reads the drafts'),
  eventRetries: unaffected('the stream of events begins anew'),
  housekeeping: unaffected('reads what there is'),
  inactivitySweep: unaffected('reads the accounts'),
  invoiceRetention: unaffected('reads the books at the end of their period'),
  keyCheck: unaffected('reads the keys'),
  paymentSweep: unaffected('reads Stripe from before the dump'),
  reconciliation: unaffected('compares anew'),
  restore: unaffected('each restore has a separate run'),
  restoreDrill: unaffected('restores a backup beside the database'),
  transparencyNight: unaffected('the log goes on from an end that was kept'),
}

/** The types of which an operator decides. */
export const leftToOperators = keysOf(afterRestore).filter((type) => afterRestore[type].outcome === 'operator')
