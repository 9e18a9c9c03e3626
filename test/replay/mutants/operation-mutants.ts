/** Mutants of the workflows about the catalogue, the books, backups and keys. */
import type { Mutant } from './mutants.ts'

const nothingChanged = { packagesAdded: 0, offersChanged: 0, offersWithdrawn: 0, putOnSale: 0, takenOffSale: 0 }

export const operationMutants: Mutant[] = [
  {
    name: 'a catalogue that nobody is asked about',
    mutation: {
      workflow: 'catalogueSync',
      activity: 'syncCatalogue',
      fault: 'skipped',
      result: { outcomes: {}, changes: nothingChanged },
    },
    first: true,
    caughtBy: ['catalogue-sync-done', 'catalogue-sync-waits-for-a-provider'],
  },
  {
    name: 'a provider that is asked again at once',
    mutation: { workflow: 'catalogueSync', timer: 'any' },
    caughtBy: ['catalogue-sync-left-to-the-next', 'catalogue-sync-waits-for-a-provider'],
  },
  {
    name: 'a sweep that looks for nobody',
    mutation: { workflow: 'inactivitySweep', activity: 'openInactivityRuns', fault: 'skipped', result: { opened: 0 } },
    first: true,
    caughtBy: ['inactivity-sweep-done', 'inactivity-sweep-given-up'],
  },
  {
    name: 'months of the books that nobody watches',
    mutation: { workflow: 'booksCohorts', activity: 'openRetentionRuns', fault: 'skipped', result: { months: 0 } },
    first: true,
    caughtBy: ['books-cohorts-done', 'books-cohorts-given-up'],
  },
  {
    name: 'books that are never purged',
    mutation: {
      workflow: 'invoiceRetention',
      activity: 'purgeBooks',
      fault: 'skipped',
      result: { purged: { invoices: 0, orderFacts: 0 }, left: 0, held: false, nextPurgeAt: null },
    },
    first: true,
    caughtBy: [
      'invoice-retention-purged',
      'invoice-retention-of-an-empty-month',
      'invoice-retention-waits-for-the-end-of-the-term',
    ],
  },
  {
    name: 'books past their period of which no operator learns',
    mutation: { workflow: 'invoiceRetention', activity: 'raiseUnpurged', fault: 'skipped' },
    caughtBy: ['invoice-retention-waits-for-another-try'],
  },
  {
    name: 'books that are held and taken for gone',
    mutation: { workflow: 'invoiceRetention', activity: 'purgeBooks', fault: 'altered', result: { left: 0 } },
    caughtBy: ['invoice-retention-held-and-let-go', 'invoice-retention-waits-for-the-month-to-be-let-go'],
  },
  {
    name: 'a backup that is not made',
    mutation: { workflow: 'backup', activity: 'makeBackup', fault: 'skipped', result: { bytes: 0 } },
    first: true,
    caughtBy: ['backup-kept', 'backup-failed'],
  },
  {
    name: 'a failed backup of which no operator learns',
    mutation: { workflow: 'backup', activity: 'noteBackupFailure', fault: 'skipped' },
    caughtBy: ['backup-failed'],
  },
  {
    name: 'old backups that stay',
    mutation: { workflow: 'backup', activity: 'pruneBackups', fault: 'skipped', result: { pruned: 0 } },
    caughtBy: ['backup-kept'],
  },
  {
    name: 'a night of which the transparency log has nothing',
    mutation: {
      workflow: 'transparencyNight',
      activity: 'appendToLog',
      fault: 'skipped',
      result: { appended: 0 },
    },
    first: true,
    caughtBy: ['transparency-night-done', 'transparency-night-given-up'],
  },
  {
    name: 'entries that nobody gets to see',
    mutation: {
      workflow: 'transparencyNight',
      activity: 'publishLog',
      fault: 'skipped',
      result: { seq: 0, hash: '' },
    },
    caughtBy: ['transparency-night-done'],
  },
  {
    name: 'a drill that restores nothing',
    mutation: {
      workflow: 'restoreDrill',
      activity: 'drillRestore',
      fault: 'skipped',
      result: {
        backupId: '',
        accounts: 0,
        cameBack: 0,
        readable: 0,
        erasedAgain: 0,
        left: 0,
        erasedTwice: 0,
        seconds: 0,
      },
    },
    first: true,
    caughtBy: ['restore-drill-done', 'restore-drill-of-a-damaged-backup'],
  },
  {
    name: 'a restore that settles nothing',
    mutation: {
      workflow: 'restore',
      activity: 'settleRestored',
      fault: 'skipped',
      result: { payments: 0, esims: 0 },
    },
    first: true,
    caughtBy: ['restore-completed', 'restore-waits-for-the-processor'],
  },
  {
    name: 'a restore that keeps everybody away',
    mutation: { workflow: 'restore', activity: 'openTraffic', fault: 'skipped' },
    caughtBy: ['restore-completed', 'restore-open-and-waits-for-the-processor'],
  },
  {
    name: 'a restore whose undecided items no operator sees',
    mutation: { workflow: 'restore', activity: 'leaveRestoredToOperators', fault: 'skipped', result: { undecided: 0 } },
    caughtBy: ['restore-completed', 'restore-left-to-an-operator'],
  },
  {
    name: 'a restore that does not wait for the processor',
    mutation: { workflow: 'restore', timer: 'any' },
    caughtBy: ['restore-left-to-an-operator', 'restore-waits-for-the-processor'],
  },
  {
    name: 'a security log that grows',
    mutation: {
      workflow: 'housekeeping',
      activity: 'turnSecurityLog',
      fault: 'skipped',
      result: { partitionsDropped: 0 },
    },
    first: true,
    caughtBy: ['housekeeping-done', 'housekeeping-given-up'],
  },
  {
    name: 'notices that came back and that nobody sends again',
    mutation: {
      workflow: 'housekeeping',
      activity: 'sendMissedNotices',
      fault: 'skipped',
      result: { policies: 0, breaches: 0 },
    },
    caughtBy: ['housekeeping-with-notices'],
  },
  {
    name: 'payments that are compared with nothing',
    mutation: {
      workflow: 'reconciliation',
      activity: 'comparePayments',
      fault: 'skipped',
      result: { records: 0, explained: {} },
    },
    caughtBy: ['reconciliation-done', 'reconciliation-without-a-provider'],
  },
  {
    name: 'differences of which no operator learns',
    mutation: {
      workflow: 'reconciliation',
      activity: 'closeReconciliation',
      fault: 'skipped',
      result: { compared: {}, failed: [], explained: {}, unexplained: {}, sums: [], balances: [] },
    },
    caughtBy: ['reconciliation-done', 'reconciliation-without-a-provider'],
  },
  {
    name: 'a reconciliation that begins nowhere',
    mutation: { workflow: 'reconciliation', activity: 'openReconciliation', fault: 'skipped', result: { from: '' } },
    first: true,
    caughtBy: ['reconciliation-done', 'reconciliation-given-up'],
  },
  {
    name: 'balances that nobody reads',
    mutation: {
      workflow: 'reconciliation',
      activity: 'readProviderBalances',
      fault: 'skipped',
      result: { records: 0, explained: {}, balances: [] },
    },
    caughtBy: ['reconciliation-of-balances', 'reconciliation-done'],
  },
  {
    name: 'keys that nobody looks at',
    mutation: { workflow: 'keyCheck', activity: 'checkKeys', fault: 'skipped' },
    first: true,
    caughtBy: ['key-check-done', 'key-check-given-up'],
  },
  {
    name: 'a rotation that is taken for recorded',
    mutation: { workflow: 'keyRotation', activity: 'findRotation', fault: 'skipped', result: true },
    first: true,
    caughtBy: ['key-rotation-done', 'key-rotation-never-recorded', 'key-rotation-waits-for-processes'],
  },
  {
    name: 'a rotation that stays a draft',
    mutation: { workflow: 'keyRotation', activity: 'openRotation', fault: 'skipped', result: 'opened' },
    first: true,
    caughtBy: ['key-rotation-from-a-draft', 'key-rotation-of-a-draft-beside-another'],
  },
  {
    name: 'lost webhooks that nobody looks for',
    mutation: { workflow: 'paymentSweep', activity: 'readMissedEvents', fault: 'skipped', result: 0 },
    first: true,
    caughtBy: ['payment-sweep-done', 'payment-sweep-given-up'],
  },
  {
    name: 'drafts that nobody settles',
    mutation: {
      workflow: 'draftSweep',
      activity: 'settleDrafts',
      fault: 'skipped',
      result: { started: 0, dropped: 0 },
    },
    first: true,
    caughtBy: ['draft-sweep-done', 'draft-sweep-given-up'],
  },
  {
    name: 'events that are tried once',
    mutation: { workflow: 'eventRetries', activity: 'retryEvents', fault: 'skipped', result: { nextAt: null } },
    first: true,
    caughtBy: ['event-retries-until-it-is-taken', 'event-retries-given-up', 'event-retries-waits-for-the-endpoint'],
  },
  {
    name: 'data keys that stay under the old key',
    mutation: { workflow: 'keyRotation', activity: 'rewrapDataKeys', fault: 'skipped', result: { rewrapped: 0 } },
    caughtBy: ['key-rotation-carried-on', 'key-rotation-that-found-old-keys-again'],
  },
  {
    name: 'an old key that goes before the backup that needs it',
    mutation: { workflow: 'keyRotation', activity: 'retireOldKeys', fault: 'altered', result: 'retired' },
    caughtBy: ['key-rotation-after-the-next-backup', 'key-rotation-waits-for-a-backup'],
  },
  {
    name: 'an old key that goes before the runs that need it',
    mutation: { workflow: 'keyRotation', activity: 'countRunsUnderOldKeys', fault: 'altered', result: 0 },
    caughtBy: ['key-rotation-of-payload-keys', 'key-rotation-waits-for-runs'],
  },
]
