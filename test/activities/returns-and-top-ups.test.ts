/**
 * U2: a return and a top-up of one eSIM come at the same time: the customer gets one of the two, whoever is asked
 * first.
 */
import { randomUUID } from 'node:crypto'
import { MockActivityEnvironment } from '@temporalio/testing'
import { expect, test } from 'vitest'
import { claimReturn } from '../../activities/order/provider-returns.ts'
import { createOrderProvisioningActivities } from '../../activities/order/provisioning.ts'
import type { Queryable } from '../../db/connection/database.ts'
import { isBeingReturned, lockUnreturned, noteReturnAsked } from '../../db/order/esims/returned-esims.ts'
import { listEsims, setEsimsCancelled } from '../../db/order/esims.ts'
import { findOrder, insertOrder } from '../../db/order/orders.ts'
import { claimPlacement, insertLostPlacement, listPlacements, type Offer } from '../../db/order/placements.ts'
import { failureCode } from '../../shared/failures.ts'
import { plainOrder } from '../erasure/plain-order.ts'
import { holdTable } from '../harness/database/held-table.ts'
import { shareStack } from '../harness/harness.ts'
import { testPackages } from '../harness/test-packages.ts'
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
  await insertOrder(sql, plainOrder({ ...topUp, package_code: testPackages.topUp }))
  return {
    orderId,
    esimId,
    topUpId,
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

/** The request of a top-up, without a look for a return before it: as a worker of an earlier build makes it. */
const request = (topUpId: string, query: Queryable = sql) => claimPlacement(query, topUpId, offer, randomUUID())
const offer: Offer = {
  provider: 'esim-access',
  provider_package_code: 'a top-up',
  cost_micros: null,
  daily: false,
  kind: 'top_up',
  destinations: ['DE'],
}
const refused = { code: '23001' }

/** Somebody of an earlier build is between its statement and its commit. @returns what commits it */
async function uncommitted(write: (tx: Queryable) => Promise<unknown>): Promise<() => Promise<void>> {
  let commit = (): void => undefined
  const committed = new Promise<void>((resolve) => {
    commit = resolve
  })
  let held: Promise<void> = Promise.resolve()
  await new Promise<void>((written, fail) => {
    held = sql.begin(async (tx) => {
      await write(tx)
      written()
      await committed
    })
    held.catch(fail)
  })
  return () => {
    commit()
    return held
  }
}

const waitsForEsim = () =>
  until('somebody waits for a row', async () => {
    const [waiting] = await sql`select from pg_stat_activity where wait_event_type = 'Lock'`
    return waiting
  })

test('the database refuses the return of an eSIM with a paid top-up to a worker that does not look for one', async () => {
  const { orderId, esimId, topUpId, pay, end } = await deliveredWithTopUp()
  await pay()
  await expect(noteReturnAsked(sql, esimId, new Date())).rejects.toMatchObject(refused)
  expect(await request(topUpId)).toBeDefined()
  await expect(noteReturnAsked(sql, esimId, new Date())).rejects.toMatchObject(refused)
  expect(await isBeingReturned(sql, esimId)).toBe(false)
  // One that is gone is noted, as a restore notes it.
  await setEsimsCancelled(sql, orderId, new Date(), esimId)
  await noteReturnAsked(sql, esimId, new Date())
  await end()
})

test('the database refuses the top-up of an eSIM that is being returned to a worker that does not look for it', async () => {
  const { esimId, topUpId, pay, end } = await deliveredWithTopUp()
  await noteReturnAsked(sql, esimId, new Date())
  await pay()
  expect(await request(topUpId)).toBeUndefined()
  // What a provider may have got before a restore is kept.
  const placedAt = new Date(Date.now() - 60_000)
  const lost = { provider: 'esim-access', clientRef: randomUUID(), orderNo: null, packageCode: 'a top-up' } as const
  await insertLostPlacement(sql, topUpId, { ...lost, costMicros: null, placedAt })
  expect(await listPlacements(sql, topUpId)).toHaveLength(1)
  await sql`delete from provider_orders where order_id = ${topUpId}`
  await end()
})

test('a return and a top-up of workers that do not look: the second one waits for the first, and is refused', async () => {
  const returned = await deliveredWithTopUp()
  const commitReturn = await uncommitted((tx) => noteReturnAsked(tx, returned.esimId, new Date()))
  await returned.pay()
  const requested = request(returned.topUpId)
  await waitsForEsim()
  await commitReturn()
  expect(await requested).toBeUndefined()
  await returned.end()

  const toppedUp = await deliveredWithTopUp()
  await toppedUp.pay()
  const commitTopUp = await uncommitted((tx) => request(toppedUp.topUpId, tx))
  const noted = noteReturnAsked(sql, toppedUp.esimId, new Date()).catch((error: unknown) => error)
  await waitsForEsim()
  await commitTopUp()
  expect(await noted).toMatchObject(refused)
  await sql`delete from provider_orders where order_id = ${toppedUp.topUpId}`
  await toppedUp.end()
})

test('a top-up that is requested during an erasure waits without the eSIM that the erasure deletes', async () => {
  const { esimId, topUpId, pay, end } = await deliveredWithTopUp()
  await pay()
  let erasure: Queryable = sql
  const commit = await uncommitted((tx) => {
    erasure = tx
    return tx`select from orders where id = ${topUpId} for update`
  })
  const requested = request(topUpId)
  await waitsForEsim()
  const free = await erasure`select from esims where id = ${esimId} for update skip locked`
  await commit()
  expect(free).toHaveLength(1)
  expect(await requested).toBeDefined()
  await sql`delete from provider_orders where order_id = ${topUpId}`
  await end()
})

test('a top-up that is given up, and whose eSIM a restore has not found, is an operator task', async () => {
  const { topUpId, pay, end } = await deliveredWithTopUp()
  await pay()
  await request(topUpId)
  await sql`update orders set status = 'refunded', esim_id = ${randomUUID()} where id = ${topUpId}`
  const { releaseProvision } = createOrderProvisioningActivities({ ...context, temporal: harness.temporal })
  const released = await new MockActivityEnvironment().run(() =>
    releaseProvision({ orderId: topUpId, asOf: new Date().toISOString() }),
  )
  expect(released).toEqual({ tasks: [{ kind: 'provider_order_unreturned', detail: 'unknown_esim' }] })
  expect(await listPlacements(sql, topUpId)).toMatchObject([{ state: 'released' }])
  await sql`delete from provider_orders where order_id = ${topUpId}`
  await end()
})

test('no top-up is offered or sold for an unused eSIM whose return was asked for and not answered', async () => {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  const esimId: string = order.esims[0].id
  const offered = async () => (await person.caller.get(`/v1/esims/${esimId}/top-ups`)).body.items.length
  expect(await offered()).toBeGreaterThan(0)
  await noteReturnAsked(sql, esimId, new Date())
  expect(await offered()).toBe(0)
  const topUp = { packageCode: testPackages.topUp }
  const asked = await person.caller.post(`/v1/orders/${order.id}/top-up`, topUp)
  expect([asked.status, asked.body.code]).toEqual([409, 'order_state_conflict'])
  // The provider does not take it back.
  await noteReturnAsked(sql, esimId, null)
  expect(await offered()).toBeGreaterThan(0)
})
