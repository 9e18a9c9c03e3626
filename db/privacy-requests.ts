/**
 * G6, requests are answered within 30 days: privacy requests. Message and answer are encrypted under the account's data
 * key, or without one the system's.
 */
import { milliseconds } from '../policy/periods.ts'
import { plusMs } from '../shared/calendar.ts'
import { emailIndexOf } from './accounts.ts'
import { violatedConstraint } from './connection/constraint.ts'
import type { Database, Fragment, Queryable } from './connection/database.ts'
import type { OwnedIds, PrivacyRequests } from './connection/schema.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from './crypto/column-encryption.ts'
import type { DataKey } from './crypto/field-cipher.ts'

export const privacyRequestKinds = [
  'access',
  'correction',
  'erasure',
  'restriction',
  'objection',
  'portability',
  'other',
] as const
export type PrivacyRequestKind = (typeof privacyRequestKinds)[number]

/** A request that is no draft. */
export type PrivacyRequestRow = PrivacyRequests & { state: 'open' | 'answered' }

export interface NewPrivacyRequest {
  id: string
  accountId: string | null
  kind: PrivacyRequestKind
  message: string
  /** null: the account's own address */
  replyTo: string | null
  receivedAt: Date
  answerBy: Date
}

/**
 * Stores a draft. A request that exists already stays as it is.
 * @returns false when there is no such account
 */
export async function insertPrivacyRequest(
  sql: Queryable,
  encryption: ColumnEncryption,
  request: NewPrivacyRequest,
): Promise<boolean> {
  const key = await keyOf(sql, encryption, request.accountId)
  if (!key) return false
  const fields = tableEncryption(encryption.cipher, key, 'privacy_requests')
  const row = {
    id: request.id,
    state: 'draft',
    account_id: request.accountId,
    kind: request.kind,
    message: fields.seal('message', request.message),
    reply_to: fields.sealOptional('reply_to', request.replyTo),
    // The blind index of an account's address: the request is found again when the person signs up later.
    reply_to_index: request.replyTo === null ? null : emailIndexOf(encryption, request.replyTo),
    received_at: request.receivedAt,
    answer_by: request.answerBy,
  } satisfies Partial<PrivacyRequests>
  try {
    await sql`insert into privacy_requests ${sql(row)} on conflict (id) do nothing`
    return true
  } catch (error) {
    // The account was erased after its data key was read.
    if (violatedConstraint(error) === 'privacy_requests_account_id_fkey') return false
    throw error
  }
}

/** Makes a draft current; repeatable. @returns false when there is no such request */
export async function makeCurrent(sql: Queryable, id: string): Promise<boolean> {
  const found = await sql`
    update privacy_requests set state = case state when 'draft' then 'open' else state end where id = ${id}`
  return found.count === 1
}

/** Drafts that were received before a time, the oldest first. */
export async function listPrivacyRequestDrafts(
  sql: Queryable,
  before: Date,
  limit: number,
): Promise<Pick<PrivacyRequestRow, 'id' | 'account_id' | 'kind' | 'received_at'>[]> {
  return sql<Pick<PrivacyRequestRow, 'id' | 'account_id' | 'kind' | 'received_at'>[]>`
    select id, account_id, kind, received_at from privacy_requests
    where state = 'draft' and received_at < ${before} order by received_at limit ${limit}`
}

/** The request, or undefined when it is missing, a draft, or deleted. */
export async function findPrivacyRequest(sql: Queryable, id: string): Promise<PrivacyRequestRow | undefined> {
  const [row] = await sql<PrivacyRequestRow[]>`select * from privacy_requests where id = ${id} and state <> 'draft'`
  return row
}

/**
 * The condition that a request is a person's: also one that they had made by mail before they signed up with its
 * address, which their erasure deletes, too (the view `owned_ids`).
 */
export const isRequestOf = (sql: Queryable, accountId: string): Fragment => sql`
  (account_id = ${accountId} or (account_id is null and reply_to_index = (
    select email_index from accounts where id = ${accountId})))`

/** The accounts of the people whose requests they are, by request; one of somebody without an account is missing. */
export async function ownersOfRequests(
  sql: Queryable,
  requests: readonly Pick<PrivacyRequestRow, 'id'>[],
): Promise<ReadonlyMap<string, string>> {
  const ids = requests.map(({ id }) => id)
  const rows = await sql<Pick<OwnedIds, 'id' | 'account_id'>[]>`
    select id, account_id from owned_ids where kind = 'privacy_request' and id = any(${ids}::uuid[])`
  return new Map(rows.map(({ id, account_id }) => [id, account_id]))
}

/** Decrypts a request. Undefined when its person was erased meanwhile. */
export async function openPrivacyRequest(
  sql: Database,
  encryption: ColumnEncryption,
  row: PrivacyRequestRow,
): Promise<{ message: string; replyTo: string | null; answer: string | null } | undefined> {
  const key = await keyOf(sql, encryption, row.account_id)
  if (!key) return undefined
  const fields = tableEncryption(encryption.cipher, key, 'privacy_requests')
  return {
    message: fields.open('message', row.message),
    replyTo: fields.openOptional('reply_to', row.reply_to),
    answer: isTaken(row) ? fields.openOptional('answer', row.answer) : null,
  }
}

