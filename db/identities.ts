/** C6: sign-ins by Apple and Google, encrypted under the account's own key and found by keyed hashes. */
import type { Queryable } from './connection/database.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from './crypto/column-encryption.ts'
import type { DataKey } from './crypto/field-cipher.ts'

export type IdentityProvider = 'apple' | 'google'

export interface Identity {
  provider: IdentityProvider
  subject: string
  linkedAt: Date
}

export interface NewIdentity {
  provider: IdentityProvider
  subject: string
  /** which of our apps it came through; Apple takes a token back only through the same one */
  clientId: string
  refreshToken: string | null
  at: Date
}

const subjectIndex = (encryption: ColumnEncryption, provider: IdentityProvider, subject: string): Buffer =>
  encryption.cipher.blindIndex('identities.subject', `${provider}:${subject}`)

/**
 * Links the identity to the account whose data key is given, or renews its refresh token when it is linked already.
 * @returns `other_subject` when the account has a different identity of this provider
 * @throws PostgresError when another account has it: see `tellingWhatIsTaken`
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
    })}
    on conflict (account_id, provider) do update set
      client_id = case when excluded.refresh_token is null then identities.client_id else excluded.client_id end,
      refresh_token = coalesce(excluded.refresh_token, identities.refresh_token)
    where identities.subject_index = excluded.subject_index`
  return linked.count === 1 ? 'linked' : 'other_subject'
}

/** The identities in clear, without their tokens. */
export async function listIdentities(
  sql: Queryable,
  encryption: ColumnEncryption,
  accountId: string,
): Promise<Identity[]> {
  const rows = await sql<{ provider: IdentityProvider; subject: Buffer; linked_at: Date }[]>`
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

/** Whose account an Apple or Google user has. */
export async function findAccountOfIdentity(
  sql: Queryable,
  encryption: ColumnEncryption,
  provider: IdentityProvider,
  subject: string,
): Promise<string | undefined> {
  const [row] = await sql<{ account_id: string }[]>`
    select account_id from identities
    where provider = ${provider} and subject_index = ${subjectIndex(encryption, provider, subject)}`
  return row?.account_id
}

/** Whether somebody is linked with the Apple or Google user of this keyed hash. */
export async function isIdentityLinked(
  sql: Queryable,
  provider: IdentityProvider,
  subjectIndex: Buffer,
): Promise<boolean> {
  const rows = await sql`select 1 from identities where provider = ${provider} and subject_index = ${subjectIndex}`
  return rows.length > 0
}

/** Whose account an Apple or Google user had at a time: a link made later is news to whoever speaks of that time. */
export async function findAccountLinkedBy(
  sql: Queryable,
  encryption: ColumnEncryption,
  identity: { provider: IdentityProvider; subject: string; until: Date },
): Promise<string | undefined> {
  const { provider, subject, until } = identity
  const [row] = await sql<{ account_id: string }[]>`
    select account_id from identities
    where provider = ${provider} and subject_index = ${subjectIndex(encryption, provider, subject)} and linked_at <= ${until}`
  return row?.account_id
}

/** Forgets a link made until then, and its token. False when there is none. */
export async function unlinkIdentity(
  sql: Queryable,
  link: { accountId: string; provider: IdentityProvider; until: Date },
): Promise<boolean> {
  const unlinked = await sql`
    delete from identities
    where account_id = ${link.accountId} and provider = ${link.provider} and linked_at <= ${link.until}`
  return unlinked.count > 0
}
