/** G2, everybody can correct their data: changes of an account's e-mail address. */
import { emailIndexOf, lockAccount } from './accounts.ts'
import { violatedConstraint } from './connection/constraint.ts'
import type { Database, Queryable } from './connection/database.ts'
import type { Accounts, EmailChanges } from './connection/schema.ts'
import { type ColumnEncryption, findDataKey, tableEncryption } from './crypto/column-encryption.ts'

export type EmailChangeStatus = Exclude<EmailChanges['state'], 'draft'>

export interface EmailChange {
  id: string
  accountId: string
  /** both are null once the change has ended */
  oldEmail: string | null
  newEmail: string | null
  state: EmailChangeStatus
  requestedAt: Date
  expiresAt: Date
  oldConfirmedAt: Date | null
  newConfirmedAt: Date | null
}

/** A change that is no draft. */
type EmailChangeRow = EmailChanges & { state: EmailChangeStatus }

/**
 * Stores a draft.
 * @param limit how many changes an account may have since a time; it also holds for simultaneous requests
 * @returns `missing` when there is no such account, `too_many` beyond the limit
 */
export async function insertEmailChange(
  sql: Database,
  encryption: ColumnEncryption,
  change: { id: string; accountId: string; oldEmail: string; newEmail: string; at: Date; expiresAt: Date },
  limit: { most: number; since: Date },
): Promise<'stored' | 'missing' | 'too_many'> {
  const { accountId } = change
  const key = await findDataKey(sql, encryption, accountId)
  if (!key) return 'missing'
  const fields = tableEncryption(encryption.cipher, key, 'email_changes')
  const row = {
    id: change.id,
    account_id: accountId,
    state: 'draft',
    old_email: fields.seal('old_email', change.oldEmail),
    new_email: fields.seal('new_email', change.newEmail),
    requested_at: change.at,
    expires_at: change.expiresAt,
  } satisfies Partial<EmailChanges>
  return sql.begin(async (tx) => {
    // The lock orders simultaneous requests of an account: otherwise none would count the others.
    const [account] = await tx`select 1 from accounts where id = ${accountId} for no key update`
    if (!account) return 'missing'
    const [before] = await tx<{ count: number }[]>`
      select count(*)::int as count from email_changes
      where account_id = ${accountId} and requested_at > ${limit.since}`
    if ((before?.count ?? 0) >= limit.most) return 'too_many'
    await tx`insert into email_changes ${tx(row)}`
    return 'stored'
  })
}

/**
 * Makes a draft current; repeatable.
 * @returns `replaced` when another change is open already: the draft is deleted; `changed` when an earlier run, which is
 *   gone, has changed the address and not ended the change
 */
export async function openEmailChange(sql: Queryable, id: string): Promise<'open' | 'gone' | 'replaced' | 'changed'> {
  try {
    const opened = await sql`update email_changes set state = 'open' where id = ${id} and state in ('draft', 'open')`
    if (opened.count === 1) return 'open'
  } catch (error) {
    if (violatedConstraint(error) !== 'email_changes_open') throw error
    await sql`delete from email_changes where id = ${id} and state = 'draft'`
    return 'replaced'
  }
  const [row] = await sql<Pick<EmailChanges, 'state' | 'old_email'>[]>`
    select state, old_email from email_changes where id = ${id}`
  return row?.state === 'changed' && row.old_email ? 'changed' : 'gone'
}

/** Deletes drafts that were requested before a time. @returns their number */
export async function deleteEmailChangeDrafts(sql: Queryable, before: Date): Promise<number> {
  const deleted = await sql`delete from email_changes where state = 'draft' and requested_at < ${before}`
  return deleted.count
}

/** The change, or undefined when it is missing, a draft, or erased with its account. */
export async function findEmailChange(
  sql: Queryable,
  encryption: ColumnEncryption,
  id: string,
): Promise<EmailChange | undefined> {
  const [row] = await sql<EmailChangeRow[]>`select * from email_changes where id = ${id} and state <> 'draft'`
  return row && open(sql, encryption, row)
}

/** The addresses that an account's changes have replaced or given: until each has ended, others may have one of them. */
export async function addressesToReplace(
  sql: Queryable,
  encryption: ColumnEncryption,
  accountId: string,
): Promise<string[]> {
  const rows = await sql<EmailChangeRow[]>`
    select * from email_changes where account_id = ${accountId} and state = 'changed' and old_email is not null`
  const changes = await Promise.all(rows.map((row) => open(sql, encryption, row)))
  return changes
    .flatMap((change) => [change?.oldEmail, change?.newEmail])
    .filter((address) => typeof address === 'string')
}

/** The newest change of an account, open or ended. */
export async function latestEmailChange(
  sql: Queryable,
  encryption: ColumnEncryption,
  accountId: string,
): Promise<EmailChange | undefined> {
  const [row] = await sql<EmailChangeRow[]>`
    select * from email_changes where account_id = ${accountId} and state <> 'draft' order by requested_at desc, id desc limit 1`
  return row && open(sql, encryption, row)
}

