/** The search attributes of all workflows. They never hold personal data, because Temporal does not encrypt them. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'

export const searchAttributes = {
  // Not `Status`: that is Temporal's own word, for Running or Failed.
  stage: defineSearchAttributeKey('Stage', SearchAttributeType.KEYWORD),
  waitingFor: defineSearchAttributeKey('WaitingFor', SearchAttributeType.KEYWORD),
  dueAt: defineSearchAttributeKey('DueAt', SearchAttributeType.DATETIME),
  accountRef: defineSearchAttributeKey('AccountRef', SearchAttributeType.KEYWORD),
}

/** Run status: the state of a run, what it waits for, and until when at the latest. */
export interface RunStatus {
  status: string
  waitingFor: string
  /** null: the run waits for an event without a deadline, or for nothing */
  dueAt: Date | null
}

/** Search attributes for the start of a run: unlike an upsert by the workflow, they write no event. */
export function initialSearchAttributes(runStatus: RunStatus, accountRef?: string) {
  return [
    { key: searchAttributes.stage, value: runStatus.status },
    { key: searchAttributes.waitingFor, value: runStatus.waitingFor },
    ...(runStatus.dueAt ? [{ key: searchAttributes.dueAt, value: runStatus.dueAt }] : []),
    ...(accountRef ? [{ key: searchAttributes.accountRef, value: accountRef }] : []),
  ]
}
