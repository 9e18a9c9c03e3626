/** Deletes what belongs to an account: rows are found by their owner, never by an id that they only mention. */

import type { PendingQuery, Row } from 'postgres'
import { keysOf } from '../../shared/keys-of.ts'
import type { Database, Fragment, Queryable, Transaction } from '../connection/database.ts'
import type { OwnedIds as OwnedIdRows } from '../connection/schema.ts'
import { systemKeyId } from '../crypto/data-keys.ts'
import type { Trace } from './deletion-seals.ts'
import { mentionsIn, patternOf } from './mentions.ts'

/** The ids of an account's rows, by kind. */
export interface OwnedIds {
  orders: string[]
  esims: string[]
  privacyRequests: string[]
  emailChanges: string[]
}

/**
 * Reads the ids of an account's rows. An id that another account has as well is left out: rows about it may be theirs.
 */
export async function readOwnedIds(sql: Queryable, accountId: string): Promise<OwnedIds> {
  const rows = await sql<Pick<OwnedIdRows, 'kind' | 'id'>[]>`
    select kind, id from owned_ids own where account_id = ${accountId}
      and not ${isOfAnother(sql, sql`own.id`, accountId)}
    order by id`
  const ofKind = (kind: string) => rows.flatMap((row) => (row.kind === kind ? [row.id] : []))
  return {
    orders: ofKind('order'),
    esims: ofKind('esim'),
    privacyRequests: ofKind('privacy_request'),
    emailChanges: ofKind('email_change'),
  }
}

/**
 * Deletes an account with all its rows, each found by an index. The books stay, without a tie to the account. In this
 * transaction the database refuses to delete a row of any other account (`erase_only`).
 */
export async function eraseRows(tx: Transaction, accountId: string, owned: OwnedIds): Promise<void> {
  const ids = [accountId, ...Object.values(owned).flat()]
  // Sent in one round trip, since a caller waits for the answer.
  await Promise.all([
    tx`select erase_only(${accountId})`,
    // A subject may be the id of a run, which ends with the id of what it is about.
    tx`delete from attention where subject_id = any(${ids}) or uuid_within(subject_id) = any(${ids}::uuid[])`,
    tx`delete from reconciliation_differences where subject_id = any(${ids})`,
    tx`delete from restored_items where subject_id = any(${ids}) or uuid_within(subject_id) = any(${ids}::uuid[])`,
    tx`delete from attention where subject_id = any(array(
      select stripe_dispute_id from disputes d join orders o on o.id = d.order_id where o.account_id = ${accountId}
        and not case when d.stripe_dispute_id ~ ${uuidForm.source}
          then ${isOfAnother(tx, tx`d.stripe_dispute_id::uuid`, accountId)} else false end))`,
    tx`delete from idempotency_keys where resource_id = any(${ids}) and (account_id is null or account_id = ${accountId})`,
    tx`delete from sends where subject_id = any(${ids}) and (account_id is null or account_id = ${accountId})`,
    // Actions of operators stay on record for 90 days, without the account that they were about.
    tx`update security_log set account_id = null where account_id = ${accountId} and kind = 'operator_action'`,
    tx`delete from security_log where account_id = ${accountId}`,
    tx`delete from access_log where account_id = ${accountId}`,
    tx`delete from events where account_id = ${accountId}`,
    tx`delete from data_keys where account_id = ${accountId}`,
    // Foreign keys cascade to identities, devices, consents and orders, and from orders to eSIMs, refunds and invoice
    // links.
    tx`delete from accounts where id = ${accountId}`,
  ])
}

/**
 * Which rows to read. A search by index takes no longer with more accounts; any other needs a scan of the table.
 */
export type Depth = 'indexes' | 'everything'

/**
 * Deletes rows about an erased account that were written after its erasure. No foreign key ties them to it: they are
 * found by their subject, and stay when another account has a row with the same id. What other rows say of it among
 * other words is replaced.
 */
export async function eraseLateRows(
  sql: Database,
  { ids: [accountId = '', ...ids] }: Trace,
  depth: Depth = 'everything',
): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    const free = await withoutOthers(tx, accountId, [accountId, ...ids])
    await tx`delete from attention where subject_id = any(${free})`
    // An operator must still answer the bank: the task of a dispute stays, without the order.
    await tx`update attention set attributes = attributes - 'orderId', detail = 'erased'
      where attributes ->> 'orderId' in (select unnest(${free}::text[]))`
    await tx`delete from reconciliation_differences where subject_id = any(${free})`
    await tx`delete from restored_items where subject_id = any(${free})`
    await tx`delete from idempotency_keys where resource_id = any(${free}) and account_id is null`
    await tx`delete from sends where subject_id = any(${free.filter(isUuid)}) and account_id is null`
    await tx`delete from disputes where stripe_dispute_id = any(${free}) and order_id is null`
    await tx`delete from security_log where account_id = ${accountId}`
    await tx`delete from access_log where account_id = ${accountId}`
    await tx`delete from events where account_id = ${accountId}`
    await tx`delete from data_keys where account_id = ${accountId}`
    if (depth === 'indexes') return
    await eraseMentions(tx, free)
  })
}

/** A regular expression of thousands of ids is compiled for minutes. */
const mentionsAtOnce = 100

/**
 * Erases what rows about other things say of an erased person: plans of a restore, facts of tasks, and what operators
 * have typed. Of a text the id alone: the rest may be about others. Only rows that mention one are changed: to look for
 * each hundred ids in all rows takes minutes for thousands of ids.
 */
