/** The face of key rotation (S1): ids, and the effects it needs. Import-safe for everybody. */
import { defineQuery, defineUpdate } from '@temporalio/workflow'

export const keyRotationType = 'keyRotation'
export const keyRotationWorkflowId = (rotationId: string): string => `key-rotation-${rotationId}`

export const keyCheckType = 'keyCheck'
/** The schedule's runs carry their time after it. */
export const keyCheckWorkflowId = 'key-check'

export type KeyPurpose = 'field' | 'payload'

export interface KeyRotationInput {
  rotationId: string
  purpose: KeyPurpose
  /** the key that everything shall be under */
  toKey: string
  /** The row is a draft, which the run makes current. Not so of runs that were started inside the row's transaction. */
  draft?: true
  /** where an earlier run of the chain has come to */
  progress?: KeyRotationProgress
}

export type KeyRotationStatus =
  | 'rewrapping'
  /** processes with the old keyring still make data keys under an old key */
  | 'waiting_for_processes'
  /** the newest snapshot of data keys is from before */
  | 'waiting_for_backup'
  /** open runs whose histories began under an old key */
  | 'waiting_for_runs'
  | 'done'

export interface KeyRotationProgress {
  status: KeyRotationStatus
  rewrapped: number
  /** data keys, or open runs, that still need another key; null: not counted yet */
  remaining: number | null
  /** the next part of the data keys, of so many: a number leads to nobody, an account's id would. 0 parts: not planned */
  page: number
  pages: number
}

/** Answered once the row is current, or gone. Refused with KeyRotationRunning when another one is under way. */
export const opened = defineUpdate<void>('opened')

export const keyRotationProgress = defineQuery<KeyRotationProgress>('progress')

/** Every time in and out is ISO 8601. `asOf` is the workflow's clock, the only clock that decides. */
export interface KeyRotationActivities {
  /** Writes down the keys this worker has, and tells operators of one that encrypts for too long. */
  checkKeys(input: { asOf: string }): Promise<void>
  /** Makes a draft current. `running`: another one of its purpose is under way, and the draft is gone. */
  openRotation(input: { rotationId: string; purpose: KeyPurpose }): Promise<'opened' | 'gone' | 'running'>
  /** Whether the rotation is in the database. */
  findRotation(input: { rotationId: string }): Promise<boolean>
  /** @throws KeyringBehind on a worker where `toKey` does not encrypt (yet) */
  rewrapDataKeys(input: { toKey: string; page: number; pages: number }): Promise<{ rewrapped: number }>
  /** Into how many parts of about a thousand the data keys are divided. */
  planRotation(): Promise<{ pages: number }>
  countUnderOldKeys(input: { toKey: string }): Promise<number>
  /** Open runs that began under another key. Reads the first event of each: minutes for many thousand. */
  countRunsUnderOldKeys(input: { toKey: string }): Promise<number>
  recordRotation(input: KeyRotationProgress & { rotationId: string; asOf: string }): Promise<void>
  /** Retires the old keys of the purpose, or says what still needs them. */
  retireOldKeys(input: {
    purpose: KeyPurpose
    toKey: string
    /** since when no data key is under an old one */
    unusedSince: string
    asOf: string
  }): Promise<'retired' | 'in_use' | 'in_snapshot'>
}
