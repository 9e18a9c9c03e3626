/** Contract of the catalogue sync: ids, query and activity. Code outside of workflows may import it. */
import { defineQuery } from '@temporalio/workflow'
import type { EsimProviderId } from '../../policy/outside-parties.ts'

export const catalogueSyncType = 'catalogueSync'
/**
 * Id of runs that are started by hand; Temporal adds the time to the ids of scheduled runs. Two runs at once do no
 * harm.
 */
export const catalogueSyncWorkflowId = 'catalogue-sync'

/** Why packages of a provider are not sold, and how many. */
export type LeftOut = Partial<
  Record<
    'no_destination' | 'no_data' | 'other_currency' | 'odd_cost' | 'odd_size' | 'other_operator' | 'unreadable',
    number
  >
>

export type ProviderOutcome =
  /** not asked yet */
  | { state: 'waiting' }
  | { state: 'listed'; packages: number; leftOut: LeftOut }
  /** its offers stay as they were; `code` is the provider adapter's failure code */
  | { state: 'failed'; code: string }

export interface CatalogueChanges {
  packagesAdded: number
  /** new ones, and those whose cost, code or operator changed */
  offersChanged: number
  /** no longer in the price list, or from a price list that is too old */
  offersWithdrawn: number
  putOnSale: number
  takenOffSale: number
}

export interface CatalogueSyncState {
  providers: Record<EsimProviderId, ProviderOutcome>
  changes: CatalogueChanges
}

export const catalogueSyncState = defineQuery<CatalogueSyncState>('state')

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface CatalogueActivities {
  /**
   * Asks these providers for their price lists and updates the catalogue from those that answered. Repeatable. A failed
   * provider is returned as an outcome and not thrown, so that it does not delay the others' offers.
   */
  syncCatalogue(input: { providers: EsimProviderId[]; asOf: string }): Promise<{
    outcomes: Partial<Record<EsimProviderId, ProviderOutcome>>
    changes: CatalogueChanges
  }>
}
