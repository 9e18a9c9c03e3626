/**
 * C1 and C2, we keep a name, an e-mail address, and a phone number if it is given: accounts, encrypted under the
 * account's data key.
 */
import type { Language } from '../messages/languages.ts'
import type { Database, Queryable, Transaction } from './connection/database.ts'
import type { Accounts, DataKeys } from './connection/schema.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from './crypto/column-encryption.ts'
import type { DataKey } from './crypto/field-cipher.ts'

export interface Account {
  id: string
  email: string
  /** `bounced`: the address refuses mail for good */
  mailState: Accounts['mail_state']
  firstName: string
  lastName: string
  phone: string | null
  signUpIp: string | null
  lastLoginIp: string | null
  firebaseUid: string | null
  policyVersion: string
  promotions: boolean
  language: Language
  createdAt: Date
  lastActiveAt: Date
  /** grows with each change that the person can see */
  version: number
}

export interface NewAccount {
  id: string
  email: string
  firstName: string
  lastName: string
  phone: string | null
  signUpIp: string | null
  firebaseUid: string | null
  policyVersion: string
  language?: Language
  at: Date
}

/** Undefined leaves a field as it is; null deletes its value. */
export interface AccountChanges {
  firstName?: string | undefined
  lastName?: string | undefined
  phone?: string | null | undefined
  language?: Language | undefined
}

/** In milliseconds. For a period of three years, one write of the last activity per day is enough. */
export const activityGrainMs = 24 * 60 * 60 * 1000

/**
 * Characters that become others of ASCII: the Kelvin sign, the Greek question mark and its grave accent. With one of
 * them an address is that of somebody else.
 */
const becomesAscii = /([\u212a\u037e\u1fef])/

/** The normal form of an e-mail address: spellings that differ in case or Unicode form are one address. */
export const normalEmail = (email: string): string =>
  email
    .trim()
    .split(becomesAscii)
    .map((part) => (becomesAscii.test(part) ? part : part.normalize('NFC').toLowerCase()))
    .join('')

/** By what an account is found that has an address in any spelling. */
export const emailIndexOf = ({ cipher }: Pick<ColumnEncryption, 'cipher'>, email: string): Buffer =>
  cipher.blindIndex('accounts.email', normalEmail(email))

/** An account that gets a mail which goes to many. */
export interface Recipient {
  accountId: string
  email: string
  emailIndex: Buffer
  language: Language
}

export type SealedRecipient = Pick<Accounts, 'id' | 'email' | 'email_index' | 'language'> &
  Pick<DataKeys, 'kek_id' | 'wrapped_key'>

/** Decrypts whom a mail goes to. @throws Error when the key-encryption key of the row is lost */
export function openRecipient({ cipher }: Pick<ColumnEncryption, 'cipher'>, row: SealedRecipient): Recipient {
  const key = cipher.unwrap(row.id, { kekId: row.kek_id, wrapped: row.wrapped_key })
  const email = tableEncryption(cipher, key, 'accounts').open('email', row.email)
  return { accountId: row.id, email, emailIndex: row.email_index, language: row.language }
}

/**
 * Stores an account and its data key.
 * @returns the data key
 * @throws PostgresError on a duplicate: see `asAlreadyTaken`
 */
export async function insertAccount(
  sql: Transaction,
  encryption: ColumnEncryption,
  account: NewAccount,
): Promise<DataKey> {
  const { cipher } = encryption
  const key = await encryption.dataKeys.create(sql, account.id)
  const fields = tableEncryption(cipher, key, 'accounts')
  await sql`insert into accounts ${sql({
    id: account.id,
    account_ref: cipher.accountRef(account.id),
    email: fields.seal('email', account.email),
    email_index: emailIndexOf(encryption, account.email),
    first_name: fields.seal('first_name', account.firstName),
    last_name: fields.seal('last_name', account.lastName),
    phone: fields.sealOptional('phone', account.phone),
    sign_up_ip: fields.sealOptional('sign_up_ip', account.signUpIp),
    last_login_ip: fields.sealOptional('last_login_ip', account.signUpIp),
    firebase_uid: fields.sealOptional('firebase_uid', account.firebaseUid),
    firebase_uid_index:
      account.firebaseUid === null ? null : cipher.blindIndex('accounts.firebase_uid', account.firebaseUid),
    policy_version: account.policyVersion,
    ...(account.language && { language: account.language }),
    created_at: account.at,
    last_active_at: account.at,
  } satisfies Partial<Accounts>)}`
  return key
}

