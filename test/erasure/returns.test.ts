/** U2: paid means delivered or refunded, also when the eSIM is back and its customer gone before we know it. */
import { expect, test } from 'vitest'
import type { Orders } from '../../db/connection/schema.ts'
import { checkTotals, deleteAccount } from '../harness/deletions.ts'
import { shareStack } from '../harness/harness.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack({ books: false })
const { sims } = harness
const { sql } = harness.context

test('an eSIM that was returned with a lost reply is refunded when its customer deletes the account before we know', {
  tags: 'long',
}, async () => {
  const customer = await harness.signUp()
  const { id, esims } = await harness.buy(customer, { packageCode: testPackages.onlyEsimAccess })
  const [row] = await sql<Pick<Orders, 'payment_intent_id'>[]>`select payment_intent_id from orders where id = ${id}`
  // The state after a request whose reply is lost, while its provider cannot be asked any more.
  await sims.esimAccess.fault({ match: { path: '/esim/' }, status: 503, times: 1_000_000 })
  await sims.esimAccess.do('withdraw', { iccid: esims[0].iccid })
  await sql`update esims set return_asked_at = now() where order_id = ${id}`
  const deletion = await deleteAccount(harness.stack, customer)
  await sims.esimAccess.clearFaults()
  await deletion.fastForward('2 days')
  await deletion.until('stripe', 'done')
  await deletion.until('esim_provider', 'done')
  const refunds = (await sims.stripe.state()).refunds.filter(
    (refund) => refund.payment_intent === row?.payment_intent_id,
  )
  expect(refunds).toMatchObject([{ status: 'succeeded' }])
  await checkTotals(harness.stack)
})

test('U2, U6: a partial refund that was asked for before its customer was erased is made once, with its credit note', {
  tags: 'long',
}, async () => {
  const customer = await harness.signUp()
  const { id } = await harness.buy(customer, { packageCode: testPackages.onlyEsimAccess })
  const [order] = await sql<{ payment_intent_id: string; fact_id: string; invoice: string }[]>`
    select o.payment_intent_id, o.fact_id, l.number as invoice
    from orders o join invoice_links l on l.order_id = o.id and l.document_key = 'invoice' where o.id = ${id}`
  const { payment_intent_id: paymentIntentId = '', fact_id: factId = '', invoice = '' } = order ?? {}
  await sims.stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, times: 1_000_000, status: 503 })
  const asked = harness.operator.post(`/v1/orders/${id}/refund`, { amount: { minor: 123, currency: 'EUR' } })
  await until('the refund is asked for', async () => {
    const rows = await sql`select 1 from refunds where order_id = ${id}`
    return rows.length > 0
  })
  const deletion = await deleteAccount(harness.stack, customer)
  await asked
  await sims.stripe.clearFaults()
  await deletion.fastForward('2 days')
  await deletion.until('stripe', 'done')

  const { refunds } = await sims.stripe.state()
  const made = refunds.filter(({ payment_intent }) => payment_intent === paymentIntentId)
  expect(made.map(({ amount, status }) => [amount, status])).toEqual([[123, 'succeeded']])
  const notes = await sql`select gross_minor from invoices where corrects = ${invoice} and kind = 'credit_note'`
  expect(notes).toMatchObject([{ gross_minor: -123 }])
  const facts = await sql`select outcome, refunded_minor from order_facts where id = ${factId}`
  expect(facts).toMatchObject([{ outcome: 'delivered', refunded_minor: 123 }])
})

test('eSIMs that are made later than an erasure looks for them are an operator’s', { tags: 'long' }, async () => {
  const { esimAccess } = sims
  await esimAccess.do('allocation', { never: true })
  const customer = await harness.signUp()
  const { id } = await harness.buy(customer, {
    packageCode: testPackages.onlyEsimAccess,
    quantity: 3,
    until: 'provisioning',
  })
  const [placed] = await untilValue(
    'its provider has the order',
    () => sql<{ order_no: string }[]>`
      select provider_order_no as order_no from provider_orders where order_id = ${id} and state = 'placed'`,
    ({ length }) => length === 1,
  )
  const orderNo = placed?.order_no ?? ''
  // While none is made it looks again each minute.
  const deletion = await deleteAccount(harness.stack, customer)
  expect(await esimAccess.do('allocate', { orderNo })).toEqual({ allocated: 1 })
  const { esims } = await esimAccess.state()
  const esimList = esims.filter((each) => each.orderNo === orderNo).slice(0, 1)
  const obj = { esimList, pager: { pageSize: 500, pageNum: 1, total: 1 } }
  const match = { path: '/esim/query', contains: orderNo }
  await esimAccess.fault({ match, status: 200, body: { success: true, errorCode: '0', obj }, times: 1_000_000 })
  await esimAccess.do('allocation', {})
  await deletion.fastForward('30 hours')
  await deletion.until('esim_provider', 'done')
  const tasks = await sql`
    select detail from attention where subject_id = ${deletion.receiptId} and kind = 'provider_order_unreturned'`
  expect(tasks).toEqual([{ detail: 'esim-access: 1 of 3 eSIMs' }])
  await esimAccess.clearFaults()
})
