/** Contract of key rotation: ids, messages and activities. Code outside of workflows may import it. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'

export const keyRotationType = 'keyRotation'
export const keyRotationWorkflowId = (rotationId: string): string => `key-rotation-${rotationId}`

export const keyCheckType = 'keyCheck'
/** Temporal adds the time to the ids of scheduled runs. */
export const keyCheckWorkflowId = 'key-check'

export type KeyPurpose = 'field' | 'payload'

export interface KeyRotationSubject {
  rotationId: string
  purpose: KeyPurpose
  /** id of the new key */
  toKey: string
}

/** `draft`: the run makes the draft current. `progress`: of the run that this one continues (continue-as-new). */
export type KeyRotationInput = KeyRotationSubject &
  ({ draft: true; progress?: never } | { draft?: never; progress: KeyRotationProgress })

export type KeyRotationStatus =
  | 'rewrapping'
  /** processes with the old keyring still make data keys under an old key */
  | 'waiting_for_processes'
  /** the newest snapshot of data keys is older than the rotation */
  | 'waiting_for_backup'
  /** open runs whose histories began under an old key */
  | 'waiting_for_runs'
  | 'done'

export interface KeyRotationProgress {
  status: KeyRotationStatus
  rewrapped: number
  /** data keys, or open runs, that are still under another key; null before the first count */
  remaining: number | null
  /**
   * the next page of data keys, from 0. A number, because the last account's id would be personal data in the history
   */
  page: number
  /** 0 before the pages are counted */
  pages: number
}

/** The first status of a rotation, by purpose. */
export const firstStatus = { field: 'rewrapping', payload: 'waiting_for_runs' } as const satisfies Record<
  KeyPurpose,
  KeyRotationStatus
>

/** Options that start the run of a draft, or another run of a rotation whose run is gone. */
export const keyRotationStart = ({ rotationId, purpose, toKey }: KeyRotationSubject, taskQueue: string) => ({
  type: keyRotationType,
  workflowId: keyRotationWorkflowId(rotationId),
  taskQueue,
  args: [{ rotationId, purpose, toKey, draft: true }] satisfies [KeyRotationInput],
  workflowIdConflictPolicy: 'USE_EXISTING' as const,
  typedSearchAttributes: initialSearchAttributes({
    status: firstStatus[purpose],
    waitingFor: 'the database',
    dueAt: null,
  }),
  staticSummary: `Key rotation: ${purpose} keys to ${toKey}`,
})

/**
 * Completes once the draft is current or deleted. Fails with KeyRotationRunning while another rotation of its purpose
 * runs.
 */
export const opened = defineUpdate<void>('opened')

export const keyRotationProgress = defineQuery<KeyRotationProgress>('progress')

/** All times are ISO 8601. `asOf` is the workflow's time, by which activities decide. */
export interface KeyRotationActivities {
  /** Records the keys of this worker, and makes an operator task of a key that has encrypted for too long. */
  checkKeys(input: { asOf: string }): Promise<void>
  /** Makes a draft current. `running`: another rotation of its purpose runs, and the draft was deleted. */
  openRotation(input: { rotationId: string; purpose: KeyPurpose }): Promise<'opened' | 'gone' | 'running'>
  /** Returns whether the rotation is in the database. */
  findRotation(input: { rotationId: string }): Promise<boolean>
  /** @throws KeyringBehind on a worker where `toKey` does not encrypt (yet) */
  rewrapDataKeys(input: { toKey: string; page: number; pages: number }): Promise<{ rewrapped: number }>
  /** Returns the number of pages of about a thousand data keys. */
  planRotation(): Promise<{ pages: number }>
  countUnderOldKeys(input: { toKey: string }): Promise<number>
  /**
   * Counts open runs that began under another key. Reads the first event of each, which takes minutes for thousands.
   */
  countRunsUnderOldKeys(input: { toKey: string }): Promise<number>
  recordRotation(input: KeyRotationProgress & { rotationId: string; asOf: string }): Promise<void>
  /** Retires the old keys of the purpose, or returns what still needs them. */
  retireOldKeys(input: {
    purpose: KeyPurpose
    toKey: string
    /** since when no data key is under an old key */
    unusedSince: string
    asOf: string
  }): Promise<'retired' | 'in_use' | 'in_snapshot'>
}
