/** Receipts, policies and evidence can be checked by programs that are not ours, and nobody can change them unseen. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fc from 'fast-check'
import pMap from 'p-map'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openBackupFolder } from '../../db/backup/backup-folder.ts'
import { databaseUrl, fillFromBackup } from '../../db/backup/restore.ts'
import { connectDatabase } from '../../db/connection/database.ts'
import { createSigner } from '../../db/crypto/signer.ts'
import { exportErasures } from '../../db/erasure/erasures.ts'
import { rememberSigningKeys } from '../../db/transparency/signing-keys.ts'
import { signingKeyStatement } from '../../db/transparency/statements.ts'
import {
  appendStatements,
  continueFrom,
  exportLog,
  importLog,
  LogForked,
  readHead,
} from '../../db/transparency/transparency-log.ts'
import { type BackupResult, backupType } from '../../workflows/backup/backup.contract.ts'
import {
  type TransparencyNightReport,
  transparencyNightType,
} from '../../workflows/transparency/transparency-night.contract.ts'
import { takeSnapshot } from '../erasure/snapshot.ts'
import { deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import { lacks } from '../harness/optional/optional.ts'
import { drawPart, seededBytes } from '../harness/seed.ts'
import { runLater } from '../harness/temporal/run-later.ts'

const harness = await shareStack({ books: false })
const { sql, config } = harness.context
const night = (inDays = 0) => runLater<TransparencyNightReport>(harness, transparencyNightType, inDays)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ama-esim-receipts-'))
})
afterAll(() => rm(folder, { recursive: true }))

const docs = await readFile(new URL('../../docs/receipts.md', import.meta.url), 'utf8')
const block = (language: string): string => new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(docs)?.[1] ?? ''

interface Files {
  receipt: Buffer
  signature: Buffer
}

async function download(receiptId: string): Promise<Files> {
  const file = async (name: string) =>
    Buffer.from(await (await fetch(`${harness.urls.api}/receipts/${receiptId}/${name}`)).arrayBuffer())
  return { receipt: await file('receipt.json'), signature: await file('receipt.json.sig') }
}

async function publicKeys(): Promise<string> {
  const path = join(folder, 'keys')
  await writeFile(path, await (await fetch(`${harness.urls.api}/.well-known/ama-esim-signing-keys`)).text())
  return path
}

let files = 0
async function isGood({ receipt, signature }: Files, keys: string): Promise<boolean> {
  files += 1
  const sig = join(folder, `sig-${files}`)
  await writeFile(sig, signature)
  const args = ['-Y', 'verify', '-f', keys, '-I', 'ama-esim', '-n', 'receipt@ama-esim', '-s', sig]
  const running = promisify(execFile)('ssh-keygen', args)
  running.child.stdin?.on('error', () => undefined)
  running.child.stdin?.end(receipt)
  const good = await running.then(
    () => true,
    () => false,
  )
  await rm(sig)
  return good
}

async function erased() {
  const person = await harness.signUp()
  return { person, deletion: await deleteAccount(harness.stack, person) }
}

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex')

describe.skipIf(lacks('ssh-keygen'))('a receipt, verified by another program (skipped without ssh-keygen)', () => {
  test('is good by the commands of the documentation', async () => {
    const { deletion } = await erased()
    const env = { ...process.env, URL: harness.urls.api, ID: deletion.receiptId }
    const { stdout } = await promisify(execFile)('sh', ['-ec', block('sh')], { cwd: folder, env })
    expect(stdout).toContain('Good "receipt@ama-esim" signature for ama-esim')
    const page = await (await fetch(`${harness.urls.api}/receipts/${deletion.receiptId}`)).text()
    expect(page).toContain(block('sh').trim().split('\n').at(-1)?.replace('<', '&lt;'))
  })

  test('is refused when any one byte of it or of its signature is another', async () => {
    const { deletion } = await erased()
    const genuine = await download(deletion.receiptId)
    const keys = await publicKeys()
    expect(await isGood(genuine, keys)).toBe(true)
    const masks = fc.sample(fc.integer({ min: 1, max: 255 }), {
      numRuns: genuine.receipt.length + genuine.signature.length,
      seed: seededBytes(4).readInt32BE(),
    })
    // Each is a process: a run tries a part of them, and `npm test -- --all` every byte.
    const flips = drawPart(8)(
      (['receipt', 'signature'] as const).flatMap((file) =>
        [...genuine[file].keys()].map((index) => ({ file, index, mask: masks.pop() ?? 1 })),
      ),
    )
    const lastLine = genuine.signature.lastIndexOf('-----END')
    const taken = await pMap(
      flips,
      async ({ file, index, mask }) => {
        const changed = Buffer.from(genuine[file])
        changed[index] = (changed[index] ?? 0) ^ mask
        // Between its lines any white space means the same to ssh-keygen, and after its last line nothing does.
        const isFormatting = file === 'signature' && genuine.signature[index] === 10
        if (isFormatting && (index > lastLine || /\s/.test(String.fromCharCode(changed[index] ?? 0)))) return null
        return (await isGood({ ...genuine, [file]: changed }, keys)) ? `${file} ${index} ^ ${mask}` : null
      },
      { concurrency: 4 },
    )
    expect(taken.filter(Boolean)).toEqual([])
    expect(flips.length).toBeGreaterThan(600 / 8)
  })

  test('stays good after the key that signed it was replaced', async () => {
    const { deletion } = await erased()
    const before = await download(deletion.receiptId)
    const next = createSigner({ activeId: 'signing-2', keys: new Map([['signing-2', seededBytes(32)]]) })
    await rememberSigningKeys(sql, next.publicKeys, new Date())
    const keys = await publicKeys()
    expect((await readFile(keys, 'utf8')).trim().split('\n')).toHaveLength(2)
    const text = before.receipt.toString()
    expect(await isGood(before, keys)).toBe(true)
    expect(await isGood({ receipt: before.receipt, signature: Buffer.from(next.sign(text)) }, keys)).toBe(true)
    const otherSigner = createSigner({ activeId: 'x', keys: new Map([['x', seededBytes(32)]]) })
    expect(await isGood({ receipt: before.receipt, signature: Buffer.from(otherSigner.sign(text)) }, keys)).toBe(false)
  })
})

async function wholeLog() {
  const { entries, head } = expectStatus(await harness.anonymous.get('/v1/transparency-log'), 200)
  return { entries, head }
}

describe('the transparency log', () => {
  test('has each deletion, policy, key and night once, and shows an entry when a copy of it is outside', async () => {
    const { deletion } = await erased()
    const { receipt } = await download(deletion.receiptId)
    const path = `/v1/deletions/${deletion.receiptId}/signed`
    expect(expectStatus(await harness.anonymous.get(path), 200)).toMatchObject({ leaf: sha256(receipt), entry: null })
    const { head } = await night()
    const { entry } = expectStatus(await harness.anonymous.get(path), 200)
    expect(entry).toMatchObject({ kind: 'deletion', leaf: sha256(receipt), statement: null })
    const shown = await wholeLog()
    expect(shown.head).toMatchObject(head)
    const kinds = shown.entries.map(({ kind }: { kind: string }) => kind)
    expect(new Set(kinds)).toEqual(new Set(['deletion', 'policy', 'evidence', 'signing_key']))
    const evidence = shown.entries.find(({ kind }: { kind: string }) => kind === 'evidence')
    expect(JSON.parse(evidence.statement).evidence.promises.length).toBeGreaterThan(30)
    const signed = expectStatus(await harness.anonymous.get(`/v1/transparency-log/${evidence.seq}`), 200)
    expect(signed.text).toBe(evidence.statement)
    if (!lacks('ssh-keygen')) {
      const given = { receipt: Buffer.from(signed.text), signature: Buffer.from(signed.signature) }
      expect(await isGood(given, await publicKeys())).toBe(true)
    }
    expect((await harness.anonymous.get(`/v1/transparency-log/${entry.seq}`)).status).toBe(404)
    expect((await night()).appended).toBe(0)
  })

  test.skipIf(lacks('python3'))('is whole by the program of the documentation (skipped without python3)', async () => {
    await erased()
    const { head } = await night()
    const program = join(folder, 'verify.py')
    await writeFile(program, block('python'))
    const { stdout } = await promisify(execFile)('python3', [program, harness.urls.api])
    expect(stdout.trim()).toBe(`${head.seq} ${head.hash}`)
  })

  test('gets the completed receipt as a second entry, and the first one stays', async () => {
    const { deletion } = await erased()
    const first = await download(deletion.receiptId)
    await night()
    await harness.sims.stripe.do('clock', { advanceSeconds: 92 * 86_400 })
    await deletion.fastForward('92 days')
    const second = await download(deletion.receiptId)
    expect(JSON.parse(second.receipt.toString())).toMatchObject({ completedOn: expect.any(String) })
    await night()
    const leaves = (await exportLog(sql)).map(({ leaf }) => leaf)
    expect(leaves).toEqual(expect.arrayContaining([sha256(first.receipt), sha256(second.receipt)]))
    const { entry } = expectStatus(await harness.anonymous.get(`/v1/deletions/${deletion.receiptId}/signed`), 200)
    expect(entry.leaf).toBe(sha256(second.receipt))
  })

  test('holds nothing that leads to an erased person, and no table holds a salt', async () => {
    const several = [await erased(), await erased(), await erased()]
    const receipts = await Promise.all(several.map(({ deletion }) => download(deletion.receiptId)))
    await night()
    const rows = await takeSnapshot(harness.context)
    const ofLog = (rows.get('transparency_log') ?? []).filter((row) => row.includes('"deletion"')).join('\n')
    const everything = [...rows.values()].flat().join('\n')
    for (const [index, { person, deletion }] of several.entries()) {
      const { salt, ...rest } = JSON.parse(String(receipts[index]?.receipt))
      expect(everything).not.toContain(salt)
      const known = [person.accountId, deletion.receiptId, harness.context.cipher.accountRef(person.accountId)]
      for (const text of known) expect(ofLog).not.toContain(text)
      // Without the salt the hash cannot be computed from the rows that stay.
      expect(ofLog).not.toContain(sha256(`${JSON.stringify(rest, null, 2)}\n`))
    }
    const leaves = receipts.map(({ receipt }) => sha256(receipt))
    const order = (await exportLog(sql)).map(({ leaf }) => leaf).filter((leaf) => leaves.includes(leaf))
    expect(order).toEqual([...leaves].sort())
  })

  test('does not fork when twenty append at once', async () => {
    const statement = () => signingKeyStatement({ id: 'one of twenty', publicKey: seededBytes(32) })
    const twice = statement()
    const before = await readHead(sql)
    await Promise.all(
      Array.from({ length: 20 }, () => sql.begin((tx) => appendStatements(tx, [twice, statement()], new Date()))),
    )
    const log = await exportLog(sql)
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_entry, index) => index + 1))
    expect(log.length).toBe(before.seq + 21)
    let previous = '0'.repeat(64)
    for (const entry of log) {
      const line = `${entry.seq} ${entry.kind} ${entry.day} ${entry.leaf} ${previous}`
      expect([entry.previous, entry.hash]).toEqual([previous, sha256(line)])
      previous = entry.hash
    }
  })

  test('refuses every change', async () => {
    await night()
    const attempts = [
      sql`update transparency_log set day = day + 1`,
      sql`delete from transparency_log where seq = 1`,
      sql`truncate transparency_log`,
      sql`update transparency_head set seq = seq - 1`,
      sql`update transparency_head set hash = repeat('1', 64)`,
      sql`delete from transparency_head`,
      sql`insert into transparency_head values (false, 1, '', 0)`,
      sql`delete from signing_keys`,
      sql`update signing_keys set public_key = decode(repeat('00', 32), 'hex')`,
      sql`insert into transparency_log (kind, day, leaf, statement) values ('policy', now(), repeat('a', 64), 'other')`,
    ]
    for (const attempt of attempts) await expect(attempt).rejects.toThrow(/append-only|forward|leaf is not/)
  })

  test('does not sign a receipt whose row was changed after it was logged', async () => {
    const { deletion } = await erased()
    await night()
    await sql`update deletions set reason = 'child' where receipt_id = ${deletion.receiptId}`
    expect((await harness.anonymous.get(`/v1/deletions/${deletion.receiptId}/signed`)).status).toBe(500)
    await sql`update deletions set reason = 'requested' where receipt_id = ${deletion.receiptId}`
  })
})

test('a restore goes on where the log ended, and refuses a copy that forks it', async () => {
  await night()
  const { id } = await runLater<BackupResult>(harness, backupType, 0)
  await erased()
  const { head } = await night()
  const backups = openBackupFolder(config.BACKUP_FOLDER, config.BACKUP_KEYS)
  await sql`create database restored_log`
  const url = databaseUrl(config.DATABASE_URL, 'restored_log')
  await fillFromBackup(url, { folder: backups, toolsFolder: config.PG_TOOLS_FOLDER, backupId: id, erasures: [] })
  const restored = connectDatabase(url, { maxConnections: 1 })
  try {
    expect(await readHead(restored)).toEqual(head)
    expect((await restored`select published_seq from transparency_head`)[0]).toEqual({ published_seq: head.seq })
    const { log } = await exportErasures(sql)
    const forked = log.map((entry) => (entry.seq === 2 ? { ...entry, hash: 'f'.repeat(64) } : entry))
    await expect(importLog(restored, forked)).rejects.toThrow(LogForked)
    const statement = signingKeyStatement({ id: 'after the restore', publicKey: seededBytes(32) })
    await restored.begin((tx) => appendStatements(tx, [statement], new Date()))
    const last = (await exportLog(restored)).at(-1)
    expect(last).toMatchObject({ seq: head.seq + 1, previous: head.hash })
    // The database that was replaced has gone on as well: its entry of this number is another one.
    const other = signingKeyStatement({ id: 'meanwhile', publicKey: seededBytes(32) })
    await sql.begin((tx) => appendStatements(tx, [other], new Date()))
    await expect(importLog(restored, await exportLog(sql))).rejects.toThrow(LogForked)
    await expect(continueFrom(restored, await readHead(sql), new Date())).rejects.toThrow(LogForked)
    const kept = { seq: head.seq + 5, hash: 'e'.repeat(64) }
    expect(await continueFrom(restored, kept, new Date())).toBe(4)
    const gap = (await exportLog(restored)).at(-1)
    expect(gap).toMatchObject({ seq: kept.seq + 1, previous: kept.hash, kind: 'gap' })
  } finally {
    await restored.end()
  }
})

test('a database that lost entries by other means gets them back from the copy, and a fork becomes an operator task', async () => {
  await erased()
  const { head } = await night()
  // A restore of the server's own snapshot leaves the log in this state.
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`delete from transparency_log where seq = ${head.seq}`
    await tx`update transparency_head set seq = seq - 1, published_seq = seq - 1,
      hash = (select hash from transparency_log l where l.seq = transparency_head.seq - 1)`
  })
  await erased()
  const later = await night()
  expect(later.head.seq).toBe(head.seq + 1)
  expect((await exportLog(sql)).at(-2)?.hash).toBe(head.hash)
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`update transparency_log set hash = repeat('d', 64) where seq = ${head.seq}`
  })
  await expect(night()).rejects.toThrow()
  const tasks = await sql`select detail from attention where kind = 'transparency_log_forked'`
  expect(tasks).toEqual([{ detail: `the transparency log forks at entry ${head.seq}` }])
})

test('npm run keys makes a signing key, without any setting', async () => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'cli/keys.ts', 'create', 'signing'],
    {
      env: { PATH: process.env.PATH },
    },
  )
  const [id = '', seed = ''] = stdout.trim().split(':')
  const signer = createSigner({ activeId: id, keys: new Map([[id, Buffer.from(seed, 'base64')]]) })
  expect(signer.sign('text')).toContain('BEGIN SSH SIGNATURE')
})
