/** Which build continues an open run when a new build of the worker is promoted. See docs/changing-workflows.md. */
import type * as workflows from '../index.ts'

export interface Versioning {
  /**
   * - `AUTO_UPGRADE`: the next workflow task of an open run goes to the new build, which has to replay its history.
   * - `PINNED`: the run ends on the build that it began on, whose workers have to stay until then.
   */
  behavior: 'AUTO_UPGRADE' | 'PINNED'
  reason: string
}

export type WorkflowType = keyof typeof workflows

const upgraded = (reason: string): Versioning => ({ behavior: 'AUTO_UPGRADE', reason })
const pinned = (reason: string): Versioning => ({ behavior: 'PINNED', reason })

export const versioning: Readonly<Record<WorkflowType, Versioning>> = {
  accountDeletion: upgraded('waits 30 days for the last backup and up to 90 days for redaction'),
  accountInactivity: upgraded('warns 60, 30 and 7 days before it erases'),
  breach: upgraded('waits days for an operator, and for a mail server that is down'),
  bulkAction: upgraded('waits for an operator while it is paused, without a limit'),
  campaign: upgraded('waits for an operator, and for a mail server that is down, without a limit'),
  emailChange: upgraded('waits days for both addresses'),
  eventRetries: upgraded('tries for three days while an endpoint of the app backend is down'),
  invoiceRetention: upgraded('sleeps for the seven years of the books'),
  keyRotation: upgraded('waits days for processes, backups and runs that use the old key'),
  order: upgraded('lives until its eSIM expires, up to 400 days after the sale'),
  orderAftercare: upgraded('waits weeks for a refund to settle, or for an operator'),
  partialRefund: upgraded('waits 30 days for the refund to settle'),
  policyNotice: upgraded('waits at least 30 days for the version to come into force'),
  privacyRequest: upgraded('has up to 90 days for the answer, and remembers it afterwards'),
  restore: upgraded('tries for a week while an outside party is down'),
  signInEnded: upgraded('tries for days while the mail server is down'),
  withdrawal: upgraded('tries for days while the eSIM provider is down'),

  backup: pinned('ends within hours; the next one starts on the current build'),
  booksCohorts: pinned('starts other runs and ends; the next night does it again'),
  catalogueSync: pinned('ends before the next hourly one begins'),
  draftSweep: pinned('ends within minutes; the next one comes ten minutes later'),
  housekeeping: pinned('ends within minutes; the next night does it again'),
  inactivitySweep: pinned('starts other runs and ends; the next night does it again'),
  keyCheck: pinned('ends within minutes; the next night does it again'),
  paymentSweep: pinned('ends within minutes; the next hourly one reads what it has not'),
  reconciliation: pinned('ends within hours; the next night compares again'),
  restoreDrill: pinned('ends within hours, and is asked for by an operator'),
  transparencyNight: pinned('ends within minutes; the next night does it again'),
}
