/** Sessions of the web pages. Only a hash of the cookie's secret is stored. */
import type { Queryable } from './connection/database.ts'
import type { ApiKeys, WebSessions } from './connection/schema.ts'
import { hashOf, newSecret } from './crypto/one-time.ts'

export type SessionOwner = { accountId: string } | { keyId: string }

export interface WebSession {
  accountId: string | null
  keyId: string | null
  /** the name of the operator key */
  label: string | null
  signedInAt: Date
}

/** Opens a session and deletes expired ones. @returns the secret for the cookie */
export async function openSession(
  sql: Queryable,
  session: { owner: SessionOwner; at: Date; expiresAt: Date },
): Promise<string> {
  const { owner, at, expiresAt } = session
  await sql`delete from web_sessions where expires_at <= ${at}`
  const secret = newSecret()
  await sql`insert into web_sessions ${sql({
    token_hash: hashOf(secret),
    account_id: 'accountId' in owner ? owner.accountId : null,
    key_id: 'keyId' in owner ? owner.keyId : null,
    signed_in_at: at,
    expires_at: expiresAt,
  } satisfies WebSessions)}`
  return secret
}

/** The session, unless it has expired or its operator key was revoked. */
export async function findSession(sql: Queryable, secret: string, at: Date): Promise<WebSession | undefined> {
  const [row] = await sql<(WebSessions & { label: ApiKeys['label'] | null })[]>`
    select s.*, k.label from web_sessions s left join api_keys k on k.id = s.key_id
    where s.token_hash = ${hashOf(secret)} and s.expires_at > ${at} and k.revoked_at is null`
  return row && { accountId: row.account_id, keyId: row.key_id, label: row.label, signedInAt: row.signed_in_at }
}

export async function closeSession(sql: Queryable, secret: string): Promise<void> {
  await sql`delete from web_sessions where token_hash = ${hashOf(secret)}`
}
