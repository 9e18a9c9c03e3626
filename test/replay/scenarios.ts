import { accountDeletions } from './account-deletions.ts'
import { orderEnds } from './order-ends.ts'
import { orderWaits } from './order-waits.ts'
import type { Scenario } from './scenario.ts'

/** By name: workflow first, then how it ended or what it waits for. */
export const scenarios: Record<string, Scenario> = { ...orderEnds, ...orderWaits, ...accountDeletions }
