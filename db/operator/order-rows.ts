/** The rows that tell what happened to an order, one query for each table. */
import type { Queryable } from '../connection/database.ts'
import type {
  Attention,
  Disputes,
  Esims,
  Invoices,
  OperatorActs,
  ProviderOrders,
  Refunds,
  Sends,
  Withdrawals,
} from '../connection/schema.ts'
import { listDisputes } from '../order/disputes.ts'
import { listActsOfOrder } from './operator-acts.ts'

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
}

export async function readOrderRows(sql: Queryable, orderId: string): Promise<OrderRows> {
  const [placements, esims, documents, refunds, disputes, withdrawals, acts] = await Promise.all([
    sql<ProviderOrders[]>`select * from provider_orders where order_id = ${orderId}`,
    sql<OrderRows['esims']>`
      select id, provider, state, activated_at, expires_at, return_asked_at, checked_at from esims
      where order_id = ${orderId}`,
    sql<OrderRows['documents']>`
      select i.number, i.kind, i.issued_on, i.gross_minor, i.currency from invoices i
      join invoice_links l on l.number = i.number where l.order_id = ${orderId}`,
    sql<Refunds[]>`select * from refunds where order_id = ${orderId}`,
    listDisputes(sql, orderId),
    sql<OrderRows['withdrawals']>`select opened_at, stated_at from withdrawals where order_id = ${orderId}`,
    listActsOfOrder(sql, orderId),
  ])
  const subjects = [orderId, ...esims.map(({ id }) => id)]
  const named = [...subjects, ...disputes.map((row) => row.stripe_dispute_id)]
  const [sends, tasks] = await Promise.all([
    sql<Sends[]>`select * from sends where subject_id = any(${subjects}::uuid[])`,
    sql<Attention[]>`select * from attention where subject_id = any(${named}::text[])`,
  ])
  return { placements, esims, documents, refunds, disputes, withdrawals, acts, sends, tasks }
}
