/**
 * U2 and U6: paid means delivered or refunded, and accounting and tax duties are met. Refunds made in Stripe's
 * dashboard are followed like ours, and ours are of what is left of the payment.
 */
import { expect, test } from 'vitest'
import { mailsTo } from '../../harness/checks/messages.ts'
import { watchPlacements } from '../../harness/checks/placements.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus, withId } from '../../harness/http.ts'
import { requestReturnOf } from '../../harness/purchases.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { untilValue } from '../../harness/until.ts'

const harness = await shareStack()
const { stripe } = harness.sims
const { sql } = harness.stack.context
const { attention } = watchPlacements(harness.stack)

const byHandMinor = 200
const shown = async (orderId: string) => (await harness.service.get(`/v1/orders/${orderId}`)).body

/** Made in Stripe's dashboard: without metadata of ours (docs.stripe.com/refunds). */
async function refundByHand(orderId: string, amount?: number): Promise<string> {
  const [row] = await sql<{ payment_intent_id: string }[]>`select payment_intent_id from orders where id = ${orderId}`
  const answer = await fetch(`${stripe.url}/v1/refunds`, {
    method: 'POST',
    headers: { authorization: `Bearer ${harness.config.STRIPE_SECRET_KEY}` },
    body: new URLSearchParams({
      payment_intent: row?.payment_intent_id ?? '',
      ...(amount === undefined ? {} : { amount: String(amount) }),
    }),
  })
  expect(answer.status).toBe(200)
  return withId.parse(await answer.json()).id
}

async function refundsOf(orderId: string): Promise<{ status: string | null; amount: number }[]> {
  const [row] = await sql<{ payment_intent_id: string }[]>`select payment_intent_id from orders where id = ${orderId}`
  const { refunds } = await stripe.state()
  return refunds
    .filter(({ payment_intent }) => payment_intent === row?.payment_intent_id)
    .map(({ status, amount }) => ({ status, amount }))
}

async function credited(orderId: string): Promise<{ gross: number; net: number; tax: number }[]> {
  return sql<{ gross: number; net: number; tax: number }[]>`
    select -i.gross_minor as gross, -i.net_minor as net, -i.tax_minor as tax
    from invoices i join invoice_links l on l.number = i.number
    where l.order_id = ${orderId} and i.kind = 'credit_note' order by i.sequence`
}

const facts = async (orderId: string) => {
  const [fact] = await sql`
    select f.outcome, f.refunded_minor from order_facts f join orders o on o.fact_id = f.id where o.id = ${orderId}`
  return fact
}

async function delivered() {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode: testPackages.onlyEsimAccess })
  return { person, order, requestReturn: () => requestReturnOf(person.caller, order.id) }
}

const noticed = (orderId: string, kind: string) =>
  untilValue(
    `operators see ${kind}`,
    () => attention(orderId),
    (tasks) => tasks.some((task) => task.kind === kind),
  )

test('a part refunded by hand and the eSIM then returned: the rest is refunded, and the books say both', async () => {
  const { person, order, requestReturn } = await delivered()
  await refundByHand(order.id, byHandMinor)
  await noticed(order.id, 'refund_made_elsewhere')
  expect(await shown(order.id)).toMatchObject({
    status: 'delivered',
    refunds: [{ minor: byHandMinor, state: 'succeeded', reason: 'made_elsewhere' }],
  })
  expect((await credited(order.id)).map(({ gross }) => gross)).toEqual([byHandMinor])
  expect(await facts(order.id)).toEqual({ outcome: 'delivered', refunded_minor: byHandMinor })

  expectStatus(await requestReturn(), 200)
  await harness.untilOrder(order.id, 'refunded')
  const rest = testPriceMinor - byHandMinor
  expect(await refundsOf(order.id)).toEqual([
    { status: 'succeeded', amount: byHandMinor },
    { status: 'succeeded', amount: rest },
  ])
  expect((await credited(order.id)).map(({ gross }) => gross)).toEqual([byHandMinor, rest])
  expect(await facts(order.id)).toEqual({ outcome: 'refunded', refunded_minor: testPriceMinor })
  const [invoice] = await sql`
    select i.net_minor as net, i.tax_minor as tax from invoices i join invoice_links l on l.number = i.number
    where l.order_id = ${order.id} and i.kind = 'invoice'`
  const sum = (field: 'net' | 'tax') =>
    credited(order.id).then((notes) => notes.reduce((all, one) => all + one[field], 0))
  expect({ net: await sum('net'), tax: await sum('tax') }).toEqual({ net: invoice?.net, tax: invoice?.tax })
  const mails = await untilValue(
    'the customer is told of the refund',
    () => mailsTo(harness.stack, person.email),
    ({ length }) => length === 2,
  )
  expect(mails[1]?.subject).toContain('3.00')
})

test('an order that was refunded by hand, with its eSIM returned, and whose refund bounces is refunded again by an operator', async () => {
  const { order, requestReturn } = await delivered()
  const refund = await refundByHand(order.id)
  await noticed(order.id, 'refund_made_elsewhere')
  expectStatus(await requestReturn(), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stripe.do('fail-refund', { refund })
  await harness.untilOrder(order.id, 'refund_failed')
  await noticed(order.id, 'refund_failed')
  expect(await facts(order.id)).toEqual({ outcome: 'delivered', refunded_minor: 0 })
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect(await refundsOf(order.id)).toEqual([
    { status: 'failed', amount: testPriceMinor },
    { status: 'succeeded', amount: testPriceMinor },
  ])
  expect((await credited(order.id)).map(({ gross }) => gross)).toEqual([testPriceMinor])
})

test('a part refunded by hand fails after ours was made: what is missing is refunded by an operator', async () => {
  const { order, requestReturn } = await delivered()
  const refund = await refundByHand(order.id, byHandMinor)
  await noticed(order.id, 'refund_made_elsewhere')
  expectStatus(await requestReturn(), 200)
  await harness.untilOrder(order.id, 'refunded')
  await stripe.do('fail-refund', { refund })
  await harness.untilOrder(order.id, 'refund_failed')
  expectStatus(await harness.operator.post(`/v1/orders/${order.id}/refund`), 200)
  await harness.untilOrder(order.id, 'refunded')
  expect((await refundsOf(order.id)).filter(({ status }) => status === 'succeeded')).toEqual([
    { status: 'succeeded', amount: testPriceMinor - byHandMinor },
    { status: 'succeeded', amount: byHandMinor },
  ])
})

test('a refund made by hand on a delivered order fails: operators are told, and the order stays delivered', async () => {
  const { order } = await delivered()
  const refund = await refundByHand(order.id)
  await noticed(order.id, 'refund_made_elsewhere')
  await stripe.do('fail-refund', { refund })
  await noticed(order.id, 'refund_elsewhere_failed')
  expect(await shown(order.id)).toMatchObject({ status: 'delivered', refunds: [{ state: 'failed' }] })
  expect(await facts(order.id)).toEqual({ outcome: 'delivered', refunded_minor: 0 })
})
