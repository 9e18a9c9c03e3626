/**
 * Changes of workflows, made by interceptors in the workflow bundle. They name workflows and activities by the types of
 * the contracts: after a rename they do not compile.
 */
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import type { BackupActivities } from '../../workflows/backup/backup.contract.ts'
import type { RestoreActivities } from '../../workflows/backup/restore.contract.ts'
import type { BreachActivities } from '../../workflows/breach/breach.contract.ts'
import type { CampaignActivities } from '../../workflows/campaign.contract.ts'
import type { CatalogueActivities } from '../../workflows/catalogue/catalogue-sync.contract.ts'
import type { EmailChangeActivities } from '../../workflows/email-change.contract.ts'
import type { EventRetriesActivities } from '../../workflows/events/event-retries.contract.ts'
import type { DraftSweepActivities } from '../../workflows/housekeeping/draft-sweep.contract.ts'
import type { HousekeepingActivities } from '../../workflows/housekeeping/housekeeping.contract.ts'
import type { KeyRotationActivities } from '../../workflows/keys/key-rotation.contract.ts'
import type { BulkActivities } from '../../workflows/order/bulk-action.contract.ts'
import type { OrderActivities } from '../../workflows/order/order.contract.ts'
import type { PartialRefundActivities } from '../../workflows/order/partial-refund.contract.ts'
import type { PaymentSweepActivities } from '../../workflows/order/payment-sweep.contract.ts'
import type { WithdrawalActivities } from '../../workflows/order/withdrawal.contract.ts'
import type { PolicyActivities } from '../../workflows/policy-notice.contract.ts'
import type { PrivacyRequestActivities } from '../../workflows/privacy-request.contract.ts'
import type { ReconciliationActivities } from '../../workflows/reconciliation/reconciliation.contract.ts'
import type { InactivityActivities } from '../../workflows/retention/account-inactivity.contract.ts'
import type { InvoiceRetentionActivities } from '../../workflows/retention/invoice-retention.contract.ts'
import type { SignInEndedActivities } from '../../workflows/sign-in-ended.contract.ts'
import type { TransparencyNightActivities } from '../../workflows/transparency/transparency-night.contract.ts'
import type { WorkflowType } from '../../workflows/versioning/behaviors.ts'

/** The activities that each workflow may call. */
interface ActivitiesOf {
  accountDeletion: DeletionActivities
  accountInactivity: InactivityActivities
  backup: BackupActivities
  booksCohorts: InvoiceRetentionActivities
  breach: BreachActivities
  bulkAction: BulkActivities
  campaign: CampaignActivities
  catalogueSync: CatalogueActivities
  draftSweep: DraftSweepActivities
  emailChange: EmailChangeActivities
  eventRetries: EventRetriesActivities
  housekeeping: HousekeepingActivities
  inactivitySweep: InactivityActivities
  invoiceRetention: InvoiceRetentionActivities
  keyCheck: KeyRotationActivities
  keyRotation: KeyRotationActivities
  order: OrderActivities
  orderAftercare: OrderActivities
  paymentSweep: PaymentSweepActivities
  policyNotice: PolicyActivities
  partialRefund: PartialRefundActivities & OrderActivities
  privacyRequest: PrivacyRequestActivities
  reconciliation: ReconciliationActivities
  restore: RestoreActivities
  restoreDrill: BackupActivities
  signInEnded: SignInEndedActivities
  transparencyNight: TransparencyNightActivities
  withdrawal: WithdrawalActivities & OrderActivities
}

/** The call is not made, and its caller gets the result. */
type Skipped<Result> = { fault: 'skipped' } & (undefined extends Result ? { result?: undefined } : { result: Result })

type CallFault<Result> =
  | Skipped<Result>
  /** The call is made. Its caller gets the result instead of what was answered, or these properties of it. */
  | { fault: 'altered'; result: Partial<Result> }
  /** A timer runs before the call; with a patch, only in runs that have its marker or are new. */
  | { fault: 'delayed'; patch?: string }
  /** The workflow task fails with the message, but no replay does. */
  | { fault: 'broken'; message: string }

type CallMutation<Type, Name, Activity> = Activity extends (...input: infer Input) => Promise<infer Result>
  ? {
      workflow: Type
      activity: Name
      /** only calls whose input has these properties */
      when?: Partial<Input[0]>
      /** only calls as a local activity, or only those that are not */
      local?: boolean
    } & CallFault<Result>
  : never

type CallMutations<Type extends keyof ActivitiesOf> = {
  [Name in keyof ActivitiesOf[Type]]: CallMutation<Type, Name, ActivitiesOf[Type][Name]>
}[keyof ActivitiesOf[Type]]

export type Mutation =
  | { [Type in WorkflowType]: CallMutations<Type> }[WorkflowType]
  /** Timers of this many milliseconds, or all, end at once and are not started. */
  | { workflow: WorkflowType; timer: number | 'any' }
  /** The signal is not sent to another run. */
  | { workflow: WorkflowType; sentSignal: string }
  /** The signal is not handled. */
  | { workflow: WorkflowType; receivedSignal: string }

/** A mutation as the interceptors read it: any activity of any workflow. */
export type AnyCallMutation = {
  activity: string
  when?: Record<string, unknown> | undefined
  local?: boolean
} & (
  | { fault: 'skipped' | 'altered'; result?: unknown }
  | { fault: 'delayed'; patch?: string }
  | { fault: 'broken'; message: string }
)

declare global {
  /** The mutations of this bundle. */
  var workflowMutations: Mutation[] | undefined
}
