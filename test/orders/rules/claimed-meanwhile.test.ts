/**
 * U2: paid means delivered or refunded. An order is given up while a request to a provider is being recorded: who
 * returns what providers hold for the order has to find the request.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { moveOrder } from '../../../db/order/orders.ts'
import { claimPlacement } from '../../../db/order/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { until } from '../../harness/until.ts'
import { anyOffer, orderAlone } from './order-alone.ts'

// The order here is a row alone: no run and no payment belongs to it.
const harness = await shareStack({ books: false })
const { sql } = harness.context

test('U2: an order is given up once a request that is being recorded is there', async () => {
  const id = await orderAlone(harness)
  let commit = (): void => undefined
  const committed = new Promise<void>((resolve) => {
    commit = resolve
  })
  let claimed: Promise<void> = Promise.resolve()
  await new Promise<void>((recorded, fail) => {
    claimed = sql.begin(async (tx) => {
      expect(await claimPlacement(tx, id, anyOffer, randomUUID())).toBeDefined()
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
  expect(await claimPlacement(sql, id, anyOffer, randomUUID())).toBeUndefined()
})
