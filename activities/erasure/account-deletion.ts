import type { WorkerContext } from '../../context.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { createDeletionEndActivities } from './end.ts'
import { createErasureActivities } from './erasure.ts'
import { createLastMailActivities } from './last-mail.ts'
import { createDeletionPaymentActivities } from './payments.ts'
import { createDeletionProviderActivities } from './provider-orders.ts'
import { createDeletionRedactionActivities } from './redaction.ts'
import { createDeletionRunActivities } from './runs.ts'
import { createDeletionSignInActivities } from './sign-ins.ts'

/** All activities of a deletion. */
export function createDeletionActivities(context: WorkerContext): DeletionActivities {
  return {
    ...createErasureActivities(context),
    ...createDeletionRunActivities(context),
    ...createDeletionPaymentActivities(context),
    ...createDeletionProviderActivities(context),
    ...createDeletionSignInActivities(context),
    ...createLastMailActivities(context),
    ...createDeletionRedactionActivities(context),
    ...createDeletionEndActivities(context),
  }
}
