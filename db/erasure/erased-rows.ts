/** Deletes what belongs to an account: by whose a row is, never by an id that merely stands in it. */

import type { Database, Queryable, Transaction } from '../connection/database.ts'
import { systemKeyId } from '../crypto/data-keys.ts'
import type { Trace } from './deletion-seals.ts'

/** What of an account has an id, by kind. */
export interface OwnedIds {
  orders: string[]
  esims: string[]
  privacyRequests: string[]
  emailChanges: string[]
}

/** Ids that something of another account has as well are left out: what is said of them is said of that, too. */
export async function readOwnedIds(sql: Queryable, accountId: string): Promise<OwnedIds> {
  const rows = await sql<{ kind: string; id: string }[]>`
    select kind, id from owned_ids own where account_id = ${accountId}
      and not exists (select from owned_ids other where other.id = own.id and other.account_id <> ${accountId})
    order by id`
  const ofKind = (kind: string) => rows.flatMap((row) => (row.kind === kind ? [row.id] : []))
  return {
    orders: ofKind('order'),
    esims: ofKind('esim'),
    privacyRequests: ofKind('privacy_request'),
    emailChanges: ofKind('email_change'),
  }
}

/**
 * Deletes an account with all that is its own, each row found by an index. What stays for the books has no tie to it
 * once this is done. In this transaction the database refuses to delete a row of any other account.
 */
export async function eraseRows(tx: Transaction, accountId: string, owned: OwnedIds): Promise<void> {
  const ids = [accountId, ...Object.values(owned).flat()]
  // Sent at once, since somebody waits for the answer.
  await Promise.all([
    tx`select erase_only(${accountId})`,
    tx`delete from attention where subject_id = any(${ids})`,
    tx`delete from attention where subject_id = any(array(
      select stripe_dispute_id from disputes d join orders o on o.id = d.order_id where o.account_id = ${accountId}))`,
    tx`delete from idempotency_keys where resource_id = any(${ids}) and (account_id is null or account_id = ${accountId})`,
    tx`delete from sends where subject_id = any(${ids}) and (account_id is null or account_id = ${accountId})`,
    // What operators did stays on record for its 90 days, without whom it was about.
    tx`update security_log set account_id = null where account_id = ${accountId} and kind = 'operator_action'`,
    tx`delete from security_log where account_id = ${accountId}`,
    tx`delete from data_keys where account_id = ${accountId}`,
  ])
  // Takes identities, devices, consents and orders along, and with the orders their eSIMs, refunds and invoice links.
  await tx`delete from accounts where id = ${accountId}`
}

/**
 * Deletes what was written of an erased account when its rows were gone already, so that no foreign key ties it to
 * anybody: by the column that says what it is about, and only where that is nothing of a living account.
 */
export async function eraseLateRows(sql: Database, { ids: [accountId = '', ...ids] }: Trace): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    const free = await withoutOthers(tx, accountId, [accountId, ...ids])
    await tx`delete from attention where subject_id = any(${free})`
    await tx`delete from idempotency_keys where resource_id = any(${free}) and account_id is null`
    await tx`delete from sends where subject_id = any(${free.filter(isUuid)}) and account_id is null`
    await tx`delete from disputes where stripe_dispute_id = any(${free}) and order_id is null`
    await tx`delete from security_log where account_id = ${accountId}`
    await tx`delete from data_keys where account_id = ${accountId}`
  })
}

/** Those of an erased account's ids that nothing of another account has, nor a receipt, nor the system. */
export async function withoutOthers(sql: Queryable, accountId: string, ids: readonly string[]): Promise<string[]> {
  const uuids = ids.filter(isUuid)
  const others = await sql<{ id: string }[]>`
    select id from owned_ids where id = any(${uuids}::uuid[]) and account_id <> ${accountId}
    union all select receipt_id from deletions where receipt_id = any(${uuids}::uuid[])`
  const taken = new Set([systemKeyId, ...others.map(({ id }) => id)])
  return ids.filter((id) => !taken.has(id))
}

const uuidForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

export const isUuid = (text: string): boolean => uuidForm.test(text)
