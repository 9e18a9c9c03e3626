/**
 * The treatment of each type of run whose row may be newer than the dump. A new type does not compile without an entry.
 */
import type { Queryable } from '../../db/connection/database.ts'
import { keysOf } from '../../shared/keys-of.ts'
import { breachWorkflowId } from '../../workflows/breach/breach.contract.ts'
import { campaignWorkflowId } from '../../workflows/campaign.contract.ts'
import { emailChangeWorkflowId } from '../../workflows/email-change.contract.ts'
import { keyRotationWorkflowId } from '../../workflows/keys/key-rotation.contract.ts'
import { bulkActionWorkflowId } from '../../workflows/order/bulk-action.contract.ts'
import { policyNoticeWorkflowId } from '../../workflows/policy-notice.contract.ts'
import { privacyRequestWorkflowId } from '../../workflows/privacy-request.contract.ts'
import type { WorkflowType } from '../../workflows/versioning/behaviors.ts'

/** A run's row in the dump. */
export interface DumpedRow {
  /** nothing is left to do for it */
  settled: boolean
}

/**
 * - `rebuild`: what it has done is written again, by the part of the restore that `by` names.
 * - `operator`: only the lost database had its texts. An operator decides, if the dump lacks the row or has it
 *   unsettled although the run has ended. `doneAs` is the status of a run that remembers what it has done.
 * - `nothing`: the run, or the next one of its kind, reads what there is.
 */
export type AfterRestore =
  | { outcome: 'rebuild'; by: string }
  | { outcome: 'operator'; doneAs?: string; row(sql: Queryable, workflowId: string): Promise<DumpedRow | undefined> }
  | { outcome: 'nothing'; because: string }

const rebuilt = (by: string): AfterRestore => ({ outcome: 'rebuild', by })
const unaffected = (because: string): AfterRestore => ({ outcome: 'nothing', because })

/** @param find finds the row by the part of the workflow id that names it */
const leftToOperator = (
  workflowIdOf: (id: string) => string,
  find: (sql: Queryable, id: string) => Promise<DumpedRow[]>,
  doneAs?: string,
): AfterRestore => ({
  outcome: 'operator',
  ...(doneAs !== undefined && { doneAs }),
  row: async (sql, workflowId) => (await find(sql, workflowId.slice(workflowIdOf('').length)))[0],
})

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
      select state not in ('draft', 'open') as settled from email_changes where id::text = ${id}`,
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
    'answered',
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
