/** What operators find runs by, in every workflow the same. Never personal data: search attributes are not encrypted. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common'

export const searchAttributes = {
  status: defineSearchAttributeKey('Status', SearchAttributeType.KEYWORD),
  waitingFor: defineSearchAttributeKey('WaitingFor', SearchAttributeType.KEYWORD),
  dueAt: defineSearchAttributeKey('DueAt', SearchAttributeType.DATETIME),
  accountRef: defineSearchAttributeKey('AccountRef', SearchAttributeType.KEYWORD),
}

/** Where a run stands: the state, what it waits for, and until when at the latest. */
export interface RunStatus {
  status: string
  waitingFor: string
  /** null: waits for an event without a deadline, or for nothing */
  dueAt: Date | null
}

/** Search attributes of a run that starts with this standing: set by the starter, so that they cost no event. */
export function initialSearchAttributes(standing: RunStatus, accountRef?: string) {
  return [
    { key: searchAttributes.status, value: standing.status },
    { key: searchAttributes.waitingFor, value: standing.waitingFor },
    ...(standing.dueAt ? [{ key: searchAttributes.dueAt, value: standing.dueAt }] : []),
    ...(accountRef ? [{ key: searchAttributes.accountRef, value: accountRef }] : []),
  ]
}
