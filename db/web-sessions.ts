/** Sessions of the web pages. Only a hash of the cookie's secret is stored. */
import type { OperatorRole } from '../policy/operators/operator-roles.ts'
import type { Queryable } from './connection/database.ts'
import type { Accounts, ApiKeys, Operators, WebSessions } from './connection/schema.ts'
import { hashOf, newSecret } from './crypto/one-time.ts'

export type SessionOwner = { accountId: string } | { keyId: string } | { operatorId: string }

export interface WebSession {
  accountId: string | null
  /** of the account */
  language: Accounts['language'] | null
  /** of an operator or an operator key: id, name and role */
  operator: { id: string; label: string; role: OperatorRole } | null
  /** opened by an operator key, not by a person */
  isOfKey: boolean
  signedInAt: Date
  /** when the OpenID provider has last confirmed the operator; null: it cannot be asked, or signed nobody in */
  confirmedAt: Date | null
}

/** The columns of a session that come from a sign-in at the OpenID provider (db/operator/openid-sessions.ts). */
export type OpenIdColumns = Pick<WebSessions, 'openid_refresh_token' | 'openid_sid_index'>

/** Deletes sessions that have expired. */
export async function deleteExpiredSessions(sql: Queryable, at: Date): Promise<void> {
  await sql`delete from web_sessions where expires_at <= ${at}`
}

/**
 * Opens a session.
 * @param session.replaces the secret of the session that the browser had until now
 * @returns the secret for the cookie
 */
export async function openSession(
  sql: Queryable,
  session: {
    owner: SessionOwner
    replaces: string | undefined
    at: Date
    expiresAt: Date
    openId?: OpenIdColumns | undefined
  },
): Promise<string> {
  const { owner, replaces, at, expiresAt, openId } = session
  if (replaces !== undefined) await closeSession(sql, replaces)
  const secret = newSecret()
  await sql`insert into web_sessions ${sql({
    token_hash: hashOf(secret),
    account_id: 'accountId' in owner ? owner.accountId : null,
    key_id: 'keyId' in owner ? owner.keyId : null,
    operator_id: 'operatorId' in owner ? owner.operatorId : null,
    signed_in_at: at,
    expires_at: expiresAt,
    openid_confirmed_at: openId ? at : null,
    openid_asked_at: null,
    openid_refresh_token: openId?.openid_refresh_token ?? null,
    openid_sid_index: openId?.openid_sid_index ?? null,
  } satisfies WebSessions)}`
  return secret
}

/** The session, unless it has expired, its operator key was revoked or its operator disabled. */
export async function findSession(sql: Queryable, secret: string, at: Date): Promise<WebSession | undefined> {
  const [row] = await sql<(WebSessions & Owner)[]>`
    select s.*, k.label, o.name, o.role, a.language from web_sessions s
    left join api_keys k on k.id = s.key_id left join operators o on o.id = s.operator_id
    left join accounts a on a.id = s.account_id
    where s.token_hash = ${hashOf(secret)} and s.expires_at > ${at} and k.revoked_at is null and o.disabled_at is null`
  if (!row) return undefined
  const { account_id: accountId, language, signed_in_at: signedInAt } = row
  const person = row.operator_id !== null && row.role && { id: row.operator_id, label: row.name ?? '', role: row.role }
  const key = row.key_id !== null && ({ id: row.key_id, label: row.label ?? '', role: 'admin' } as const)
  const confirmedAt = row.openid_refresh_token && row.openid_confirmed_at
  return { accountId, language, operator: person || key || null, isOfKey: row.key_id !== null, signedInAt, confirmedAt }
}

type Owner = { [Column in 'name' | 'role']: Operators[Column] | null } & {
  label: ApiKeys['label'] | null
  language: Accounts['language'] | null
}

/** Ends a session. @param secret as its cookie has it */
export async function closeSession(sql: Queryable, secret: string): Promise<void> {
  await sql`delete from web_sessions where token_hash = ${hashOf(secret)}`
}

/** The id of a session: a hash of its secret, which opens nothing. */
export const sessionIdOf = (secret: string): string => hashOf(secret).toString('base64url')
/** The hash in a session's id. */
export const hashIn = (sessionId: string): Buffer => Buffer.from(sessionId, 'base64url')

/** A session among those of the same person or operator. */
export interface OwnSession {
  id: string
  signedInAt: Date
  expiresAt: Date
  /** the one that asks */
  isThis: boolean
}

/** The open sessions of the person or operator who has this one, the newest first. */
export async function listOwnSessions(sql: Queryable, sessionId: string, at: Date): Promise<OwnSession[]> {
  const rows = await sql<WebSessions[]>`
    select s.* from web_sessions s where expires_at > ${at} and ${hasSameOwner(sql, sessionId)}
    order by signed_in_at desc, token_hash limit ${mostListed}`
  return rows.map((row) => {
    const id = row.token_hash.toString('base64url')
    return { id, signedInAt: row.signed_in_at, expiresAt: row.expires_at, isThis: id === sessionId }
  })
}

const mostListed = 50

/**
 * Ends other sessions of the person or operator who has this one.
 * @param id of one of them; without it all others end
 */
export async function endOtherSessions(sql: Queryable, sessionId: string, id?: string): Promise<void> {
  await sql`
    delete from web_sessions s where token_hash <> ${hashIn(sessionId)} and ${hasSameOwner(sql, sessionId)}
      ${id === undefined ? sql`` : sql`and token_hash = ${hashIn(id)}`}`
}

const hasSameOwner = (sql: Queryable, sessionId: string) => sql`
  exists (
    select from web_sessions own where own.token_hash = ${hashIn(sessionId)}
      and (own.account_id, own.key_id, own.operator_id) is not distinct from (s.account_id, s.key_id, s.operator_id))`