/** The decrypted account, or undefined. */
export async function findAccount(
  sql: Queryable,
  encryption: ColumnEncryption,
  id: string,
): Promise<Account | undefined> {
  const [row] = await sql<(Accounts & Pick<DataKeys, 'kek_id' | 'wrapped_key'>)[]>`
    select accounts.*, kek_id, wrapped_key from accounts join data_keys on account_id = id where id = ${id}`
  if (!row) return undefined
  const key = encryption.cipher.unwrap(id, { kekId: row.kek_id, wrapped: row.wrapped_key })
  const fields = tableEncryption(encryption.cipher, key, 'accounts')
  return {
    id: row.id,
    email: fields.open('email', row.email),
    mailState: row.mail_state,
    firstName: fields.open('first_name', row.first_name),
    lastName: fields.open('last_name', row.last_name),
    phone: fields.openOptional('phone', row.phone),
    signUpIp: fields.openOptional('sign_up_ip', row.sign_up_ip),
    lastLoginIp: fields.openOptional('last_login_ip', row.last_login_ip),
    firebaseUid: fields.openOptional('firebase_uid', row.firebase_uid),
    policyVersion: row.policy_version,
    promotions: row.promotions,
    language: row.language,
    createdAt: row.created_at,
    lastActiveAt: row.last_active_at,
    version: row.version,
  }
}

/**
 * Changes the fields that a person may correct. One that has its value already is not written: sealed again it would be
 * another one for the database, which makes an event of it. The version grows all the same.
 * @param expectedVersion the change is refused when the account has another version
 */
export async function updateAccount(
  sql: Database,
  encryption: ColumnEncryption,
  change: { id: string; expectedVersion: number | undefined; changes: AccountChanges; at: Date },
): Promise<'changed' | 'missing' | 'other_version'> {
  const { id, changes, expectedVersion } = change
  const key = await findDataKey(sql, encryption, id)
  if (!key) return 'missing'
  const fields = tableEncryption(encryption.cipher, key, 'accounts')
  return sql.begin(async (tx) => {
    const [now] = await tx<Pick<Accounts, 'first_name' | 'last_name' | 'phone' | 'version'>[]>`
      select first_name, last_name, phone, version from accounts where id = ${id} for no key update`
    if (!now) return 'missing'
    if (expectedVersion !== undefined && now.version !== expectedVersion) return 'other_version'
    const { firstName, lastName, phone, language } = changes
    const isNew = <Value>(wanted: Value | undefined, has: Value): wanted is Value =>
      wanted !== undefined && wanted !== has
    const columns = {
      version: now.version + 1,
      ...(isNew(firstName, fields.open('first_name', now.first_name)) && {
        first_name: fields.seal('first_name', firstName),
      }),
      ...(isNew(lastName, fields.open('last_name', now.last_name)) && {
        last_name: fields.seal('last_name', lastName),
      }),
      ...(isNew(phone, fields.openOptional('phone', now.phone)) && { phone: fields.sealOptional('phone', phone) }),
      ...(language !== undefined && { language }),
    } satisfies Partial<Accounts>
    await tx`
      update accounts set ${tx(columns)}, last_active_at = greatest(last_active_at, ${change.at}) where id = ${id}`
    return 'changed'
  })
}

/** Records a sign-in. @returns false when there is no such account */
export async function recordSignIn(
  sql: Queryable,
  encryption: ColumnEncryption,
  signIn: { id: string; ip: string | null; at: Date },
): Promise<boolean> {
  const key = await findDataKey(sql, encryption, signIn.id)
  if (!key) return false
  const ip = tableEncryption(encryption.cipher, key, 'accounts').sealOptional('last_login_ip', signIn.ip)
  const changed = await sql`
    update accounts set last_login_ip = coalesce(${ip}::bytea, last_login_ip),
      last_active_at = greatest(last_active_at, ${signIn.at})
    where id = ${signIn.id}`
  return changed.count === 1
}

