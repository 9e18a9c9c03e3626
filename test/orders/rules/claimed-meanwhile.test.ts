/**
 * U2: paid means delivered or refunded. An order is given up while a request to a provider is being recorded: who
 * returns what providers hold for the order has to find the request.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { insertOrder, moveOrder } from '../../../db/order/orders.ts'
import { claimPlacement, type Offer } from '../../../db/order/placements.ts'
import { plainOrder } from '../../erasure/plain-order.ts'
import { shareStack } from '../../harness/harness.ts'
import { until } from '../../harness/until.ts'

// The order here is a row alone: no run and no payment belongs to it.
const harness = await shareStack({ books: false })
const { sql } = harness.context
const offer: Offer = {
  provider: 'airalo',
  provider_package_code: 'any',
  cost_micros: null,
  daily: false,
  kind: 'base',
  destinations: ['DE'],
}

test('U2: an order is given up once a request that is being recorded is there', async () => {
  const { accountId } = await harness.signUp()
  const id = randomUUID()
  await insertOrder(sql, plainOrder({ id, accountId, at: new Date() }))
  await sql`update orders set status = 'provisioning', paid_at = now() where id = ${id}`
  let commit = (): void => undefined
  const committed = new Promise<void>((resolve) => {
    commit = resolve
  })
  let claimed: Promise<void> = Promise.resolve()
  await new Promise<void>((recorded, fail) => {
    claimed = sql.begin(async (tx) => {
      expect(await claimPlacement(tx, id, offer, randomUUID())).toBeDefined()
      recorded()
      await committed
    })
    claimed.catch(fail)
  })
  let isGivenUp = false
  const found = (async () => {
    await moveOrder(sql, id, ['provisioning'], { status: 'refunding' })
    isGivenUp = true
    return sql`select from provider_orders where order_id = ${id}`
  })()
  await until('it is given up, or waits', async () => {
    const waits = await sql`
      select from pg_stat_activity where wait_event_type = 'Lock' and query like '%update orders set%'`
    return isGivenUp || waits.length > 0
  })
  commit()
  await claimed
  expect(await found).toHaveLength(1)
  expect(await claimPlacement(sql, id, offer, randomUUID())).toBeUndefined()
})
