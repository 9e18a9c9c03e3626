/** Orders as the app's backend places them, from POST to delivered. */

import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Orders, Packages } from '../db/connection/schema.ts'
import type { Stack } from '../dev/stack.ts'
import { orderWorkflowId } from '../workflows/order/order.contract.ts'
import { serviceOf } from './service.ts'
import { describeRun, type StalledRunOptions, watchForStalledRuns } from './stalled-runs.ts'

/** Below the velocity limit, which would send an order to review. */
const ordersPerAccount = 9
const signUpsAtOnce = 20

export type Shop = Awaited<ReturnType<typeof openShop>>

/** @param options when a run counts as stalled */
export async function openShop(stack: Stack, options: StalledRunOptions = {}) {
  const call = serviceOf(stack)
  // Several packages cost the least. For Antarctica there are test packages alone, of which one is never in stock.
  const [onSale] = await stack.context.sql<Pick<Packages, 'code'>[]>`
    select p.code from packages p join package_offers o on o.package_code = p.code
    where p.active and p.kind = 'base' and o.provider = 'esim-access' and o.available and not 'AQ' = any(p.destinations)
      and o.provider = (select provider from package_offers where package_code = p.code order by rank nulls last, cost_micros, provider limit 1)
    order by p.price_minor, p.code limit 1`
  if (!onSale) throw new Error('the catalogue is empty')
  const accounts: { id: string; left: number }[] = []
  const waiting = new Map<string, { delivered: () => void; failed: (why: unknown) => void }>()
  const stalled = watchForStalledRuns(stack.temporal, options)
  const watch = setInterval(() => void checkDelivered(), 25)
  let checking = false

  return {
    /** Signs up the accounts for the next orders. */
    async prepare(orders: number): Promise<void> {
      const ids = await newcomers(Math.ceil(orders / ordersPerAccount))
      accounts.push(...ids.map((id) => ({ id, left: ordersPerAccount })))
    },
    newcomers,
    /** POST /v1/orders. @param accountId default: a prepared account @returns the order's id */
    order,
    /** Places, pays and awaits an order. @throws when it gets another status, or its run stalls */
    async deliver(accountId?: string): Promise<string> {
      const id = await order(accountId)
      const delivered = new Promise<void>((resolve, reject) => {
        waiting.set(id, { delivered: resolve, failed: reject })
      })
      delivered.catch(() => {}) // It is awaited once the payment is made.
      try {
        const paidFor = stack.sims.stripe.do('pay', { orderId: id })
        await stalled.until(
          orderWorkflowId(id),
          paidFor.then(() => delivered),
        )
      } catch (error) {
        throw await withRow(id, error)
      } finally {
        waiting.delete(id)
      }
      return id
    },
    close() {
      clearInterval(watch)
      stalled.close()
    },
  }

  async function order(accountId: string = nextAccount()): Promise<string> {
    return await post('/v1/orders', {
      accountId,
      packageCode: onSale?.code,
      measurement: { adUserData: true, adPersonalization: false },
    })
  }

  function nextAccount(): string {
    const account = accounts.find(({ left }) => left > 0)
    if (!account) throw new Error('prepare the accounts first')
    account.left -= 1
    if (account.left === 0) accounts.splice(accounts.indexOf(account), 1)
    return account.id
  }

  /** Signs up people with a phone. @returns their accounts' ids */
  async function newcomers(count: number): Promise<string[]> {
    const ids: string[] = []
    while (ids.length < count) {
      const atOnce = Math.min(signUpsAtOnce, count - ids.length)
      ids.push(...(await Promise.all(Array.from({ length: atOnce }, signUp))))
    }
    return ids
  }

  async function signUp(): Promise<string> {
    const name = randomUUID()
    const id = await post('/v1/accounts', { email: `${name}@bench.example`, firstName: 'Bo', lastName: 'Lund' })
    const device = { platform: 'ios', pushToken: name, osVersion: '18.1', appInstanceId: name.replaceAll('-', '') }
    await call('PUT', `/v1/accounts/${id}/devices/${name}`, device)
    return id
  }

  /** One query for all orders: polling each by the API would be most of the load. */
  async function checkDelivered(): Promise<void> {
    if (checking || waiting.size === 0) return
    checking = true
    try {
      const rows = await stack.context.sql<Pick<Orders, 'id' | 'status'>[]>`
        select id, status from orders where id in ${stack.context.sql([...waiting.keys()])}`
      for (const { id, status } of rows) settle(id, status)
    } catch (error) {
      for (const { failed } of waiting.values()) failed(error)
    } finally {
      checking = false
    }
  }

  function settle(id: string, status: string): void {
    const order = waiting.get(id)
    if (!order || status === 'awaiting_payment' || status === 'provisioning') return
    waiting.delete(id)
    if (status === 'delivered') order.delivered()
    else order.failed(new Error(`order ${id} was not delivered: ${status}`))
  }

  /** Adds what our database and Temporal know of an order that was not delivered. */
  async function withRow(id: string, cause: unknown): Promise<Error> {
    const rows = await stack.context.sql<Pick<Orders, 'status' | 'reason'>[]>`
      select status, reason from orders where id = ${id}`.catch(() => [])
    const row = rows[0] ? `${rows[0].status}${rows[0].reason ? ` (${rows[0].reason})` : ''}` : 'without a row'
    const state = await describeRun(stack.temporal, orderWorkflowId(id))
    const why = cause instanceof Error ? cause.message : String(cause)
    return new Error(`order ${id} is ${row}: ${why}; of its run: ${state}`, { cause })
  }

  async function post(path: string, body: unknown): Promise<string> {
    return z.object({ id: z.string() }).parse(await (await call('POST', path, body)).json()).id
  }
}
