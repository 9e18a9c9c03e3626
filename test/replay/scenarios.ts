import type { Settings } from '../../dev/stack-settings.ts'
import { accountDeletions } from './account-deletions.ts'
import { dailyRuns } from './daily-runs.ts'
import { keyRotations, keyringSettings } from './key-rotations.ts'
import { campaigns, policyNotices } from './notices.ts'
import { orderEnds } from './order-ends.ts'
import { orderWaits } from './order-waits.ts'
import { accountInactivities, invoiceRetentions } from './retention.ts'
import { emailChanges, privacyRequests } from './rights.ts'
import type { Scenario } from './scenario.ts'

/** By name: workflow first, then how it ended or what it waits for. */
export const scenarios: Record<string, Scenario> = {
  ...orderEnds,
  ...orderWaits,
  ...accountDeletions,
  ...accountInactivities,
  ...invoiceRetentions,
  ...privacyRequests,
  ...emailChanges,
  ...policyNotices,
  ...campaigns,
  ...dailyRuns,
  ...keyRotations,
}

const plain: Settings = { MAIL_RATE_PER_SECOND: '10000' }

/** What the stack of a scenario is started with; the same object for those that may share one. */
export const settingsOf = (scenario: string): Settings => (scenario in keyRotations ? keyringSettings : plain)
