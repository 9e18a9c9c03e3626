/** G2: changes of an account's address. */
import { normalEmail } from './accounts.ts'
import { violatedConstraint } from './constraint.ts'
import type { Database, Queryable } from './database.ts'
import { findDataKey, tableSealer, type Vault } from './vault.ts'

export type EmailChangeStatus = 'open' | 'changed' | 'expired' | 'cancelled' | 'replaced' | 'taken'

export interface EmailChange {
  id: string
  accountId: string
  /** both are null at the end */
  oldEmail: string | null
  newEmail: string | null
  state: EmailChangeStatus
  requestedAt: Date
  expiresAt: Date
  oldConfirmedAt: Date | null
  oldWaivedBy: string | null
  newConfirmedAt: Date | null
  endedAt: Date | null
}

interface EmailChangeRow {
  id: string
  account_id: string
  old_email: Buffer | null
  new_email: Buffer | null
  state: EmailChangeStatus
  requested_at: Date
  expires_at: Date
  old_confirmed_at: Date | null
  old_waived_by: string | null
  new_confirmed_at: Date | null
  ended_at: Date | null
}

/** False when there is no such account. @throws PostgresError when one is open: constraint `email_changes_open` */
export async function insertEmailChange(
  sql: Queryable,
  vault: Vault,
  change: { id: string; accountId: string; oldEmail: string; newEmail: string; at: Date; expiresAt: Date },
): Promise<boolean> {
  const key = await findDataKey(sql, vault, change.accountId)
  if (!key) return false
  const fields = tableSealer(vault.cipher, key, 'email_changes')
  await sql`insert into email_changes ${sql({
    id: change.id,
    account_id: change.accountId,
    old_email: fields.seal('old_email', change.oldEmail),
    new_email: fields.seal('new_email', change.newEmail),
    requested_at: change.at,
    expires_at: change.expiresAt,
  })}`
  return true
}

/** Undefined when it never was, or was erased with its account. */
export async function findEmailChange(sql: Queryable, vault: Vault, id: string): Promise<EmailChange | undefined> {
  const [row] = await sql<EmailChangeRow[]>`select * from email_changes where id = ${id}`
  return row && open(sql, vault, row)
}

/** The youngest, open or over. */
export async function latestEmailChange(
  sql: Queryable,
  vault: Vault,
  accountId: string,
): Promise<EmailChange | undefined> {
  const [row] = await sql<EmailChangeRow[]>`
    select * from email_changes where account_id = ${accountId} order by requested_at desc, id desc limit 1`
  return row && open(sql, vault, row)
}

export async function countEmailChanges(sql: Queryable, accountId: string, since: Date): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from email_changes where account_id = ${accountId} and requested_at > ${since}`
  return row?.count ?? 0
}

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
 * Puts the new address in the old one's place and signs the person out everywhere: their links came to the old one.
 * `taken` when it has another account by now.
 */
export async function applyEmailChange(
  sql: Database,
  vault: Vault,
  id: string,
  at: Date,
): Promise<'changed' | 'taken' | 'gone'> {
  const change = await findEmailChange(sql, vault, id)
  if (change?.state === 'changed') return 'changed'
  const key = change && (await findDataKey(sql, vault, change.accountId))
  if (!change?.newEmail || !key) return 'gone'
  const { accountId, newEmail } = change
  const columns = {
    email: tableSealer(vault.cipher, key, 'accounts').seal('email', newEmail),
    email_index: vault.cipher.blindIndex('accounts.email', normalEmail(newEmail)),
    mail_state: 'ok',
  }
  try {
    return await sql.begin(async (tx) => {
      const changed = await tx`
        update accounts set ${tx(columns)}, version = version + 1, last_active_at = greatest(last_active_at, ${at})
        where id = ${accountId}`
      await tx`update email_changes set state = 'changed', ended_at = ${at} where id = ${id}`
      await tx`delete from web_sessions where account_id = ${accountId}`
      await tx`delete from link_tokens where account_id = ${accountId}`
      return changed.count === 1 ? ('changed' as const) : ('gone' as const)
    })
  } catch (error) {
    if (violatedConstraint(error) === 'accounts_email_index_key') return 'taken'
    throw error
  }
}

/** Ends a change and forgets its addresses and links. */
export async function endEmailChange(sql: Queryable, id: string, state: EmailChangeStatus, at: Date): Promise<void> {
  await sql`
    with gone as (delete from link_tokens where subject_id = ${id})
    update email_changes set state = ${state}, old_email = null, new_email = null, ended_at = coalesce(ended_at, ${at})
    where id = ${id}`
}

async function open(sql: Queryable, vault: Vault, row: EmailChangeRow): Promise<EmailChange | undefined> {
  const key = await findDataKey(sql, vault, row.account_id)
  if (!key) return undefined
  const fields = tableSealer(vault.cipher, key, 'email_changes')
  return {
    id: row.id,
    accountId: row.account_id,
    oldEmail: fields.openOptional('old_email', row.old_email),
    newEmail: fields.openOptional('new_email', row.new_email),
    state: row.state,
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    oldConfirmedAt: row.old_confirmed_at,
    oldWaivedBy: row.old_waived_by,
    newConfirmedAt: row.new_confirmed_at,
    endedAt: row.ended_at,
  }
}
