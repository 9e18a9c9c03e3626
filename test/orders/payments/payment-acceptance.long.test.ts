/**
 * U2: paid means delivered or refunded. An order accepts only its own payment, not another order's, an older one, or
 * one that was refunded or disputed.
 */
import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { mailsTo, pushesTo } from '../../harness/checks/messages.ts'
import { shareStack } from '../../harness/harness.ts'
import type { Person } from '../../harness/people.ts'
import { testPackages } from '../../harness/test-packages.ts'
import { untilValue } from '../../harness/until.ts'

// The payments that the tests plant stay operator tasks.
const harness = await shareStack({ books: false })
const { stripe, esimAccess } = harness.sims
const { sql } = harness.stack.context

interface Intent {
  id: string
  status: string
  amount: number
}
const esimsSold = async (): Promise<number> => (await esimAccess.state()).esims.length

async function paymentOf(orderId: string): Promise<Intent> {
  const [row] = await sql`select payment_intent_id as id from orders where id = ${orderId}`
  const intent = (await stripe.state()).paymentIntents.find(({ id }) => id === row?.id)
  if (!intent) throw new Error(`order ${orderId} has no payment`)
  return intent
}

/** Makes Stripe return this payment for the next order. */
const replayed = (payment: Intent) =>
  stripe.fault({ match: { method: 'POST', path: '/v1/payment_intents$' }, status: 200, body: payment })

const ordered = (person: Person) =>
  person.caller.post(
    '/v1/orders',
    { accountId: person.accountId, packageCode: testPackages.onlyEsimAccess },
    { 'idempotency-key': randomUUID() },
  )

/** Checks order, mails, operator tasks, provider and Stripe after a payment that was not accepted. */
async function expectRefused(orderId: string, person: Person, objection: string, sold: number): Promise<void> {
  const order = await harness.untilOrder(orderId, 'cancelled')
  expect(order).toMatchObject({ reason: 'payment_not_accepted', esims: [], documents: [], refunds: [] })
  expect(
    await sql`select kind, detail from attention where subject_id = ${orderId} and kind <> 'dispute_open'`,
  ).toEqual([{ kind: 'payment_not_accepted', detail: objection }])
  expect(await esimsSold()).toBe(sold)
  const [mail] = await untilValue(
    'the person is told',
    () => mailsTo(harness.stack, person.email),
    ({ length }) => length > 0,
  )
  expect(mail?.text).toContain('could not accept the payment')
  expect(mail?.text).not.toContain('Nothing was charged')
  const [push] = await untilValue(
    'the phone is told',
    () => pushesTo(harness.stack, person.pushToken),
    ({ length }) => length > 0,
  )
  expect(push?.message.notification?.body).not.toContain('Nothing was charged')
  await harness.temporal.workflow.getHandle(`order-${orderId}`).result()
}

test('the payment of an unknown order buys nothing and is unchanged', async () => {
  const { id } = await harness.buy(await harness.signUp(), { packageCode: testPackages.onlyEsimAccess })
  const payment = await paymentOf(id)
  await sql`update orders set payment_intent_id = null where id = ${id}`
  const other = await harness.signUp()
  const sold = await esimsSold()
  await replayed(payment)
  const { body } = await ordered(other)
  await harness.fastForward(body.id, '1 minute')
  await expectRefused(body.id, other, 'of_another_order', sold)
  const { paymentIntents, refunds } = await stripe.state()
  expect(paymentIntents).toContainEqual(expect.objectContaining({ id: payment.id, status: 'succeeded' }))
  expect(refunds.filter(({ payment_intent: id }) => id === payment.id)).toEqual([])
})

test('an order does not cancel a payment that may belong to another person', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { pay: false })
  const payment = await paymentOf(id)
  await sql`update orders set payment_intent_id = null where id = ${id}`
  const other = await harness.signUp()
  const sold = await esimsSold()
  await replayed(payment)
  const { body } = await ordered(other)
  await harness.fastForward(body.id, '1 minute')
  await expectRefused(body.id, other, 'of_another_order', sold)
  expect((await stripe.state()).paymentIntents.find((intent) => intent.id === payment.id)?.status).toBe(
    'requires_payment_method',
  )
})

test('the payment of another open order is not accepted', async () => {
  const person = await harness.signUp()
  const payment = await paymentOf((await harness.buy(person)).id)
  await replayed(payment)
  expect(await ordered(person)).toMatchObject({ status: 502, body: { code: 'payment_refused' } })
  expect((await person.caller.get('/v1/orders')).body.items).toHaveLength(1)
})

test('a payment that is older than its order is not accepted', async () => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, pay: false })
  await sql`update orders set created_at = created_at + interval '6 minutes' where id = ${id}`
  const sold = await esimsSold()
  await stripe.do('pay', { orderId: id })
  await expectRefused(id, person, 'older_than_order', sold)
})

test.each([
  ['refunded', (orderId: string) => refundByHand(orderId, 500)],
  ['refunded', (orderId: string) => refundByHand(orderId, 100)],
  ['disputed', (orderId: string) => stripe.do('open-dispute', { orderId })],
] as const)('a payment that was %s before the order read it is not accepted', async (objection, takeBack) => {
  const person = await harness.signUp()
  const { id } = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess, pay: false })
  const sold = await esimsSold()
  await stripe.do('webhooks', { drop: 1_000 })
  await stripe.do('pay', { orderId: id })
  await takeBack(id)
  await stripe.do('webhooks', { drop: 0 })
  await harness.fastForward(id, '1 minute')
  await expectRefused(id, person, objection, sold)
})

async function refundByHand(orderId: string, amount: number): Promise<void> {
  const { id } = await paymentOf(orderId)
  const answer = await fetch(`${stripe.url}/v1/refunds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` },
    body: new URLSearchParams({ payment_intent: id, amount: String(amount) }),
  })
  expect(answer.status).toBe(200)
}