/**
 * R1, an account is kept until it is unused for 3 years: records that the person is active. It writes at most once a
 * day. @returns false when there is no such account
 */
export async function touchActivity(sql: Queryable, id: string, at: Date): Promise<boolean> {
  const stale = new Date(at.getTime() - activityGrainMs)
  const [row] = await sql<Pick<Accounts, 'last_active_at'>[]>`select last_active_at from accounts where id = ${id}`
  if (!row) return false
  if (row.last_active_at > stale) return true
  await sql`update accounts set last_active_at = ${at} where id = ${id} and last_active_at <= ${stale}`
  return true
}

/** The language in which an account is written to; undefined when it is gone. */
export async function languageOf(sql: Queryable, id: string | null): Promise<Language | undefined> {
  if (id === null) return undefined
  const [row] = await sql<Pick<Accounts, 'language'>[]>`select language from accounts where id = ${id}`
  return row?.language
}

/** The customer at Stripe to whom saved cards belong; undefined for a person who never saved one. */
export async function stripeCustomerOf(sql: Queryable, id: string): Promise<string | undefined> {
  const [row] = await sql<
    Pick<Accounts, 'stripe_customer_id'>[]
  >`select stripe_customer_id from accounts where id = ${id}`
  return row?.stripe_customer_id ?? undefined
}

export async function accountExists(sql: Queryable, id: string): Promise<boolean> {
  const rows = await sql`select 1 from accounts where id = ${id}`
  return rows.length === 1
}

/** Locks the account until the transaction ends, so that decisions about it happen one after the other. */
export async function lockAccount(tx: Queryable, id: string): Promise<void> {
  await tx`select 1 from accounts where id = ${id} for no key update`
}

/** The id of the account that has this e-mail address in any spelling. */
export async function findAccountByEmail(
  sql: Queryable,
  encryption: ColumnEncryption,
  email: string,
): Promise<string | undefined> {
  const [row] = await sql<Pick<Accounts, 'id'>[]>`
    select id from accounts where email_index = ${emailIndexOf(encryption, email)}`
  return row?.id
}

/** The account of a verified Firebase user. */
export async function findAccountOfFirebaseUser(
  sql: Queryable,
  encryption: ColumnEncryption,
  uid: string,
): Promise<{ id: string; lastActiveAt: Date; signedOutAt: Date | null } | undefined> {
  const [row] = await sql<Pick<Accounts, 'id' | 'last_active_at' | 'signed_out_at'>[]>`
    select id, last_active_at, signed_out_at from accounts
    where firebase_uid_index = ${encryption.cipher.blindIndex('accounts.firebase_uid', uid)}`
  return row && { id: row.id, lastActiveAt: row.last_active_at, signedOutAt: row.signed_out_at }
}

/**
 * Records that an address refuses mail for good.
 * @param addressIndex of the address that has refused; null: the one that the account has
 * @returns `another` when the account has another address
 */
export async function markMailBounced(
  sql: Queryable,
  id: string,
  addressIndex: Buffer | null,
): Promise<'marked' | 'another' | 'missing'> {
  const isTheirs = sql`email_index = coalesce(${addressIndex}::bytea, email_index)`
  const [account] = await sql<{ is_theirs: boolean }[]>`
    with marked as (
      update accounts set mail_state = 'bounced', version = version + 1
      where id = ${id} and ${isTheirs} and mail_state <> 'bounced'
    )
    select ${isTheirs} as is_theirs from accounts where id = ${id}`
  if (!account) return 'missing'
  return account.is_theirs ? 'marked' : 'another'
}

/** Records that the account's address accepts mail again. */
export async function markMailDelivered(sql: Queryable, id: string): Promise<void> {
  await sql`update accounts set mail_state = 'ok', version = version + 1 where id = ${id} and mail_state <> 'ok'`
}
