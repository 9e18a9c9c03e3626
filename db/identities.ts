/**
 * C6, we keep Apple and Google sign-in identifiers, encrypted: identities under the account's data key, found by blind
 * indexes.
 */
import type { Queryable } from './connection/database.ts'
import type { Identities } from './connection/schema.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from './crypto/column-encryption.ts'
import type { DataKey } from './crypto/field-cipher.ts'

export type IdentityProvider = Identities['provider']

export interface Identity {
  provider: IdentityProvider
  subject: string
  linkedAt: Date
}

export interface NewIdentity {
  provider: IdentityProvider
  subject: string
  /** the app that the sign-in was for; Apple revokes a token only for the same app */
  clientId: string
  refreshToken: string | null
  at: Date
}

const subjectIndex = (encryption: ColumnEncryption, provider: IdentityProvider, subject: string): Buffer =>
  encryption.cipher.blindIndex('identities.subject', `${provider}:${subject}`)

/**
 * Links an identity to the account of the given data key, or renews the refresh token of a linked identity: the person
 * has agreed at Apple anew, so that the link is of that time, and what Apple says of the time before does not end it.
 * @returns `other_subject` when the account has a different identity of this provider
 * @throws PostgresError when another account has the identity: see `asAlreadyTaken`
 */
export async function linkIdentity(
  sql: Queryable,
  encryption: ColumnEncryption,
  key: DataKey,
  identity: NewIdentity,
): Promise<'linked' | 'other_subject'> {
  const fields = tableEncryption(encryption.cipher, key, 'identities')
  const linked = await sql`
    insert into identities ${sql({
      account_id: key.accountId,
      provider: identity.provider,
      subject: fields.seal('subject', identity.subject),
      subject_index: subjectIndex(encryption, identity.provider, identity.subject),
      client_id: identity.clientId,
      refresh_token: fields.sealOptional('refresh_token', identity.refreshToken),
      linked_at: identity.at,
    } satisfies Identities)}
    on conflict (account_id, provider) do update set
      client_id = case when excluded.refresh_token is null then identities.client_id else excluded.client_id end,
      linked_at = case when excluded.refresh_token is null then identities.linked_at else excluded.linked_at end,
      refresh_token = coalesce(excluded.refresh_token, identities.refresh_token)
    where identities.subject_index = excluded.subject_index`
  return linked.count === 1 ? 'linked' : 'other_subject'
}

/** The account's decrypted identities, without their tokens. */
export async function listIdentities(
  sql: Queryable,
  encryption: ColumnEncryption,
  accountId: string,
): Promise<Identity[]> {
  const rows = await sql<Pick<Identities, 'provider' | 'subject' | 'linked_at'>[]>`
    select provider, subject, linked_at from identities where account_id = ${accountId} order by provider`
  const key = rows.length > 0 && (await findDataKey(sql, encryption, accountId))
  if (!key) return []
  const fields = tableEncryption(encryption.cipher, key, 'identities')
  return rows.map((row) => ({
    provider: row.provider,
    subject: fields.open('subject', row.subject),
    linkedAt: row.linked_at,
  }))
}

/** The account of an Apple or Google user. */
export async function findAccountOfIdentity(
  sql: Queryable,
  encryption: ColumnEncryption,
  provider: IdentityProvider,
  subject: string,
): Promise<string | undefined> {
  const [row] = await sql<Pick<Identities, 'account_id'>[]>`
    select account_id from identities
    where provider = ${provider} and subject_index = ${subjectIndex(encryption, provider, subject)}`
  return row?.account_id
}

/** Whether any account is linked with the Apple or Google user of this blind index. */
export async function isIdentityLinked(
  sql: Queryable,
  provider: IdentityProvider,
  subjectIndex: Buffer,
): Promise<boolean> {
  const rows = await sql`select 1 from identities where provider = ${provider} and subject_index = ${subjectIndex}`
  return rows.length > 0
}

/** The account that was linked with an Apple or Google user at a time. A link that was made later does not count. */
export async function findAccountLinkedBy(
  sql: Queryable,
  encryption: ColumnEncryption,
  identity: { provider: IdentityProvider; subject: string; until: Date },
): Promise<string | undefined> {
  const { provider, subject, until } = identity
  const [row] = await sql<Pick<Identities, 'account_id'>[]>`
    select account_id from identities
    where provider = ${provider} and subject_index = ${subjectIndex(encryption, provider, subject)} and linked_at <= ${until}`
  return row?.account_id
}

/** Whether an account was linked at a time, by the link that it has now. */
export async function wasLinkedBy(
  sql: Queryable,
  link: { accountId: string; provider: IdentityProvider; until: Date },
): Promise<boolean> {
  const rows = await sql`select 1 from identities
    where account_id = ${link.accountId} and provider = ${link.provider} and linked_at <= ${link.until}`
  return rows.length > 0
}

/** Deletes a link that was made until a time, and its token. @returns false when there is none */
export async function unlinkIdentity(
  sql: Queryable,
  link: { accountId: string; provider: IdentityProvider; until: Date },
): Promise<boolean> {
  const unlinked = await sql`
    delete from identities
    where account_id = ${link.accountId} and provider = ${link.provider} and linked_at <= ${link.until}`
  return unlinked.count > 0
}
