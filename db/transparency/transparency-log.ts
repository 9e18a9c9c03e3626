/**
 * The append-only log of signed statements. The database numbers and chains the entries (`chain_entry`). An entry is
 * shown once a copy of it is outside of the database, so that a restore can lose none that anybody has seen.
 */

import { erasureSteps } from '../../policy/deletion.ts'
import { dayOf } from '../../shared/calendar.ts'
import type { Database, Queryable, Transaction } from '../connection/database.ts'
import type { DeletionSteps, Deletions, Policies, TransparencyHead, TransparencyLog } from '../connection/schema.ts'
import type { FieldCipher } from '../crypto/field-cipher.ts'
import type { PublicKey } from '../crypto/signer.ts'
import { receiptOf, stepOf } from '../erasure/deletions.ts'
import { deletionStatements, gapStatement, policyStatement, type Statement, signingKeyStatement } from './statements.ts'

export interface LogEntry extends Pick<TransparencyLog, 'seq' | 'kind' | 'leaf' | 'previous' | 'hash' | 'statement'> {
  /** the UTC day on which it was appended */
  day: string
}

export type LogHead = Pick<TransparencyLog, 'seq' | 'hash'>

/** An empty log ends with this. */
const emptyHead: LogHead = { seq: 0, hash: '0'.repeat(64) }

const columns = (sql: Queryable) => sql`seq, kind, to_char(day, 'YYYY-MM-DD') as day, leaf, previous, hash, statement`

/** Appends statements that are not in the log. @param tx holds the log's head until its end */
export async function appendStatements(tx: Transaction, statements: readonly Statement[], at: Date): Promise<number> {
  let appended = 0
  for (const { kind, text, leaf } of statements) {
    const { count } = await tx`
      insert into transparency_log (kind, day, leaf, statement)
      values (${kind}, ${dayOf(at)}::date, ${leaf}, ${kind === 'deletion' ? null : text})`
    appended += count
  }
  return appended
}

/** Erasures of one transaction: the log's head is locked meanwhile, and no erasure waits for it. */
const deletionsAtOnce = 500

/**
 * Appends the statements of deletions, a page at a time. They are sorted by their hashes: neither order nor time of an
 * entry says which of the day's erasures it is of.
 */
export async function appendDeletions(sql: Database, cipher: FieldCipher, at: Date): Promise<number> {
  for (let total = 0; ; ) {
    const page = await sql.begin(async (tx) => {
      const deletions = await tx<Deletions[]>`
        select * from deletions where logged < case when completed_at is null then 1 else 2 end
        order by receipt_id limit ${deletionsAtOnce} for update`
      const statements: Statement[] = []
      for (const { receipt, logged } of await withSteps(tx, deletions)) {
        const its = deletionStatements(cipher, receipt)
        statements.push(...its.slice(logged))
        await tx`update deletions set logged = ${its.length} where receipt_id = ${receipt.receiptId}`
      }
      statements.sort((a, b) => (a.leaf < b.leaf ? -1 : 1))
      return { read: deletions.length, appended: await appendStatements(tx, statements, at) }
    })
    total += page.appended
    if (page.read < deletionsAtOnce) return total
  }
}

async function withSteps(tx: Transaction, deletions: readonly Deletions[]) {
  const ids = deletions.map(({ receipt_id }) => receipt_id)
  const steps = await tx<DeletionSteps[]>`select * from deletion_steps where receipt_id = any(${ids}::uuid[])`
  steps.sort((a, b) => erasureSteps.indexOf(a.processor) - erasureSteps.indexOf(b.processor))
  return deletions.map((row) => {
    const its = steps.filter(({ receipt_id }) => receipt_id === row.receipt_id).map(stepOf)
    return { receipt: { ...receiptOf(row), steps: its }, logged: row.logged }
  })
}

/** Appends the posted versions of the policy, and the signing keys. */
export async function appendPublicStatements(
  sql: Database,
  keys: readonly PublicKey[],
  extra: readonly Statement[],
  at: Date,
): Promise<number> {
  const posted = await sql<(Policies & { posted_at: Date })[]>`
    select * from policies where posted_at is not null order by posted_at, version`
  const statements = [...keys.map(signingKeyStatement), ...posted.map(policyStatement), ...extra]
  return sql.begin((tx) => appendStatements(tx, statements, at))
}