/** Records the consent of one address, or that an operator has waived that of the old one. */
export async function confirmSide(
  sql: Queryable,
  id: string,
  confirmation: { side: 'old' | 'new'; at: Date; waivedBy: string | null },
): Promise<void> {
  const { side, at, waivedBy } = confirmation
  await sql`update email_changes set ${sql(
    side === 'old' ? { old_confirmed_at: at, old_waived_by: waivedBy } : { new_confirmed_at: at },
  )} where id = ${id} and state = 'open'`
}

/**
 * Ends a change that is still open. The row decides between this and `applyEmailChange`, and not the signals of the
 * run.
 * @returns the state of the change afterwards; undefined when it is erased, or a draft that nobody has seen
 */
export async function endOpenEmailChange(
  sql: Queryable,
  id: string,
  state: 'cancelled' | 'replaced',
): Promise<EmailChangeStatus | undefined> {
  await sql`update email_changes set state = ${state} where id = ${id} and state = 'open'`
  const [row] = await sql<Pick<EmailChanges, 'state'>[]>`select state from email_changes where id = ${id}`
  return row?.state === 'draft' ? undefined : row?.state
}

/**
 * Sets the new address and ends the person's web sessions and sign-in links, since the links went to the old address.
 * What the person has asked by mail stays theirs, and not the next one's who gets the old address: also what they had
 * asked before they signed up. The answer goes to the new address.
 * @returns `taken` when another account has the address by now; `cancelled` or `replaced` when the change was ended
 *   meanwhile, or the account no longer has the address that has agreed
 */
export async function applyEmailChange(
  sql: Database,
  encryption: ColumnEncryption,
  id: string,
  at: Date,
): Promise<'changed' | 'taken' | 'gone' | 'cancelled' | 'replaced'> {
  const change = await findEmailChange(sql, encryption, id)
  if (!change) return 'gone'
  if (isDecided(change.state)) return change.state
  const key = await findDataKey(sql, encryption, change.accountId)
  if (!change.newEmail || !change.oldEmail || !key) return 'gone'
  const { accountId, newEmail, oldEmail } = change
  const indexOf = (email: string) => emailIndexOf(encryption, email)
  const columns = {
    email: tableEncryption(encryption.cipher, key, 'accounts').seal('email', newEmail),
    email_index: indexOf(newEmail),
    mail_state: 'ok',
  } satisfies Partial<Accounts>
  const ofNobodys = tableEncryption(encryption.cipher, await encryption.dataKeys.system(sql), 'privacy_requests')
  const movedTo = ofNobodys.seal('reply_to', newEmail)
  try {
    return await sql.begin(async (tx) => {
      // The account first, as an erasure does.
      await lockAccount(tx, accountId)
      const [row] = await tx<Pick<EmailChanges, 'state'>[]>`select state from email_changes where id = ${id} for update`
      if (!row) return 'gone'
      if (isDecided(row.state)) return row.state
      const changed = await tx`
        update accounts set ${tx(columns)}, version = version + 1, last_active_at = greatest(last_active_at, ${at})
        where id = ${accountId} and email_index = ${indexOf(oldEmail)}`
      // Another change has given the account an address that nobody has asked.
      if (changed.count === 0) return 'replaced'
      await tx`update email_changes set state = 'changed', ended_at = ${at} where id = ${id}`
      await tx`delete from web_sessions where account_id = ${accountId}`
      await tx`delete from link_tokens where account_id = ${accountId}`
      await tx`update privacy_requests set reply_to_index = ${columns.email_index},
          reply_to = case when state = 'answered' then reply_to else ${movedTo} end
        where account_id is null and reply_to_index = ${indexOf(oldEmail)}`
      // Without an address of its own it is answered at that of the account.
      await tx`update privacy_requests set reply_to = null, reply_to_index = null
        where account_id = ${accountId} and reply_to_index = ${indexOf(oldEmail)} and state <> 'answered'`
      return 'changed'
    })
  } catch (error) {
    if (violatedConstraint(error) === 'accounts_email_index_key') return 'taken'
    throw error
  }
}

const isDecided = (state: EmailChanges['state']): state is 'changed' | 'cancelled' | 'replaced' =>
  state === 'changed' || state === 'cancelled' || state === 'replaced'

/** Ends a change and deletes its addresses and links. One that was made stays made. */
export async function endEmailChange(sql: Queryable, id: string, state: EmailChangeStatus, at: Date): Promise<void> {
  await sql`
    with gone as (delete from link_tokens where subject_id = ${id})
    update email_changes set state = case when state = 'changed' then state else ${state} end,
      old_email = null, new_email = null, ended_at = coalesce(ended_at, ${at})
    where id = ${id}`
}

async function open(
  sql: Queryable,
  encryption: ColumnEncryption,
  row: EmailChangeRow,
): Promise<EmailChange | undefined> {
  const key = await findDataKey(sql, encryption, row.account_id)
  if (!key) return undefined
  const fields = tableEncryption(encryption.cipher, key, 'email_changes')
  return {
    id: row.id,
    accountId: row.account_id,
    oldEmail: fields.openOptional('old_email', row.old_email),
    newEmail: fields.openOptional('new_email', row.new_email),
    state: row.state,
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    oldConfirmedAt: row.old_confirmed_at,
    newConfirmedAt: row.new_confirmed_at,
  }
}
