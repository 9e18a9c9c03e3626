import type { Settings } from '../../dev/stack-settings.ts'
import { accountDeletions } from './account-deletions.ts'
import { breaches } from './breach/breaches.ts'
import { dailyRuns } from './daily-runs.ts'
import { eventRetries } from './events/event-retries.ts'
import { keyRotations, keyringSettings } from './key-rotations.ts'
import { campaigns, policyNotices } from './notices.ts'
import { bulkActions } from './orders/bulk-actions.ts'
import { fraudCases } from './orders/fraud.ts'
import { orderEnds } from './orders/order-ends.ts'
import { orderWaits } from './orders/order-waits.ts'
import { rareAftercares, rareBulkActions, rarePartialRefunds, rareWithdrawals } from './rare/aftercare.ts'
import { rareCampaigns, rareNights, rareNotices, rareRetries, rareRotations } from './rare/operation.ts'
import { rareOrders } from './rare/orders.ts'
import { rareBreaches, rareChanges, rareDeletions, rareInactivities, rareRequests } from './rare/people.ts'
import { partialRefunds } from './refunds/partial-refunds.ts'
import { withdrawals } from './refunds/withdrawals.ts'
import { accountInactivities, invoiceRetentions } from './retention.ts'
import { emailChanges, privacyRequests } from './rights.ts'
import type { Scenario } from './scenario.ts'

/** All scenarios by name: the workflow, then its end or what it waits for. */
export const scenarios: Record<string, Scenario> = {
  ...orderEnds,
  ...orderWaits,
  ...fraudCases,
  ...partialRefunds,
  ...withdrawals,
  ...bulkActions,
  ...accountDeletions,
  ...accountInactivities,
  ...invoiceRetentions,
  ...privacyRequests,
  ...emailChanges,
  ...policyNotices,
  ...campaigns,
  ...breaches,
  ...eventRetries,
  ...dailyRuns,
  ...keyRotations,
  ...rareOrders,
  ...rareAftercares,
  ...rarePartialRefunds,
  ...rareWithdrawals,
  ...rareBulkActions,
  ...rareDeletions,
  ...rareBreaches,
  ...rareRequests,
  ...rareChanges,
  ...rareInactivities,
  ...rareCampaigns,
  ...rareNotices,
  ...rareRotations,
  ...rareRetries,
  ...rareNights,
}

const plain: Settings = { MAIL_RATE_PER_SECOND: '10000' }

/** The options of a scenario's stack; scenarios with the same object share a stack. */
export const settingsOf = (scenario: string): Settings => (scenario in keyRotations ? keyringSettings : plain)
