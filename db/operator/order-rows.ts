/** The rows that show the history of orders, one query for each table. */
import type { Queryable } from '../connection/database.ts'
import type {
  Attention,
  Disputes,
  Esims,
  Events,
  Invoices,
  OperatorActs,
  OrderHistory,
  Orders,
  ProviderOrders,
  Refunds,
  Sends,
  Withdrawals,
} from '../connection/schema.ts'

/** An event for the app backend; `wanted` endpoints are sent it, and `taken` of these have it. */
export type EventRow = Pick<Events, 'id' | 'type' | 'at'> & { wanted: number; taken: number }

export interface OrderRows {
  placements: ProviderOrders[]
  esims: Pick<Esims, 'id' | 'provider' | 'state' | 'activated_at' | 'expires_at' | 'return_asked_at' | 'checked_at'>[]
  sends: Sends[]
  documents: Pick<Invoices, 'number' | 'kind' | 'issued_on' | 'gross_minor' | 'currency'>[]
  refunds: Refunds[]
  disputes: Disputes[]
  withdrawals: Pick<Withdrawals, 'opened_at' | 'stated_at'>[]
  acts: OperatorActs[]
  tasks: Attention[]
  history: OrderHistory[]
  /** orders of more data on an eSIM of this order */
  topUps: Pick<Orders, 'id' | 'package_name' | 'gross_minor' | 'currency' | 'status' | 'created_at' | 'delivered_at'>[]
  events: EventRow[]
}

/** Reads everything that the timeline of an order shows. */
export async function readOrderRows(sql: Queryable, orderId: string): Promise<OrderRows> {
  return (await readRowsOfOrders(sql, [orderId])).get(orderId) ?? none()
}

const none = (): OrderRows => ({
  placements: [],
  esims: [],
  sends: [],
  documents: [],
  refunds: [],
  disputes: [],
  withdrawals: [],
  acts: [],
  tasks: [],
  history: [],
  topUps: [],
  events: [],
})

type OfOrder<Row> = Row & { order_id: string }

/** The rows of several orders, by the id of the order. */
export async function readRowsOfOrders(sql: Queryable, orderIds: readonly string[]): Promise<Map<string, OrderRows>> {
  const ids = [...orderIds]
  const [placements, esims, documents, refunds, disputes, withdrawals, acts, history, topUps, events] =
    await Promise.all([
      sql<ProviderOrders[]>`select * from provider_orders where order_id = any(${ids}::uuid[])`,
      sql<OfOrder<OrderRows['esims'][number]>[]>`
        select order_id, id, provider, state, activated_at, expires_at, return_asked_at, checked_at from esims
        where order_id = any(${ids}::uuid[]) order by id`,
      sql<OfOrder<OrderRows['documents'][number]>[]>`
        select l.order_id, i.number, i.kind, i.issued_on, i.gross_minor, i.currency from invoices i
        join invoice_links l on l.number = i.number where l.order_id = any(${ids}::uuid[])`,
      sql<OfOrder<Refunds>[]>`select * from refunds where order_id = any(${ids}::uuid[])`,
      sql<OfOrder<Disputes>[]>`
        select * from disputes where order_id = any(${ids}::uuid[]) order by opened_at desc, stripe_dispute_id`,
      sql<OfOrder<OrderRows['withdrawals'][number]>[]>`
        select order_id, opened_at, stated_at from withdrawals where order_id = any(${ids}::uuid[])`,
      // Without those whose turn in a bulk action has not come.
      sql<OfOrder<OperatorActs>[]>`
        select * from operator_acts where order_id = any(${ids}::uuid[]) and state <> 'planned' order by asked_at, id`,
      sql<OrderHistory[]>`select * from order_history where order_id = any(${ids}::uuid[])`,
      sql<OfOrder<OrderRows['topUps'][number]>[]>`
        select parent_order_id as order_id, id, package_name, gross_minor, currency, status, created_at, delivered_at
        from orders where parent_order_id = any(${ids}::uuid[]) order by created_at, id`,
      sql<OfOrder<EventRow>[]>`
        select data ->> 'orderId' as order_id, id, type, at, ${wantedAndTaken(sql)} from events
        where account_id in (select account_id from orders where id = any(${ids}::uuid[]))
          and data ->> 'orderId' = any(${ids}::text[]) order by entry`,
    ])
  const orderOfEsim = new Map(esims.map(({ id, order_id }) => [id, order_id]))
  const orderOfDispute = new Map(disputes.map((row) => [row.stripe_dispute_id, row.order_id]))
  const subjects = [...ids, ...orderOfEsim.keys()]
  const [sends, tasks] = await Promise.all([
    sql<Sends[]>`select * from sends where subject_id = any(${subjects}::uuid[])`,
    sql<
      Attention[]
    >`select * from attention where subject_id = any(${[...subjects, ...orderOfDispute.keys()]}::text[])`,
  ])
  const orderOf = (subject: string): string => orderOfEsim.get(subject) ?? orderOfDispute.get(subject) ?? subject

  const found = new Map<string, OrderRows>(ids.map((id) => [id, none()]))
  for (const row of placements) found.get(row.order_id)?.placements.push(row)
  for (const row of esims) found.get(row.order_id)?.esims.push(row)
  for (const row of documents) found.get(row.order_id)?.documents.push(row)
  for (const row of refunds) found.get(row.order_id)?.refunds.push(row)
  for (const row of disputes) found.get(row.order_id)?.disputes.push(row)
  for (const row of withdrawals) found.get(row.order_id)?.withdrawals.push(row)
  for (const row of acts) found.get(row.order_id)?.acts.push(row)
  for (const row of history) found.get(row.order_id)?.history.push(row)
  for (const row of topUps) found.get(row.order_id)?.topUps.push(row)
  for (const row of events) found.get(row.order_id)?.events.push(row)
  for (const row of sends) found.get(orderOf(row.subject_id))?.sends.push(row)
  for (const row of tasks) found.get(orderOf(row.subject_id))?.tasks.push(row)
  return found
}

/** Of an event: how many endpoints are to be sent it, and how many have taken it. */
export const wantedAndTaken = (sql: Queryable) => {
  const endpoints = sql`
    select count(*)::int from webhook_endpoints e
    where e.state = 'enabled' and e.created_at <= events.at and (e.types is null or events.type = any(e.types))`
  return sql`(${endpoints}) as wanted, (${endpoints} and e.position >= events.position
    and not exists (select from event_retries r where r.endpoint_id = e.id and r.event_id = events.id)) as taken`
}
