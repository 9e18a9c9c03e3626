/** Contract of a personal data breach: ids, messages and activities. Code outside of workflows may import it. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'

export const breachType = 'breach'
export const breachWorkflowId = (breachId: string): string => `breach-${breachId}`

export interface BreachInput {
  breachId: string
  /** ISO 8601; when the authority has to be notified */
  authorityDueAt: string
  /** of the run that this one continues (continue-as-new) */
  progress?: BreachProgress
}

export interface BreachProgress {
  told: number
  /** reminders of operators that were begun */
  reminded: number
}

/** Options that start the run of a draft, for the API and the draft sweep. */
export function breachStart(breach: { id: string; authorityDueAt: Date }, taskQueue: string) {
  const { id, authorityDueAt } = breach
  return {
    type: breachType,
    workflowId: breachWorkflowId(id),
    taskQueue,
    args: [{ breachId: id, authorityDueAt: authorityDueAt.toISOString() }] satisfies [BreachInput],
    workflowIdConflictPolicy: 'USE_EXISTING' as const,
    typedSearchAttributes: initialSearchAttributes({
      status: 'open',
      waitingFor: 'an operator to tell the authority',
      dueAt: authorityDueAt,
    }),
    staticSummary: 'Personal data breach',
  }
}

/** The decisions that operators have recorded of a breach. */
export interface BreachDecisions {
  /** notified, or not to be notified for a reason */
  authoritySettled: boolean
  people: 'undecided' | 'tell' | 'told' | 'not_required'
}

export type BreachStatus = 'open' | 'late' | 'telling' | 'stuck' | 'closed' | 'gone'

export interface BreachState extends BreachDecisions, BreachProgress {
  status: BreachStatus
}

/** Completes once the draft is current and its people are found. */
export const opened = defineUpdate<BreachState>('opened')
/** An operator has recorded something: the run reads it. Also begins a mailing again that has stopped. */
export const recorded = defineUpdate<BreachState>('recorded')
export const breachState = defineQuery<BreachState>('state')

export type BreachUrgency = 'reminder' | 'escalation' | 'late'

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface BreachActivities {
  /**
   * Makes a draft current, and finds whose data was read. Returns false when there is no such breach, and `true` in
   * earlier builds. `readUntil`: reads until then count. Repeatable.
   */
  openBreach(input: { breachId: string }): Promise<boolean | { readUntil: string }>
  /** Finds the reads that were under way at the first count. Repeatable. */
  countBreachAgain(input: { breachId: string; asOf: string }): Promise<void>
  /** Returns what operators have recorded; null when there is no such breach. */
  readDecisions(input: { breachId: string }): Promise<BreachDecisions | null>
  /** Makes an operator task and mails support. Each `occasion` is sent once. @throws MailUnavailable */
  remindOfBreach(input: { breachId: string; asOf: string; urgency: BreachUrgency; occasion: string }): Promise<void>
  /**
   * Mails up to 500 people who were not notified yet, each once. Returns how many were handled, and whether some are
   * left.
   * @throws MailUnavailable when some have to be tried again
   */
  tellPeople(input: { breachId: string; asOf: string }): Promise<{ told: number; left: boolean }>
  recordPeopleTold(input: { breachId: string; asOf: string }): Promise<void>
  /** Makes an operator task: the mail server has taken no mail for days. */
  reportStuckBreach(input: { breachId: string; asOf: string }): Promise<void>
  /** Makes an operator task of a breach whose row is gone. */
  reportLostBreach(input: { breachId: string; authorityDueAt: string; asOf: string }): Promise<void>
  /** Closes the breach and its operator tasks. */
  closeBreach(input: { breachId: string; asOf: string }): Promise<void>
}
