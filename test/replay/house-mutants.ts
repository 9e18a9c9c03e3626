/** Of what keeps the house: the catalogue, the books, backups, keys. */
import type { Mutant } from './mutants.ts'

export const houseMutants: Mutant[] = [
  {
    name: 'a catalogue that nobody is asked about',
    line: 'const { outcomes, changes } = await syncCatalogue({',
    first: true,
    replacement: 'const { outcomes, changes } = await (async () => ({ outcomes: {}, changes: {} }))({',
    caughtBy: ['catalogue-sync-done', 'catalogue-sync-waits-for-a-provider'],
  },
  {
    name: 'a provider that is not asked again',
    line: 'if (unasked.length === 0) break;',
    replacement: 'break;',
    caughtBy: ['catalogue-sync-left-to-the-next', 'catalogue-sync-waits-for-a-provider'],
  },
  {
    name: 'a sweep that looks for nobody',
    line: 'return openInactivityRuns({',
    first: true,
    replacement: 'return (() => ({ opened: 0 }))({',
    caughtBy: ['inactivity-sweep-done', 'inactivity-sweep-given-up'],
  },
  {
    name: 'months of the books that nobody watches',
    line: 'return openRetentionRuns();',
    first: true,
    replacement: 'return { months: 0 };',
    caughtBy: ['books-cohorts-done', 'books-cohorts-given-up'],
  },
  {
    name: 'books that are never purged',
    line: 'const { purged, left, held, nextPurgeAt } = await purgeBooks({',
    first: true,
    replacement:
      'const { purged, left, held, nextPurgeAt } = await (async () => ({ purged: {}, left: 0, held: false, nextPurgeAt: null }))({',
    caughtBy: [
      'invoice-retention-purged',
      'invoice-retention-of-an-empty-month',
      'invoice-retention-waits-for-the-end-of-the-term',
    ],
  },
  {
    name: 'books past their term of which no operator learns',
    line: 'await raiseUnpurged({',
    replacement: '(() => {})({',
    caughtBy: ['invoice-retention-waits-for-another-try'],
  },
  {
    name: 'books that are held and taken for gone',
    line: 'else if (left > 0) {',
    replacement: 'else if (left > 0) { if (held) return state;',
    caughtBy: ['invoice-retention-held-and-let-go', 'invoice-retention-waits-for-the-month-to-be-let-go'],
  },
  {
    name: 'a backup that is not made',
    line: 'bytes: (await makeBackup({',
    first: true,
    replacement: 'bytes: (await (async () => ({ bytes: 0 }))({',
    caughtBy: ['backup-kept', 'backup-failed'],
  },
  {
    name: 'a failed backup of which no operator learns',
    line: 'await noteBackupFailure({',
    replacement: '(() => {})({',
    caughtBy: ['backup-failed'],
  },
  {
    name: 'old backups that stay',
    line: 'const { pruned } = await pruneBackups({',
    replacement: 'const { pruned } = await (async () => ({ pruned: 0 }))({',
    caughtBy: ['backup-kept'],
  },
  {
    name: 'a drill that restores nothing',
    line: 'return drillRestore(',
    first: true,
    replacement: 'return (() => ({}))(',
    caughtBy: ['restore-drill-done', 'restore-drill-of-a-damaged-backup'],
  },
  {
    name: 'a security log that grows',
    line: 'turnSecurityLog(clock),',
    first: true,
    replacement: 'Promise.resolve({ partitionsDropped: 0 }),',
    caughtBy: ['housekeeping-done', 'housekeeping-given-up'],
  },
  {
    name: 'keys that nobody looks at',
    line: 'await checkKeys({',
    first: true,
    replacement: '(() => {})({',
    caughtBy: ['key-check-done', 'key-check-given-up'],
  },
  {
    name: 'a rotation that is taken for recorded',
    line: 'if (await quick.findRotation({',
    first: true,
    replacement: 'if (await (async () => true)({',
    caughtBy: ['key-rotation-done', 'key-rotation-never-recorded', 'key-rotation-waits-for-processes'],
  },
  {
    name: 'data keys that stay under the old key',
    line: 'const { rewrapped } = await rewrapDataKeys({',
    replacement: 'const { rewrapped } = await (async () => ({ rewrapped: 0 }))({',
    caughtBy: ['key-rotation-carried-on', 'key-rotation-that-found-old-keys-again'],
  },
  {
    name: 'an old key that goes before the backup that needs it',
    line: "if (outcome === 'retired') return moveTo('done', 0);",
    replacement: "if (outcome !== 'in_use') return moveTo('done', 0);",
    caughtBy: ['key-rotation-after-the-next-backup', 'key-rotation-waits-for-a-backup'],
  },
  {
    name: 'an old key that goes before the runs that need it',
    line: 'if (remaining === 0) {',
    replacement: 'if (remaining >= 0) {',
    caughtBy: ['key-rotation-of-payload-keys', 'key-rotation-waits-for-runs'],
  },
]
