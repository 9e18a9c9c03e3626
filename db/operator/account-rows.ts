/**
 * The rows that show the history of an account, one query for each table. Rows about its orders are in order-rows.ts.
 */
import type { Queryable } from '../connection/database.ts'
import type {
  Attention,
  Consents,
  EmailChanges,
  Identities,
  OperatorActs,
  Orders,
  Sends,
} from '../connection/schema.ts'
import { isRequestOf, type PrivacyRequestRow } from '../privacy-requests.ts'
import { type EventRow, type OrderRows, readRowsOfOrders, wantedAndTaken } from './order-rows.ts'

export interface AccountRows {
  /** the newest first */
  orders: { order: Orders; rows: OrderRows }[]
  /** the newest first, also those about orders; so are acts and tasks */
  sends: Sends[]
  acts: OperatorActs[]
  tasks: Attention[]
  consents: Pick<Consents, 'granted' | 'source' | 'at'>[]
  requests: PrivacyRequestRow[]
  emailChanges: Pick<
    EmailChanges,
    'id' | 'state' | 'requested_at' | 'old_confirmed_at' | 'new_confirmed_at' | 'old_waived_by' | 'ended_at'
  >[]
  identities: Pick<Identities, 'provider' | 'linked_at'>[]
  /** those about no order */
  events: EventRow[]
}

/** Reads everything that the timeline of an account shows. */
export async function readAccountRows(sql: Queryable, accountId: string): Promise<AccountRows> {
  const [orders, sends, acts, tasks, consents, requests, emailChanges, identities, events] = await Promise.all([
    sql<Orders[]>`select * from orders where account_id = ${accountId} order by created_at desc, id desc`,
    sql<Sends[]>`select * from sends where account_id = ${accountId} order by first_at desc, kind`,
    sql<OperatorActs[]>`
      select * from operator_acts where account_id = ${accountId} and state <> 'planned' order by asked_at desc, id`,
    sql<Attention[]>`
      select * from attention
      where subject_id in (select id::text from owned_ids where account_id = ${accountId})
        or subject_id in (
          select stripe_dispute_id from disputes d join orders o on o.id = d.order_id where o.account_id = ${accountId})
      order by opened_at desc, id`,
    sql<AccountRows['consents']>`
      select granted, source, at from consents where account_id = ${accountId} and purpose = 'promotions'
      order by at desc`,
    sql<PrivacyRequestRow[]>`
      select * from privacy_requests where ${isRequestOf(sql, accountId)} and state <> 'draft' order by received_at desc, id`,
    sql<AccountRows['emailChanges']>`
      select id, state, requested_at, old_confirmed_at, new_confirmed_at, old_waived_by, ended_at from email_changes
      where account_id = ${accountId} and state <> 'draft'`,
    sql<AccountRows['identities']>`select provider, linked_at from identities where account_id = ${accountId}`,
    sql<EventRow[]>`
      select id, type, at, ${wantedAndTaken(sql)} from events
      where account_id = ${accountId} and data ->> 'orderId' is null order by entry`,
  ])
  const rowsOf = await readRowsOfOrders(
    sql,
    orders.map(({ id }) => id),
  )
  return {
    orders: orders.flatMap((order) => {
      const rows = rowsOf.get(order.id)
      return rows ? [{ order, rows }] : []
    }),
    sends,
    acts,
    tasks,
    consents,
    requests,
    emailChanges,
    identities,
    events,
  }
}
