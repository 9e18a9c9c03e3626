/**
 * R3: backups are kept for at most 30 days. The copy of ledger, receipts and log beside the backups is read as it was
 * written, and in no other form.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { openBackupFolder } from '../../db/backup/backup-folder.ts'
import { readLedgerCopy } from '../../db/erasure/ledger-copy.ts'
import { seededBytes } from '../harness/seed.ts'

const path = await mkdtemp(join(tmpdir(), 'ledger-copy-'))
afterAll(() => rm(path, { recursive: true, force: true }))
const folder = openBackupFolder(path, { activeId: 'b1', keys: new Map([['b1', seededBytes(32)]]) })

let minutes = 10
/** Writes a copy that is newer than those before. */
async function write(...lines: unknown[]): Promise<void> {
  minutes += 1
  const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
  await folder.write('ledger', `2026-11-29T03-${minutes}-00-000Z`, Readable.from([gzipSync(text)]))
}

const entry = {
  accountRef: 'acc',
  entry: 'erased',
  reason: 'requested',
  at: new Date('2026-11-01'),
  backupsGoneBy: new Date('2026-12-01'),
}
const receipt = {
  receiptId: 'r',
  accountRef: 'acc',
  reason: 'requested',
  erasedAt: new Date('2026-11-01T10:00:00Z'),
  backupsGoneBy: new Date('2026-12-01'),
  completedAt: null,
  steps: [{ processor: 'mail', state: 'done', code: null, changedAt: new Date('2026-11-01T10:00:01Z') }],
}
const logged = { seq: 1, kind: 'deletion', leaf: 'l', previous: 'p', hash: 'h', statement: null, day: '2026-11-01' }

test('R3: entries, receipts and log come back with their times', async () => {
  await write({ entry }, { receipt }, { logged })
  expect(await readLedgerCopy(folder)).toEqual({ ledger: [entry], receipts: [receipt], log: [logged] })
})

test.each([
  ['an entry without its time', { entry: { ...entry, at: undefined } }],
  ['an entry of another kind', { entry: { ...entry, entry: 'forgiven' } }],
  [
    'a step that this build does not know',
    { receipt: { ...receipt, steps: [{ ...receipt.steps[0], processor: 'x' }] } },
  ],
  ['a line of another kind', { consent: {} }],
])('a copy with %s is refused', async (_what, line) => {
  await write({ entry }, line)
  await expect(readLedgerCopy(folder)).rejects.toThrow('the backup file is of an unknown form')
})
