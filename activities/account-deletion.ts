import type { WorkerContext } from '../context.ts'
import type { DeletionActivities } from '../workflows/account-deletion.contract.ts'
import { createDeletionEndActivities } from './deletion-end.ts'
import { createDeletionFarewellActivities } from './deletion-farewell.ts'
import { createDeletionPaymentActivities } from './deletion-payments.ts'
import { createDeletionProviderActivities } from './deletion-provider-orders.ts'
import { createDeletionRedactionActivities } from './deletion-redaction.ts'
import { createDeletionRunActivities } from './deletion-runs.ts'
import { createDeletionSignInActivities } from './deletion-sign-ins.ts'
import { createErasureActivities } from './erasure.ts'

/** Everything a deletion does to the person's data, here and with others. */
export function createDeletionActivities(context: WorkerContext): DeletionActivities {
  return {
    ...createErasureActivities(context),
    ...createDeletionRunActivities(context),
    ...createDeletionPaymentActivities(context),
    ...createDeletionProviderActivities(context),
    ...createDeletionSignInActivities(context),
    ...createDeletionFarewellActivities(context),
    ...createDeletionRedactionActivities(context),
    ...createDeletionEndActivities(context),
  }
}
