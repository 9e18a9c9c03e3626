/** Reports of Apple and Google about a person's sign-in with them, and the sign-ins that have ended. */
import { findAccountOfFirebaseUser } from './accounts.ts'
import type { Database, Queryable, Transaction } from './connection/database.ts'
import type { EndedSignIns } from './connection/schema.ts'
import type { ColumnEncryption } from './crypto/column-encryption.ts'
import type { FieldCipher } from './crypto/field-cipher.ts'

export interface SignInEvent {
  accountId: string
  provider: 'apple' | 'google'
  /** what the event changes: whether the relay address takes mail, whether the account is usable */
  topic: 'email' | 'account'
  at: Date
}

/** Notes an event. @returns false when a newer one about the same has arrived before; a repeated event counts again */
export async function isNewestEvent(sql: Queryable, { accountId, provider, topic, at }: SignInEvent): Promise<boolean> {
  const noted = await sql`
    insert into sign_in_events (account_id, provider, topic, at)
    select id, ${provider}, ${topic}, ${at} from accounts where id = ${accountId}
    on conflict (account_id, provider, topic) do update set at = excluded.at where sign_in_events.at <= excluded.at`
  return noted.count > 0
}

/**
 * Ends the sign-ins until a time: web sessions, sign-in links, the tokens of the app, and the pushes to its phones. The
 * app hands in its push token when its person has signed in again.
 */
export async function endSignIns(sql: Queryable, accountId: string, until: Date): Promise<void> {
  // The account first, as a change of address and an erasure do.
  await sql`update accounts set signed_out_at = greatest(signed_out_at, ${until}) where id = ${accountId}`
  await sql`delete from web_sessions where account_id = ${accountId} and signed_in_at <= ${until}`
  await sql`delete from link_tokens where account_id = ${accountId} and purpose = 'sign_in'`
  await sql`update devices set push_token = null, push_token_index = null
    where account_id = ${accountId} and seen_at <= ${until} and push_token_index is not null`
}

/**
 * Ends changes of address that were asked for until a time, after `endSignIns`: one that a hijacker has begun would give
 * the account to whoever has read its old mailbox. That the new address has agreed says nothing, for it is theirs.
 */
export async function endAddressChanges(sql: Queryable, accountId: string, until: Date): Promise<void> {
  await sql`
    delete from email_changes where account_id = ${accountId} and state = 'draft' and requested_at <= ${until}`
  // The draft sweep lets its run know.
  await sql`
    with cancelled as (
      update email_changes set state = 'cancelled'
      where account_id = ${accountId} and state = 'open' and requested_at <= ${until} returning id
    )
    delete from link_tokens where account_id = ${accountId} and subject_id in (select id from cancelled)`
}

/** Ends all sign-ins of a person until a time, with what whoever had one of them may have begun. */
export async function endAllSignIns(sql: Database, accountId: string, until: Date): Promise<void> {
  await sql.begin(async (tx) => {
    await endSignIns(tx, accountId, until)
    await endAddressChanges(tx, accountId, until)
  })
}

const hashOf = (cipher: Pick<FieldCipher, 'fingerprint'>, firebaseUid: string): Buffer =>
  cipher.fingerprint('ended-sign-in', firebaseUid)

/** Ends the sign-ins of a Firebase user whose account is being erased. */
export async function noteEndedUser(
  sql: Queryable,
  { cipher }: { cipher: Pick<FieldCipher, 'fingerprint'> },
  user: { firebaseUid: string; at: Date },
): Promise<void> {
  await sql`
    insert into ended_sign_ins (user_hash, ended_at) values (${hashOf(cipher, user.firebaseUid)}, ${user.at})
    on conflict (user_hash) do update set ended_at = greatest(ended_sign_ins.ended_at, excluded.ended_at)`
}

/**
 * Keeps the end of a Firebase user's sign-ins for the account that the user has just made: Firebase goes on renewing the
 * tokens of a user that it has not deleted. `endUserWithoutAccount` waits for the account, or the account for it.
 * @returns when the sign-ins ended, if they did
 */
export async function carryEndedUser(
  tx: Transaction,
  { cipher }: { cipher: Pick<FieldCipher, 'fingerprint'> },
  user: { firebaseUid: string; accountId: string },
): Promise<Date | undefined> {
  const [row] = await tx<Pick<EndedSignIns, 'ended_at'>[]>`
    select ended_at from ended_sign_ins where user_hash = ${hashOf(cipher, user.firebaseUid)} for share`
  if (row) await tx`update accounts set signed_out_at = ${row.ended_at} where id = ${user.accountId}`
  return row?.ended_at
}

/**
 * Ends the sign-ins of a Firebase user that is about to be deleted: also those since the erasure, with which no account
 * was made yet.
 * @returns false when the user has made an account
 */
export async function endUserWithoutAccount(
  sql: Database,
  encryption: ColumnEncryption,
  user: { firebaseUid: string; at: Date },
): Promise<boolean> {
  return sql.begin(async (tx) => {
    await tx`select from ended_sign_ins where user_hash = ${hashOf(encryption.cipher, user.firebaseUid)} for update`
    if (await findAccountOfFirebaseUser(tx, encryption, user.firebaseUid)) return false
    await noteEndedUser(tx, encryption, user)
    return true
  })
}

/** When the sign-ins of a Firebase user ended whose account was erased, or undefined. */
export async function userEndedAt(
  sql: Queryable,
  { cipher }: { cipher: Pick<FieldCipher, 'fingerprint'> },
  firebaseUid: string,
): Promise<Date | undefined> {
  const [row] = await sql<Pick<EndedSignIns, 'ended_at'>[]>`
    select ended_at from ended_sign_ins where user_hash = ${hashOf(cipher, firebaseUid)}`
  return row?.ended_at
}
