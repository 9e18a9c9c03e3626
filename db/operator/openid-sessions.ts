/**
 * Sessions of operators who have signed in at the OpenID provider: kept while it confirms them, ended when it says so.
 */
import type { Queryable } from '../connection/database.ts'
import type { WebSessions } from '../connection/schema.ts'
import { type ColumnEncryption, tableEncryption } from '../crypto/column-encryption.ts'
import { hashIn, type OpenIdColumns } from '../web-sessions.ts'
import { openIdIndex } from './openid-operators.ts'

type Context = ColumnEncryption & { sql: Queryable }

const fieldsOf = async ({ sql, cipher, dataKeys }: Context) =>
  tableEncryption(cipher, await dataKeys.system(sql), 'web_sessions')

const sidIndex = ({ cipher }: Context, issuer: string, session: string): Buffer =>
  cipher.blindIndex('web_sessions.openid_sid_index', JSON.stringify([issuer, session]))

/** The columns of a session that come from a sign-in at the OpenID provider. */
export async function openIdColumns(
  context: Context,
  { issuer, session, refreshToken }: { issuer: string; session: string | undefined; refreshToken: string | undefined },
): Promise<OpenIdColumns> {
  return {
    openid_refresh_token: (await fieldsOf(context)).sealOptional('openid_refresh_token', refreshToken),
    openid_sid_index: session === undefined ? null : sidIndex(context, issuer, session),
  }
}

/**
 * Takes the turn to ask the provider about a session. One statement, since a refresh token may work only once.
 * @param answeredSince an answer since then is new enough
 * @param askedSince a process that has asked since then may still wait for the answer
 * @returns the refresh token; undefined when another process has the turn, or none is due
 */
export async function takeTurnToAsk(
  context: Context,
  sessionId: string,
  { answeredSince, askedSince, at }: { answeredSince: Date; askedSince: Date; at: Date },
): Promise<string | undefined> {
  const [row] = await context.sql<Pick<WebSessions, 'openid_refresh_token'>[]>`
    update web_sessions set openid_asked_at = ${at}
    where token_hash = ${hashIn(sessionId)} and openid_refresh_token is not null
      and openid_confirmed_at <= ${answeredSince}
      and (openid_asked_at is null or openid_asked_at <= openid_confirmed_at or openid_asked_at <= ${askedSince})
    returning openid_refresh_token`
  return row?.openid_refresh_token
    ? (await fieldsOf(context)).open('openid_refresh_token', row.openid_refresh_token)
    : undefined
}

/** Whether a person of the provider is this operator. */
export async function isOperatorOf(
  context: Context,
  operatorId: string,
  person: { issuer: string; subject: string },
): Promise<boolean> {
  const rows = await context.sql`
    select from operators where id = ${operatorId} and openid_index = ${openIdIndex(context, person)}`
  return rows.length > 0
}

/** Notes that the provider has confirmed the operator. @param refreshToken a new one; without it the last one stays */
export async function confirmSession(
  context: Context,
  sessionId: string,
  { refreshToken, at }: { refreshToken: string | undefined; at: Date },
): Promise<void> {
  const token = (await fieldsOf(context)).sealOptional('openid_refresh_token', refreshToken)
  await context.sql`
    update web_sessions set openid_confirmed_at = ${at},
      openid_refresh_token = coalesce(${token}::bytea, openid_refresh_token)
    where token_hash = ${hashIn(sessionId)}`
}

/** Ends a session of an operator whom the provider does not confirm any more. */
export async function endSession(sql: Queryable, sessionId: string): Promise<void> {
  await sql`delete from web_sessions where token_hash = ${hashIn(sessionId)}`
}

/** Ends all sessions that an operator has opened at the provider. */
export async function endSessionsOf(sql: Queryable, operatorId: string): Promise<void> {
  await sql`delete from web_sessions where operator_id = ${operatorId} and openid_confirmed_at is not null`
}

/**
 * Ends the sessions that a logout token names. One that is sent again later ends nothing that has begun since.
 * @param logout.until sessions that have begun by then
 * @returns whose, one entry for each session
 */
export async function endLoggedOut(
  context: Context,
  logout: { issuer: string; subject: string | undefined; session: string | undefined; until: Date },
): Promise<string[]> {
  const { issuer, subject, session, until } = logout
  const person = subject === undefined ? null : openIdIndex(context, { issuer, subject })
  const sid = session === undefined ? null : sidIndex(context, issuer, session)
  const ended = await context.sql<Pick<WebSessions, 'operator_id'>[]>`
    delete from web_sessions s using operators o
    where o.id = s.operator_id and s.openid_confirmed_at is not null and s.signed_in_at <= ${until}
      and (${person}::bytea is null or o.openid_index = ${person})
      -- A sign-in that named no session of the provider is ended by its person.
      and (${sid}::bytea is null or s.openid_sid_index = ${sid} or (s.openid_sid_index is null and ${person}::bytea is not null))
    returning s.operator_id`
  return ended.flatMap(({ operator_id }) => operator_id ?? [])
}
