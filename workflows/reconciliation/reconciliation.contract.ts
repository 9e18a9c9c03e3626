/** Contract of the comparison of our books with those of outside parties. Code outside of workflows may import it. */
import type { EsimProviderId } from '../../policy/outside-parties.ts'
import type { DifferenceKindName, Explanation } from '../../policy/reconciliation.ts'

export const reconciliationType = 'reconciliation'
/** Id of runs that are started by hand; Temporal adds the time to the ids of scheduled runs. */
export const reconciliationWorkflowId = 'reconciliation'
/** Id of the schedule that reads the balances only. */
export const providerBalancesWorkflowId = 'provider-balances'

export interface ReconciliationInput {
  /** by default everything is compared */
  only?: 'provider_balances'
}

/** The result of one step's comparison. */
export interface Compared {
  /** records of the outside party */
  records: number
  /** differences that need nobody, by kind and by the rule that explains them */
  explained: Partial<Record<DifferenceKindName, Partial<Record<Explanation, number>>>>
}

/**
 * In minor units of the currency, since the last reading: gross − refunds − disputes − fees ± other = change + payouts.
 */
export interface CurrencySums {
  currency: string
  grossMinor: number
  refundsMinor: number
  disputesMinor: number
  feesMinor: number
  /** positive or negative: adjustments of other kinds */
  otherMinor: number
  payoutsMinor: number
  openingMinor: number
  closingMinor: number
  /** what the transactions do not explain: must be 0 */
  remainderMinor: number
}

/** In millionths of the currency's main unit. */
export interface ProviderBalance {
  provider: string
  currency: string
  balanceMicros: number
  /** null without spending in the last days */
  daysLeft: number | null
}

export type ReconciliationStep =
  | 'payments'
  | 'refunds'
  | 'older_payments'
  | 'disputes'
  | 'processor_balance'
  | 'payouts'
  | EsimProviderId
  | 'provider_balances'
  | 'backup_store'

export interface ReconciliationReport {
  /** by step; a step that failed is missing */
  compared: Partial<Record<ReconciliationStep, number>>
  /** steps that failed: what they compare is not known */
  failed: ReconciliationStep[]
  explained: Compared['explained']
  /** differences that are operator tasks, by kind */
  unexplained: Partial<Record<DifferenceKindName, number>>
  sums: CurrencySums[]
  balances: ProviderBalance[]
}

/** The workflow's report before the differences are counted. */
export type ReconciliationFindings = Omit<ReconciliationReport, 'unexplained'>

export interface ReconciliationStepInput {
  reconciliationId: string
  /** ISO 8601; what was made at the outside parties before this time is not looked at */
  from: string
  /** the workflow's time at its start */
  asOf: string
}

/** All times are ISO 8601. Every step is repeatable. */
export interface ReconciliationActivities {
  openReconciliation(input: { reconciliationId: string; asOf: string }): Promise<{ from: string }>
  /**
   * U2, paid means delivered or refunded, and U6, accounting: the payments at Stripe with their orders, invoices and
   * refunds.
   */
  comparePayments(input: ReconciliationStepInput): Promise<Compared>
  /** Compares the older payments that were refunded since, in the same way. */
  compareRefunds(input: ReconciliationStepInput): Promise<Compared>
  /** Compares the older payments that were credited since, or that differed the last time, in the same way. */
  compareOlderPayments(input: ReconciliationStepInput): Promise<Compared>
  compareDisputes(input: ReconciliationStepInput): Promise<Compared>
  compareProcessorBalance(input: ReconciliationStepInput): Promise<Compared & { sums: CurrencySums[] }>
  comparePayouts(input: ReconciliationStepInput): Promise<Compared>
  compareProvider(input: ReconciliationStepInput & { provider: EsimProviderId }): Promise<Compared>
  /** @param input.reconciliationId null: differences are left to the next reconciliation */
  readProviderBalances(input: {
    reconciliationId: string | null
    asOf: string
  }): Promise<Compared & { balances: ProviderBalance[] }>
  /** R3, backups are kept for at most 30 days: the age of the backups that the store really holds. */
  readBackupStore(input: { asOf: string }): Promise<{ files: number }>
  /** Makes operator tasks of unexplained differences, and resolves those of differences that are gone. */
  closeReconciliation(
    input: ReconciliationStepInput & { findings: ReconciliationFindings },
  ): Promise<ReconciliationReport>
}