async function eraseMentions(tx: Transaction, ids: readonly string[]): Promise<void> {
  await tx`delete from operator_acts where account_id is null and id in (
    select unnest(${ids.filter(isUuid)}::uuid[]))`
  const mentions: Mention[] = []
  for await (const { row, id } of mentionsIn<TextOfOthers>(textsOfOthers(tx), ids))
    mentions.push({ table: row.table, key: row.key, id })
  for (let from = 0; from < mentions.length; from += mentionsAtOnce)
    await eraseIds(tx, mentions.slice(from, from + mentionsAtOnce))
}

interface Mention {
  table: keyof typeof textsByTable
  /** of the row, in the column of `key` */
  key: string
  id: string
}

/**
 * The texts of rows about other things: `words` that people read, and `references`, which name what a row is about. A
 * row is found by its `key`: its primary key, or the indexed part of it.
 */
const textsByTable = {
  attention: { key: 'id', type: 'uuid', references: ['subject_id', 'attributes'], words: ['detail', 'note'] },
  restored_items: { key: 'subject_id', type: 'text', references: ['subject_id', 'plan'], words: ['detail'] },
  reconciliation_differences: { key: 'subject_id', type: 'text', references: ['subject_id'], words: ['detail'] },
  operator_acts: { key: 'id', type: 'uuid', references: ['subject'], words: ['reason'] },
  bulk_actions: { key: 'id', type: 'uuid', references: [], words: ['reason'] },
  books_holds: { key: 'month', type: 'date', references: [], words: ['reason'] },
  breaches: {
    key: 'id',
    type: 'uuid',
    references: [],
    words: [
      'nature',
      'consequences',
      'measures',
      'contact',
      'authority_reference',
      'authority_not_told_because',
      'people_not_told_because',
    ],
  },
} as const

interface TextOfOthers extends Pick<Mention, 'table' | 'key'> {
  text: string
}

/** All of these texts, a row of a table each. */
function textsOfOthers(tx: Transaction) {
  const ofTables = keysOf(textsByTable).map((table) => {
    const { key, references, words } = textsByTable[table]
    return tx`select ${table} as table, ${tx(key)}::text as key, concat_ws(e'\n', ${tx([...references, ...words])}) as text
      from ${tx(table)}`
  })
  return tx<TextOfOthers[]>`${ofTables.reduce((all, each) => tx`${all} union all ${each}`)}`
}

async function eraseIds(tx: Transaction, mentions: readonly Mention[]): Promise<void> {
  const ids = [...new Set(mentions.map(({ id }) => id))]
  const pattern = patternOf(ids)
  const without = (text: Fragment) => tx`regexp_replace(${text}, ${pattern}, 'erased', 'gi')`
  const those = (table: Mention['table']) => {
    const { key: column, type } = textsByTable[table]
    const keys = tx`${mentions.flatMap((each) => (each.table === table ? [each.key] : []))}::text[]`
    if (type === 'text') return tx`${tx(column)} = any(${keys})`
    return tx`${tx(column)} = any(${keys}::${type === 'uuid' ? tx`uuid[]` : tx`date[]`})`
  }
  await tx`delete from attention where subject_id ~* ${pattern} and ${those('attention')}`
  await tx`update attention set attributes = (
      select jsonb_object_agg(key, case when value::text !~* ${pattern} then value
        when jsonb_typeof(value) = 'string' then to_jsonb(${without(tx`value #>> '{}'`)}) else '"erased"' end)
      from jsonb_each(attributes))
    where attributes::text ~* ${pattern} and ${those('attention')}`
  // The deletion settles the payment and returns the eSIM of an order that was there. What a restore alone knows of it
  // still settles, without the order's id: the deletion has ended the order's run.
  await tx`delete from restored_items where ${those('restored_items')} and (subject_id ~* ${pattern}
    or plan ->> 'paymentIntentId' = any(${ids}) or plan ->> 'pageId' = any(${ids})
    or plan -> 'placement' ->> 'clientRef' = any(${ids}))`
  await tx`update restored_items set plan = plan || '{"orderId": null}'
    where plan ->> 'orderId' = any(${ids}) and ${those('restored_items')}`
  await tx`delete from reconciliation_differences where subject_id ~* ${pattern} and ${those('reconciliation_differences')}`
  await tx`update operator_acts set subject = 'erased'
    where account_id is null and subject = any(${ids}) and ${those('operator_acts')}`
  for (const table of keysOf(textsByTable))
    for (const column of textsByTable[table].words)
      await tx`update ${tx(table)} set ${tx(column)} = ${without(tx`${tx(column)}`)}
        where ${tx(column)} ~* ${pattern} and ${those(table)}`
}

/** The condition that another account has a row with this id. */
const isOfAnother = (sql: Queryable, id: PendingQuery<Row[]>, accountId: string) =>
  sql`exists (select from owned_ids other where other.id = ${id} and other.account_id <> ${accountId})`

/** The ids of an erased account that no other account, no receipt and not the system's key has as well. */
export async function withoutOthers(sql: Queryable, accountId: string, ids: readonly string[]): Promise<string[]> {
  const uuids = ids.filter(isUuid)
  const others = await sql<Pick<OwnedIdRows, 'id'>[]>`
    select id from unnest(${uuids}::uuid[]) given (id) where ${isOfAnother(sql, sql`given.id`, accountId)}
    union all select receipt_id from deletions where receipt_id = any(${uuids}::uuid[])`
  const taken = new Set([systemKeyId, ...others.map(({ id }) => id)])
  return ids.filter((id) => !taken.has(id))
}

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Whether a text is a UUID in lower case, as PostgreSQL writes it. */
export const isUuid = (text: string): boolean => uuidForm.test(text)
