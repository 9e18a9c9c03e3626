import type { Queryable } from './database.ts'

/** By which a person's things are known to rows that no foreign key ties to them. */
export interface PersonIds {
  accountId: string
  orderIds: string[]
  esimIds: string[]
  /** privacy requests and changes of address */
  requestIds: string[]
}

/** What somebody has asked for, before they had an account too: runs, operators' matters and sends are about it. */
export function readRequestIds(sql: Queryable, accountId: string) {
  return sql<{ id: string }[]>`
    select id from privacy_requests where account_id = ${accountId}
    union select id from privacy_requests
      where reply_to_index = (select email_index from accounts where id = ${accountId})
    union select id from email_changes where account_id = ${accountId}`
}

/**
 * Deletes whatever names an account or its orders, each row found by an index. What stays for the books has no tie to
 * them once this is done.
 */
export async function eraseRows(
  sql: Queryable,
  { accountId, orderIds, esimIds, requestIds }: PersonIds,
): Promise<void> {
  const ids = [accountId, ...orderIds, ...esimIds, ...requestIds]
  // Sent at once, since somebody waits for the answer.
  await Promise.all([
    sql`delete from attention where subject_id = any(${ids})`,
    sql`delete from attention
      where subject_id = any(array(select stripe_dispute_id from disputes where order_id = any(${orderIds})))`,
    sql`delete from idempotency_keys where resource_id = any(${ids})`,
    sql`delete from sends where subject_id = any(${ids})`,
    // What operators did stays on record for its 90 days, without whom it was about.
    sql`update security_log set account_id = null where account_id = ${accountId} and kind = 'operator_action'`,
    sql`delete from security_log where account_id = ${accountId}`,
    sql`delete from data_keys where account_id = ${accountId}`,
  ])
  // Takes identities, devices, consents and orders along, and with the orders their eSIMs, refunds and invoice links.
  await sql`delete from accounts where id = ${accountId}`
}
