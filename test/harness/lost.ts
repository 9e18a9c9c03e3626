/** The losses of a lost database, and the items that `npm run restore` leaves to the run that completes it. */
import { randomUUID } from 'node:crypto'
import { insertItem, insertRestore, openTraffic } from '../../db/backup/restores.ts'
import type { Database } from '../../db/connection/database.ts'
import type { ProviderOrders } from '../../db/connection/schema.ts'
import { restoreStart } from '../../workflows/backup/restore.contract.ts'
import type { Product } from './product.ts'
import type { OrderView } from './purchases.ts'
import { testPackages } from './test-packages.ts'

/** Deletes an account's rows without a receipt and erasure steps, which our code never does. */
export async function loseAccount(sql: Database, accountId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    await tx`delete from accounts where id = ${accountId}`
    await tx`delete from data_keys where account_id = ${accountId}`
  })
}

/** Deletes only the rows of an account's orders. */
export async function loseOrders(sql: Database, accountId: string): Promise<void> {
  await sql.begin(async (tx) => {
    await tx`select erase_only(${accountId})`
    await tx`delete from orders where account_id = ${accountId}`
  })
}

/** Leaves of an order what a dump has that was made before its delivery. @returns the numbers of its documents */
export async function loseDelivery(sql: Database, orderId: string): Promise<string[]> {
  const lost = await sql<{ number: string }[]>`
    delete from invoices where number in (select number from invoice_links where order_id = ${orderId}) returning number`
  await sql`update order_facts set outcome = 'paid' where id = (select fact_id from orders where id = ${orderId})`
  await sql`update orders set status = 'provisioning', delivered_at = null, ended_at = null, install_token = null,
    install_token_index = null where id = ${orderId}`
  return lost.map(({ number }) => number)
}

/** Leaves of an order what a dump has that was made before its payment. @returns the numbers of its documents */
export async function losePayment(sql: Database, orderId: string): Promise<string[]> {
  const numbers = await loseDelivery(sql, orderId)
  await sql.begin(async (tx) => {
    await tx`select erase_only(account_id) from orders where id = ${orderId}`
    await tx`delete from esims where order_id = ${orderId}`
    await tx`delete from provider_orders where order_id = ${orderId}`
    await tx`update orders set status = 'awaiting_payment', paid_at = null, fact_id = null, payment_kind = null,
      card_country = null, deliver_by = null where id = ${orderId}`
  })
  return numbers
}

export interface LostOrder {
  order: OrderView
  email: string
  paymentIntentId: string
  /** the subject of the provider's item */
  providerOrder: string
}

/** Sells an eSIM to somebody whose account is lost afterwards. @param before what happens in between */
export async function loseOrder(
  product: Product,
  before: (order: OrderView) => Promise<unknown> = async () => undefined,
  packageCode: string = testPackages.onlyEsimAccess,
): Promise<{ lost: LostOrder; leave(restoreId: string): Promise<void> }> {
  const { sql } = product.context
  const person = await product.signUp()
  const order = await product.buy(person, { packageCode })
  await before(order)
  const [row] = await sql<{ payment_intent_id: string; fact_id: string; number: string }[]>`
    select payment_intent_id, fact_id, number from orders join invoice_links on order_id = id where id = ${order.id}`
  const [placed] = await sql<ProviderOrders[]>`select * from provider_orders where order_id = ${order.id}`
  if (!row || !placed) throw new Error('the order was not delivered')
  await loseAccount(sql, person.accountId)
  const { provider, client_ref: clientRef, provider_order_no: orderNo, placed_after: placedAfter } = placed
  const paymentIntentId = row.payment_intent_id
  const providerOrder = `${provider}:${orderNo}`
  const plan = { orderId: order.id, factId: null, invoiceNumber: null, paymentIntentId: null, placement: null }
  return {
    lost: { order, email: person.email, paymentIntentId, providerOrder },
    async leave(restoreId) {
      const item = { outcome: 'to_settle', detail: 'account_lost' } as const
      await insertItem(sql, restoreId, {
        ...item,
        kind: 'payment',
        subjectId: paymentIntentId,
        plan: { ...plan, paymentIntentId, factId: row.fact_id, invoiceNumber: row.number },
      })
      const placement = { provider, clientRef, orderNo, packageCode: '', quantity: 1, days: null, esimRefs: null }
      await insertItem(sql, restoreId, {
        ...item,
        kind: 'provider_order',
        subjectId: providerOrder,
        plan: { ...plan, placement: { ...placement, placedAfter: placedAfter.toISOString() } },
      })
    },
  }
}

/** Closes the API as a restore does. @param items what it left to be settled */
export async function closeForRestore(
  { context: { sql } }: Product,
  items: readonly { leave(restoreId: string): Promise<void> }[],
): Promise<string> {
  const id = randomUUID()
  await sql.begin((tx) => insertRestore(tx, { id, backupId: 'lost', readsSince: new Date(), at: new Date() }))
  for (const { leave } of items) await leave(id)
  return id
}

/** Records a restore that refuses nobody. @returns its id */
export async function openRestore(sql: Database): Promise<string> {
  const id = randomUUID()
  await sql.begin(async (tx) => {
    await insertRestore(tx, { id, backupId: 'none', readsSince: new Date(), at: new Date() })
    await openTraffic(tx, id, new Date())
  })
  return id
}

/** Starts the run that completes a restore. @returns its workflow id */
export async function startRestoreRun({ temporal, config }: Product, restoreId: string): Promise<string> {
  const { type, ...start } = restoreStart(restoreId, config.TEMPORAL_TASK_QUEUE)
  await temporal.workflow.start(type, start)
  return start.workflowId
}
