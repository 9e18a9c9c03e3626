/**
 * U2 and G3: paid means delivered or refunded, and everybody can delete their account at once. A person who deletes
 * their account and signs up again is a new customer: nothing from before is theirs.
 */

import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import type { Accounts } from '../../db/connection/schema.ts'
import { checkTotals, deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import type { Answer } from '../harness/http.ts'
import type { Person, SignUpOptions } from '../harness/people.ts'
import { testPackages } from '../harness/test-packages.ts'

const harness = await shareStack({ books: false })
const { stripe } = harness.sims
const { sql } = harness.stack.context

const keyed = (key: string) => ({ 'idempotency-key': key })
const order = (person: Person, key: string, change: Record<string, unknown> = {}): Promise<Answer> =>
  person.caller.post(
    '/v1/orders',
    { accountId: person.accountId, packageCode: testPackages.onlyEsimAccess, quantity: 1, ...change },
    keyed(key),
  )

/** A new account with the same Firebase user and address. */
async function comeBack(person: Person, headers: Record<string, string> = {}): Promise<Person> {
  const { email, firstName, lastName, phone, firebaseUid } = person
  const account = { email, firstName, lastName, phone, firebaseUid }
  const answer = await harness.service.post('/v1/accounts', account, headers)
  expect(answer.status).toBe(201)
  return { ...person, accountId: answer.body.id }
}

const signUp = (options?: SignUpOptions) => harness.signUp({ device: false, ...options })

test('an order with an Idempotency-Key of before the deletion of the account is a new order with its own payment', async () => {
  const before = await stripe.state()
  const person = await signUp()
  const key = randomUUID()
  const old = (await order(person, key)).body
  await stripe.do('pay', { orderId: old.id })
  await harness.untilOrder(old.id, 'delivered')
  const deletion = await deleteAccount(harness.stack, person)

  const again = await comeBack(person)
  expect(again.accountId).not.toBe(person.accountId)
  const answer = await order(again, key)
  expect(answer.status).toBe(201)
  expect(answer.body.id).not.toBe(old.id)
  expect(answer.body.status).toBe('awaiting_payment')
  expect((await order(again, key)).body.id).toBe(answer.body.id)
  // A hint only makes the run read the payment, which is not paid yet.
  await harness.fastForward(answer.body.id, '1 minute')
  expect((await harness.service.get(`/v1/orders/${answer.body.id}`)).body).toMatchObject({
    status: 'awaiting_payment',
    esims: [],
  })

  await stripe.do('pay', { orderId: answer.body.id })
  const bought = await harness.untilOrder(answer.body.id, 'delivered')
  expect(bought.esims).toHaveLength(1)

  await deletion.fastForward('11 minutes')
  await deletion.until('database', 'done')
  expect(await deletion.states()).toMatchObject({
    temporal: 'done',
    stripe: 'nothing_held',
    esim_provider: 'nothing_held',
  })
  // Its mail may have been on its way before.
  expect((await again.caller.get(`/v1/orders/${bought.id}`)).body).toEqual({ ...bought, mails: expect.any(Array) })
  expect((await again.caller.get('/v1/orders')).body.items).toHaveLength(1)
  const [row] = await sql`select count(*)::int as esims from esims where order_id = ${bought.id}`
  expect(row?.esims).toBe(1)

  const { paymentIntents, refunds } = await stripe.state()
  const made = paymentIntents.slice(before.paymentIntents.length)
  expect(made.map(({ metadata }) => metadata.order_id)).toEqual([old.id, bought.id])
  expect(refunds).toHaveLength(before.refunds.length)
  await checkTotals(harness.stack)
})

test('a top-up with a key of before the deletion of the account is a new top-up', async () => {
  const person = await signUp()
  const key = randomUUID()
  const topUp = async (who: Person) => {
    const parent = await harness.buy(who, { packageCode: testPackages.onlyEsimAccess })
    return await who.caller.post(`/v1/orders/${parent.id}/top-up`, { packageCode: testPackages.topUp }, keyed(key))
  }
  const old = await topUp(person)
  expect(old.status).toBe(201)
  await stripe.do('pay', { orderId: old.body.id })
  await harness.untilOrder(old.body.id, 'delivered')
  await deleteAccount(harness.stack, person)
  const fresh = await topUp(await comeBack(person))
  expect(fresh).toMatchObject({ status: 201, body: { status: 'awaiting_payment' } })
  expect(fresh.body.id).not.toBe(old.body.id)
})

test('a refund with a key of before the deletion of the account is a new refund', async () => {
  const person = await signUp()
  const key = randomUUID()
  const returned = async (who: Person) => {
    const { id } = await harness.buy(who, { packageCode: testPackages.onlyEsimAccess })
    expect((await who.caller.post(`/v1/orders/${id}/refund`, undefined, keyed(key))).status).toBe(200)
    return await harness.untilOrder(id, 'refunded')
  }
  await returned(person)
  await deleteAccount(harness.stack, person)
  expect((await returned(await comeBack(person))).refunds).toHaveLength(1)
})

test('a sign-up with a key of before the deletion of the account makes a new account', async () => {
  const key = randomUUID()
  const person = await signUp()
  await deleteAccount(harness.stack, person)
  const second = await comeBack(person, keyed(key))
  await deleteAccount(harness.stack, second)
  const third = await comeBack(second, keyed(key))
  expect(new Set([person.accountId, second.accountId, third.accountId]).size).toBe(3)
  expect((await third.caller.get(`/v1/accounts/${third.accountId}`)).status).toBe(200)
})

test('a new account after a deletion gets a new customer at Stripe, without the saved cards', async () => {
  const person = await signUp()
  const customerOf = async ({ accountId }: Person) => {
    const [row] = await sql<Pick<Accounts, 'stripe_customer_id'>[]>`
      select stripe_customer_id from accounts where id = ${accountId}`
    return row?.stripe_customer_id
  }
  expect((await order(person, randomUUID(), { savedCards: true })).status).toBe(201)
  const old = await customerOf(person)
  const deletion = await deleteAccount(harness.stack, person)
  await deletion.until('stripe', 'done')
  const again = await comeBack(person)
  expect((await order(again, randomUUID(), { savedCards: true })).status).toBe(201)
  const fresh = await customerOf(again)
  expect(fresh).not.toBe(old)
  const { customers } = await stripe.state()
  expect(customers.filter(({ id }) => [old, fresh].includes(id)).map(({ deleted }) => deleted ?? false)).toEqual([
    true,
    false,
  ])
})

test('the deletion of an account deletes the claims of all its idempotency keys', async () => {
  const person = await signUp()
  const claims = async (): Promise<number> => {
    const [row] = await sql<{ claims: number }[]>`select count(*)::int as claims from idempotency_keys`
    return row?.claims ?? Number.NaN
  }
  const others = await claims()
  const { id } = (await order(person, randomUUID())).body
  expect((await person.caller.post(`/v1/orders/${id}/cancel`)).status).toBe(200)
  await stripe.fault({ match: { method: 'POST', path: '/v1/payment_intents' }, status: 503, times: 100 })
  expect((await order(person, randomUUID())).status).toBe(503)
  await stripe.clearFaults()
  expect(await claims()).toBe(others + 3)
  await deleteAccount(harness.stack, person)
  // One is the claim of the sign-up.
  expect(await claims()).toBe(others - 1)
})
