/** The catalogue sync's face: what it is called, what it answers, and the effect it needs. Import-safe for everybody. */
import { defineQuery } from '@temporalio/workflow'

export const catalogueSyncType = 'catalogueSync'
/** Of runs that somebody asks for; the schedule's carry its own id and their time. Two at once do no harm. */
export const catalogueSyncWorkflowId = 'catalogue-sync'

export const catalogueProviders = ['esim-access', 'airalo'] as const
export type CatalogueProvider = (typeof catalogueProviders)[number]

/** Why packages of a provider are not sold, and how many. */
export type LeftOut = Partial<
  Record<'no_destination' | 'no_data' | 'other_currency' | 'odd_cost' | 'other_operator', number>
>

export type ProviderOutcome =
  /** asked in a moment */
  | { state: 'waiting' }
  | { state: 'listed'; packages: number; leftOut: LeftOut }
  /** its offers stay as they were; `code` as the provider's adapter names the failure */
  | { state: 'failed'; code: string }

export interface CatalogueChanges {
  packagesAdded: number
  /** new ones, and those whose cost, code or operator changed */
  offersChanged: number
  /** listed no more, or not for too long */
  offersWithdrawn: number
  putOnSale: number
  takenOffSale: number
}

export interface CatalogueSyncState {
  providers: Record<CatalogueProvider, ProviderOutcome>
  changes: CatalogueChanges
}

export const catalogueSyncState = defineQuery<CatalogueSyncState>('state')

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface CatalogueActivities {
  /**
   * Asks these providers for their price lists and makes the catalogue agree with those that answered. Repeatable. A
   * provider's failure is an outcome and not thrown: the others' news must not wait for it.
   */
  syncCatalogue(input: { providers: CatalogueProvider[]; asOf: string }): Promise<{
    outcomes: Partial<Record<CatalogueProvider, ProviderOutcome>>
    changes: CatalogueChanges
  }>
}
