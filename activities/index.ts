import type { WorkerContext } from '../context.ts'
import type { DeletionActivities } from '../workflows/account-deletion.contract.ts'
import type { BackupActivities } from '../workflows/backup/backup.contract.ts'
import type { RestoreActivities } from '../workflows/backup/restore.contract.ts'
import type { BreachActivities } from '../workflows/breach/breach.contract.ts'
import type { CampaignActivities } from '../workflows/campaign.contract.ts'
import type { CatalogueActivities } from '../workflows/catalogue/catalogue-sync.contract.ts'
import type { EmailChangeActivities } from '../workflows/email-change.contract.ts'
import type { EventRetriesActivities } from '../workflows/events/event-retries.contract.ts'
import type { DraftSweepActivities } from '../workflows/housekeeping/draft-sweep.contract.ts'
import type { HousekeepingActivities } from '../workflows/housekeeping/housekeeping.contract.ts'
import type { KeyRotationActivities } from '../workflows/keys/key-rotation.contract.ts'
import type { BulkActivities } from '../workflows/order/bulk-action.contract.ts'
import type { OrderActivities } from '../workflows/order/order.contract.ts'
import type { PartialRefundActivities } from '../workflows/order/partial-refund.contract.ts'
import type { PaymentSweepActivities } from '../workflows/order/payment-sweep.contract.ts'
import type { WithdrawalActivities } from '../workflows/order/withdrawal.contract.ts'
import type { PolicyActivities } from '../workflows/policy-notice.contract.ts'
import type { PrivacyRequestActivities } from '../workflows/privacy-request.contract.ts'
import type { ReconciliationActivities } from '../workflows/reconciliation/reconciliation.contract.ts'
import type { InactivityActivities } from '../workflows/retention/account-inactivity.contract.ts'
import type { InvoiceRetentionActivities } from '../workflows/retention/invoice-retention.contract.ts'
import type { SignInEndedActivities } from '../workflows/sign-in-ended.contract.ts'
import type { TransparencyNightActivities } from '../workflows/transparency/transparency-night.contract.ts'
import { createBackupActivities } from './backup.ts'
import { createBreachActivities } from './breach.ts'
import { createCampaignActivities } from './campaign.ts'
import { createCatalogueActivities } from './catalogue/catalogue.ts'
import { createEmailChangeActivities } from './email-change.ts'
import { createDeletionActivities } from './erasure/account-deletion.ts'
import { createEventRetriesActivities } from './events/retries.ts'
import { createFraudWarningActivities } from './fraud/fraud-warning.ts'
import { createDraftSweepActivities } from './housekeeping/draft-sweep.ts'
import { createHousekeepingActivities } from './housekeeping/housekeeping.ts'
import { createKeyRotationActivities } from './key-rotation.ts'
import { createBulkActivities } from './order/bulk-action.ts'
import { createOrderDeliveryActivities } from './order/delivery.ts'
import { createDisputeActivities } from './order/disputes.ts'
import { createEsimTrackingActivities } from './order/esim-tracking.ts'
import { createMeasurementActivities } from './order/measurement.ts'
import { createOrderNoticeActivities } from './order/notices.ts'
import { createLatePaymentActivities } from './order/payment/late-payment.ts'
import { createOrderPaymentActivities } from './order/payment/payment.ts'
import { createOrderProvisioningActivities } from './order/provisioning.ts'
import { createPartialRefundActivities } from './order/refunds/partial-refund.ts'
import { createOrderRefundActivities } from './order/refunds/refund.ts'
import { createWithdrawalActivities } from './order/refunds/withdrawal.ts'
import { createPaymentSweepActivities } from './payment-sweep.ts'
import { createPolicyActivities } from './policy-notice.ts'
import { createPrivacyRequestActivities } from './privacy-requests.ts'
import { createReconciliationActivities } from './reconciliation/reconciliation.ts'
import { createRestoreActivities } from './restore.ts'
import { createInactivityActivities } from './retention/account-inactivity.ts'
import { createInvoiceRetentionActivities } from './retention/invoice-retention.ts'
import { createSignInEndedActivities } from './sign-in-ended.ts'
import { createTransparencyNightActivities, type ReadEvidence } from './transparency-night.ts'

/** All activities of the worker. @param readEvidence reads all figures, in the form of GET /v1/promises */
export function createActivities(context: WorkerContext, readEvidence: ReadEvidence) {
  const notices = createOrderNoticeActivities(context)
  const measurement = createMeasurementActivities(context)
  const delivery = createOrderDeliveryActivities(context, {
    mail: (order) => notices.sendOrderMail({ ...order, mail: 'confirmation' }),
    push: (order) => notices.sendOrderPush({ ...order, push: 'confirmation' }),
    purchase: measurement.measurePurchase,
  })
  return {
    ...createOrderPaymentActivities(context),
    ...createLatePaymentActivities(context),
    ...createOrderProvisioningActivities(context),
    ...delivery,
    ...notices,
    ...createOrderRefundActivities(context),
    ...createPartialRefundActivities(context),
    ...createWithdrawalActivities(context),
    ...createEsimTrackingActivities(context),
    ...measurement,
    ...createDisputeActivities(context),
    ...createFraudWarningActivities(context),
    ...createCatalogueActivities(context),
    ...createDeletionActivities(context),
    ...createSignInEndedActivities(context),
    ...createInactivityActivities(context),
    ...createInvoiceRetentionActivities(context),
    ...createPaymentSweepActivities(context, delivery.recordDelivery),
    ...createReconciliationActivities(context),
    ...createHousekeepingActivities(context),
    ...createDraftSweepActivities(context),
    ...createBackupActivities(context),
    ...createRestoreActivities(context),
    ...createPolicyActivities(context),
    ...createPrivacyRequestActivities(context),
    ...createCampaignActivities(context),
    ...createBulkActivities(context),
    ...createKeyRotationActivities(context),
    ...createEmailChangeActivities(context),
    ...createBreachActivities(context),
    ...createEventRetriesActivities(context),
    ...createTransparencyNightActivities(context, readEvidence),
  } satisfies OrderActivities &
    PartialRefundActivities &
    WithdrawalActivities &
    PrivacyRequestActivities &
    KeyRotationActivities &
    EmailChangeActivities &
    CampaignActivities &
    BulkActivities &
    CatalogueActivities &
    DeletionActivities &
    SignInEndedActivities &
    InactivityActivities &
    InvoiceRetentionActivities &
    DraftSweepActivities &
    PaymentSweepActivities &
    ReconciliationActivities &
    HousekeepingActivities &
    BackupActivities &
    BreachActivities &
    EventRetriesActivities &
    TransparencyNightActivities &
    RestoreActivities &
    PolicyActivities
}
