/** G6: requests about privacy. What was asked and answered is sealed: under the account's key, or the system's. */
import { normalEmail } from './accounts.ts'
import type { Database, Queryable } from './database.ts'
import type { DataKey } from './field-cipher.ts'
import { findDataKey, tableSealer, type Vault } from './vault.ts'

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

export interface PrivacyRequestRow {
  id: string
  account_id: string | null
  kind: PrivacyRequestKind
  message: Buffer
  reply_to: Buffer | null
  state: 'open' | 'answered'
  received_at: Date
  answer_by: Date
  extended_because: string | null
  acknowledged_at: Date | null
  escalated_at: Date | null
  late_at: Date | null
  answer_kind: string | null
  answer: Buffer | null
  answered_at: Date | null
}

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

/** False when there is no such account; a request that exists already is left as it is. */
export async function insertPrivacyRequest(sql: Queryable, vault: Vault, request: NewPrivacyRequest): Promise<boolean> {
  const key = await keyOf(sql, vault, request.accountId)
  if (!key) return false
  const fields = tableSealer(vault.cipher, key, 'privacy_requests')
  await sql`insert into privacy_requests ${sql({
    id: request.id,
    account_id: request.accountId,
    kind: request.kind,
    message: fields.seal('message', request.message),
    reply_to: fields.sealOptional('reply_to', request.replyTo),
    // The same index as an account's address has: who signs up later is found again.
    reply_to_index:
      request.replyTo === null ? null : vault.cipher.blindIndex('accounts.email', normalEmail(request.replyTo)),
    received_at: request.receivedAt,
    answer_by: request.answerBy,
  })} on conflict (id) do nothing`
  return true
}

/** Undefined when it never was, or was forgotten. */
export async function findPrivacyRequest(sql: Queryable, id: string): Promise<PrivacyRequestRow | undefined> {
  const [row] = await sql<PrivacyRequestRow[]>`select * from privacy_requests where id = ${id}`
  return row
}

/** Opens what is sealed of a request. Undefined when its person was erased meanwhile. */
export async function openPrivacyRequest(
  sql: Database,
  vault: Vault,
  row: PrivacyRequestRow,
): Promise<{ message: string; replyTo: string | null; answer: string | null } | undefined> {
  const key = await keyOf(sql, vault, row.account_id)
  if (!key) return undefined
  const fields = tableSealer(vault.cipher, key, 'privacy_requests')
  return {
    message: fields.open('message', row.message),
    replyTo: fields.openOptional('reply_to', row.reply_to),
    answer: fields.openOptional('answer', row.answer),
  }
}

/** Writes down what is to be answered. False when there is no such open request. */
export async function storeAnswer(
  sql: Queryable,
  vault: Vault,
  answer: { id: string; kind: string; text: string | null },
): Promise<boolean> {
  const request = await findPrivacyRequest(sql, answer.id)
  const key = request && (await keyOf(sql, vault, request.account_id))
  if (!key) return false
  const sealed = tableSealer(vault.cipher, key, 'privacy_requests').sealOptional('answer', answer.text)
  const stored = await sql`
    update privacy_requests set answer = ${sealed}, answer_kind = ${answer.kind}
    where id = ${answer.id} and state = 'open'`
  return stored.count === 1
}

/** Records what became of a request. False when it is gone. */
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

export type PrivacyRequestFilter = 'open' | 'late' | 'answered'

/** Those that must be answered first come first. @param page.asOf what `late` is measured by */
export async function listPrivacyRequests(
  sql: Queryable,
  page: {
    accountId: string | undefined
    filter: PrivacyRequestFilter | undefined
    asOf: Date
    after: [answerBy: string, id: string] | undefined
    limit: number
  },
): Promise<PrivacyRequestRow[]> {
  const { accountId, filter, asOf, after, limit } = page
  return sql<PrivacyRequestRow[]>`
    select * from privacy_requests where true
      ${accountId === undefined ? sql`` : sql`and account_id = ${accountId}`}
      ${filter === undefined ? sql`` : sql`and state = ${filter === 'answered' ? 'answered' : 'open'}`}
      ${filter === 'late' ? sql`and (answer_by < ${asOf} or late_at is not null)` : sql``}
      ${after === undefined ? sql`` : sql`and (answer_by, id) > (${after[0]}, ${after[1]})`}
    order by answer_by, id limit ${limit}`
}

async function keyOf(sql: Queryable, vault: Vault, accountId: string | null): Promise<DataKey | undefined> {
  if (accountId === null) return vault.dataKeys.system(sql)
  return findDataKey(sql, vault, accountId)
}