/** Whether the run has accepted the stored answer. Answers of earlier versions have no id and are all accepted. */
export const isTaken = (row: Pick<PrivacyRequestRow, 'answer_id' | 'answer_taken_at'>): boolean =>
  row.answer_id === null || row.answer_taken_at !== null

/**
 * Longer than the call that stores an answer may take: an older answer that no run has accepted is left from a crash.
 */
const answerIsTakenWithinMs = milliseconds.minute

/**
 * Stores an answer for the run to accept.
 * @returns false when the request is not open, when the run has accepted another answer, or when another answer was
 *   stored within the last minute
 */
export async function storeAnswer(
  sql: Queryable,
  encryption: ColumnEncryption,
  answer: { requestId: string; answerId: string; kind: string; text: string | null; at: Date },
): Promise<boolean> {
  const { requestId, answerId, at } = answer
  const request = await findPrivacyRequest(sql, requestId)
  const key = request && (await keyOf(sql, encryption, request.account_id))
  if (!key) return false
  const sealed = tableEncryption(encryption.cipher, key, 'privacy_requests').sealOptional('answer', answer.text)
  const stored = await sql`
    update privacy_requests
    set answer = ${sealed}, answer_kind = ${answer.kind}, answer_id = ${answerId}, answer_stored_at = ${at}
    where id = ${requestId} and state = 'open' and answer_taken_at is null
      and (answer_id is null or answer_id = ${answerId} or answer_stored_at < ${plusMs(at, -answerIsTakenWithinMs)})`
  if (stored.count === 1) return true
  const taken = await sql`
    select 1 from privacy_requests where id = ${requestId} and answer_id = ${answerId} and answer_taken_at is not null`
  return taken.count === 1
}

/** Accepts the stored answer; repeatable. @returns false when another answer is stored or the request is not open */
export async function takeAnswer(sql: Queryable, id: string, answerId: string, at: Date): Promise<boolean> {
  const taken = await sql`
    update privacy_requests set answer_taken_at = coalesce(answer_taken_at, ${at})
    where id = ${id} and state = 'open' and answer_id = ${answerId}`
  return taken.count === 1
}

/** Deletes an answer. @param untaken with this id the answer is deleted only if the run has not accepted it */
export async function deleteAnswer(sql: Queryable, id: string, untaken?: string): Promise<void> {
  await sql`
    update privacy_requests
    set answer = null, answer_kind = null, answer_id = null, answer_stored_at = null, answer_taken_at = null
    where id = ${id} ${untaken === undefined ? sql`` : sql`and answer_id = ${untaken} and answer_taken_at is null`}`
}

/** Changes a request. @returns false when it was deleted */
export async function changePrivacyRequest(
  sql: Queryable,
  id: string,
  change: Partial<
    Pick<
      PrivacyRequestRow,
      | 'state'
      | 'answer_by'
      | 'extended_because'
      | 'acknowledged_at'
      | 'escalated_at'
      | 'late_at'
      | 'answer_kind'
      | 'answered_at'
    >
  >,
): Promise<boolean> {
  const changed = await sql`update privacy_requests set ${sql(change)} where id = ${id}`
  return changed.count === 1
}

export async function deletePrivacyRequest(sql: Queryable, id: string): Promise<void> {
  await sql`delete from privacy_requests where id = ${id}`
}

export const privacyRequestFilters = ['open', 'late', 'answered'] as const
export type PrivacyRequestFilter = (typeof privacyRequestFilters)[number]

/** A page of requests, the first due first. @param page.asOf the time by which `late` is decided */
export async function listPrivacyRequests(
  sql: Queryable,
  page: {
    accountId: string | undefined
    filter: PrivacyRequestFilter | undefined
    kind?: PrivacyRequestKind | undefined
    asOf: Date
    after: [answerBy: string, id: string] | undefined
    limit: number
  },
): Promise<PrivacyRequestRow[]> {
  const { accountId, filter, kind, asOf, after, limit } = page
  return sql<PrivacyRequestRow[]>`
    select * from privacy_requests where state <> 'draft' ${within(sql, { filter, kind, asOf })}
      ${accountId === undefined ? sql`` : sql`and ${isRequestOf(sql, accountId)}`}
      ${after === undefined ? sql`` : sql`and (answer_by, id) > (${after[0]}, ${after[1]})`}
    order by answer_by, id limit ${limit}`
}

interface RequestFilter {
  filter: PrivacyRequestFilter | undefined
  kind?: PrivacyRequestKind | undefined
  asOf: Date
}

const within = (sql: Queryable, { filter, kind, asOf }: RequestFilter): Fragment => sql`
  ${filter === undefined ? sql`` : sql`and state = ${filter === 'answered' ? 'answered' : 'open'}`}
  ${filter === 'late' ? sql`and (answer_by < ${asOf} or late_at is not null)` : sql``}
  ${kind === undefined ? sql`` : sql`and kind = ${kind}`}`

/** G6, requests are answered within 30 days: the number of requests, such as those that wait for an answer. */
export async function countPrivacyRequests(sql: Queryable, filter: RequestFilter): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from privacy_requests where state <> 'draft' ${within(sql, filter)}`
  return row?.count ?? 0
}

async function keyOf(
  sql: Queryable,
  encryption: ColumnEncryption,
  accountId: string | null,
): Promise<DataKey | undefined> {
  if (accountId === null) return encryption.dataKeys.system(sql)
  return findDataKey(sql, encryption, accountId)
}
