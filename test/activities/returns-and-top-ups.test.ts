/**
 * U2: a return and a top-up of one eSIM come at the same time: the customer gets one of the two, whoever is asked
 * first.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { claimReturn } from '../../activities/order/provider-returns.ts'
import { isBeingReturned, listEsims, lockUnreturned, noteReturnAsked } from '../../db/order/esims.ts'
import { findOrder, insertOrder } from '../../db/order/orders.ts'
import { failureCode } from '../../shared/failures.ts'
import { plainOrder } from '../erasure/plain-order.ts'
import { holdTable } from '../harness/database/held-table.ts'
import { shareStack } from '../harness/harness.ts'
import { until } from '../harness/until.ts'

// The top-ups here are rows alone: no run, payment or invoice belongs to them.
const harness = await shareStack({ books: false })
const { context } = harness
const { sql } = context

/** A delivered order, its eSIM, and a top-up that can be paid. */
async function deliveredWithTopUp() {
  const person = await harness.signUp()
  const { id: orderId } = await harness.buy(person)
  const order = await findOrder(sql, orderId)
  const esims = order ? await listEsims(context, order) : []
  const esimId = esims[0]?.id ?? ''
  const topUpId = randomUUID()
  const topUp = { id: topUpId, accountId: person.accountId, at: new Date(), parent_order_id: orderId, esim_id: esimId }
  await insertOrder(sql, plainOrder(topUp))
  return {
    esimId,
    pay: () => sql`update orders set status = 'provisioning', paid_at = now() where id = ${topUpId}`,
    /** Nothing of it is left to be provided. */
    end: () => sql`update orders set status = 'cancelled', paid_at = null where id = ${topUpId}`,
    claim: () =>
      claimReturn(sql, orderId, esims, new Date()).then(
        () => 'is returned',
        (error: unknown) => failureCode(error),
      ),
  }
}

const waitsFor = (table: string) =>
  until(`somebody waits for ${table}`, async () => {
    const [waiting] = await sql`
      select from pg_locks l join pg_class c on c.oid = l.relation where c.relname = ${table} and not l.granted`
    return waiting
  })

test('a return that meets a paid top-up gives way, and the top-up that looks meanwhile does not', async () => {
  const { esimId, pay, end, claim } = await deliveredWithTopUp()
  await pay()
  // The return has the eSIM, and has not seen the top-up yet.
  const held = await holdTable(sql, 'orders')
  const claimed = claim()
  await waitsFor('orders')
  const looked = isBeingReturned(sql, esimId)
  await held.release()
  expect([await claimed, await looked]).toEqual(['topped_up', false])
  await end()
})

/** The top-up's look for a return has answered, or waits for who has the eSIM's row. */
async function answersOrWaits(looked: Promise<boolean>): Promise<void> {
  let isAnswered = false
  const answered = (): void => {
    isAnswered = true
  }
  void looked.then(answered, answered)
  await until('the check has answered, or waits', async () => {
    const [waiting] = await sql`
      select from pg_stat_activity where wait_event_type = 'Lock' and query like '%from esims%for share'`
    return isAnswered || waiting
  })
}

test('a top-up that looks while a return has the eSIM and has not noted it waits, and gives way', async () => {
  const { esimId, end, claim } = await deliveredWithTopUp()
  const held = await holdTable(sql, 'orders')
  const claimed = claim()
  await waitsFor('orders')
  const looked = isBeingReturned(sql, esimId)
  await answersOrWaits(looked)
  await held.release()
  expect([await claimed, await looked]).toEqual(['is returned', true])
  await end()
})

test('a top-up that looks between the note of a return and its commit waits, and gives way', async () => {
  const { esimId, end } = await deliveredWithTopUp()
  let commit = (): void => undefined
  const committed = new Promise<void>((resolve) => {
    commit = resolve
  })
  let held: Promise<void> = Promise.resolve()
  await new Promise<void>((noted, fail) => {
    held = sql.begin(async (tx) => {
      expect(await lockUnreturned(tx, [esimId])).toEqual([esimId])
      await noteReturnAsked(tx, esimId, new Date())
      noted()
      await committed
    })
    held.catch(fail)
  })
  const looked = isBeingReturned(sql, esimId)
  await answersOrWaits(looked)
  commit()
  await held
  expect(await looked).toBe(true)
  await end()
})

test('a top-up that is paid after the claim of a return gives way, and the repeated return does not', async () => {
  const { esimId, pay, end, claim } = await deliveredWithTopUp()
  expect(await claim()).toBe('is returned')
  await pay()
  expect(await isBeingReturned(sql, esimId)).toBe(true)
  // The provider did not answer the first attempt.
  expect(await claim()).toBe('is returned')
  await end()
})