/** The whole end of the chain, shown or not. */
export async function readHead(sql: Queryable): Promise<LogHead> {
  const [row] = await sql<Pick<TransparencyHead, 'seq' | 'hash'>[]>`select seq, hash from transparency_head`
  return row ?? emptyHead
}

/** Shows the entries up to a number. Their copy must be outside of this database. */
export async function publishUntil(sql: Queryable, seq: number): Promise<void> {
  await sql`update transparency_head set published_seq = ${seq} where published_seq < ${seq}`
}

/** The last entry that is shown. */
export async function publishedHead(sql: Queryable): Promise<LogHead> {
  const [row] = await sql<LogHead[]>`
    select l.seq, l.hash from transparency_head h join transparency_log l on l.seq = h.published_seq`
  return row ?? emptyHead
}

/** The entries that are shown, by number. */
export const listEntries = (sql: Queryable, page: { after: number; limit: number }): Promise<LogEntry[]> =>
  sql<LogEntry[]>`
    select ${columns(sql)} from transparency_log
    where seq > ${page.after} and seq <= (select published_seq from transparency_head) order by seq limit ${page.limit}`

/** The entry of a statement, and whether it is shown; undefined when it was never appended. */
export async function findStatement(
  sql: Queryable,
  leaf: string,
): Promise<(LogEntry & { published: boolean }) | undefined> {
  const [entry] = await sql<(LogEntry & { published: boolean })[]>`
    select ${columns(sql)}, seq <= (select published_seq from transparency_head) as published
    from transparency_log where leaf = ${leaf}`
  return entry
}

/** How many statements of a deletion were appended. */
export async function countLogged(sql: Queryable, receiptId: string): Promise<number> {
  const [row] = await sql<Pick<Deletions, 'logged'>[]>`select logged from deletions where receipt_id = ${receiptId}`
  return row?.logged ?? 0
}

/** Every entry, by number: for the copy outside. */
export const exportLog = (sql: Queryable): Promise<LogEntry[]> =>
  sql<LogEntry[]>`select ${columns(sql)} from transparency_log order by seq`

/** A copy and the database go apart: one of them was changed. */
export class LogForked extends Error {
  override readonly name = 'LogForked'
}

/**
 * Adds the entries of a copy that come after those of the database, in a restore.
 * @throws LogForked when both have an entry of the same number and another hash
 */
export async function importLog(sql: Database, copy: readonly LogEntry[]): Promise<void> {
  const known = new Map((await exportLog(sql)).map((entry) => [entry.seq, entry.hash]))
  for (const { seq, hash } of copy) {
    const ours = known.get(seq)
    if (ours !== undefined && ours !== hash) throw new LogForked(`the transparency log forks at entry ${seq}`)
  }
  const { seq: last } = await readHead(sql)
  const later = copy.filter(({ seq }) => seq > last)
  await sql.begin(async (tx) => {
    for (const { kind, day, leaf, hash, statement, seq, previous } of later) {
      // A gap of the copy is one of ours, too: its entry names the end of the chain that it goes on from.
      const head = await readHead(tx)
      if (head.seq + 1 < seq) await resumeAt(tx, { seq: seq - 1, hash: previous })
      await tx`insert into transparency_log (kind, day, leaf, hash, statement)
        values (${kind}, ${day}::date, ${leaf}, ${hash}, ${statement})`
    }
  })
}

/**
 * Goes on from an end of the chain that was kept outside, and appends which entries are lost.
 * @returns their number; 0 when the log has this end
 * @throws LogForked when the log has another entry of this number
 */
export async function continueFrom(sql: Database, kept: LogHead, at: Date): Promise<number> {
  return sql.begin(async (tx) => {
    const head = await readHead(tx)
    if (kept.seq <= head.seq) {
      const [same] = await tx`select from transparency_log where seq = ${kept.seq} and hash = ${kept.hash}`
      if (!same) throw new LogForked(`the transparency log forks at entry ${kept.seq}`)
      return 0
    }
    await resumeAt(tx, kept)
    await appendStatements(tx, [gapStatement({ after: head.seq, until: kept.seq, hash: kept.hash })], at)
    return kept.seq - head.seq
  })
}

async function resumeAt(sql: Queryable, head: LogHead): Promise<void> {
  await sql`update transparency_head set seq = ${head.seq}, hash = ${head.hash}`
}
