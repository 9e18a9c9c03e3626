/**
 * U2: what can be asked of an order whose run is gone, and the cures of a reconciliation that are calls of the API:
 * each is carried out here.
 */
import { expect, test } from 'vitest'
import { paymentMark } from '../../../activities/order/payment/payment-mark.ts'
import { differenceKinds } from '../../../policy/reconciliation.ts'
import { createOrderSignals } from '../../../temporal/order-signals.ts'
import { orderAftercareWorkflowId, orderWorkflowId } from '../../../workflows/order/order.contract.ts'
import { createSurfer } from '../../harness/browser.ts'
import { shareStack } from '../../harness/harness.ts'
import { expectStatus } from '../../harness/http.ts'
import { untilWatched } from '../../harness/purchases.ts'
import { testPackages, testPriceMinor } from '../../harness/test-packages.ts'
import { until, untilValue } from '../../harness/until.ts'
import { createPlanter, delivered, givenBack, paidMinor, type Trade } from '../../workflows/catalogue/planted-trade.ts'

// What these tests plant are faults of the books.
const harness = await shareStack({ books: false })
const { sims, temporal, operator, context } = harness
const { sql } = context
const packageCode = testPackages.onlyEsimAccess
const planter = await createPlanter(harness.stack, (await harness.signUp()).accountId)
const twoDaysAgo = () => new Date(Date.now() - 2 * 86_400_000)

const terminate = (orderId: string) => temporal.workflow.getHandle(orderWorkflowId(orderId)).terminate('by mistake')

async function bought() {
  const person = await harness.signUp()
  const order = await harness.buy(person, { packageCode })
  return { person, id: order.id, iccid: order.esims[0].iccid }
}

async function boughtWithoutRun() {
  const { person, id, iccid } = await bought()
  await terminate(id)
  return { person, id, iccid }
}

/** Its eSIMs, if any, can be opened by nobody: an answer that shows them fails. */
async function planted(trade: Trade): Promise<string> {
  await planter.plant([trade])
  return trade.orderId
}

/** What Stripe has of the order's own payment: received, and accepted refunds. */
async function atStripe(orderId: string): Promise<{ received: number; refunded: number[] }> {
  const [row] = await sql<{ payment: string }[]>`select payment_intent_id as payment from orders where id = ${orderId}`
  const { paymentIntents, refunds } = await sims.stripe.state()
  const payment = paymentIntents.find(({ id }) => id === row?.payment)
  return {
    received: payment?.amount_received ?? 0,
    refunded: refunds
      .filter(({ payment_intent, status }) => payment_intent === row?.payment && status === 'succeeded')
      .map(({ amount }) => amount),
  }
}

async function expectAllBack(orderId: string): Promise<void> {
  await harness.untilOrder(orderId, 'refunded')
  const { received, refunded } = await atStripe(orderId)
  expect(received).toBeGreaterThan(0)
  expect(refunded).toEqual([received])
}

const creditedMinor = async (orderId: string): Promise<number> => {
  const [row] = await sql<{ minor: number }[]>`
    select coalesce(sum(-gross_minor), 0)::integer as minor from invoices
    where kind = 'credit_note' and number in (select number from invoice_links where order_id = ${orderId})`
  return row?.minor ?? 0
}

test('the customer of a delivered order whose run was terminated returns the unused eSIM for a refund', async () => {
  const { person, id } = await boughtWithoutRun()
  expect(expectStatus(await person.caller.post(`/v1/orders/${id}/refund`), 200).status).toMatch(/^refund/)
  await expectAllBack(id)
  expect(expectStatus(await person.caller.get(`/v1/orders/${id}`), 200)).toMatchObject({
    reason: 'returned_unused',
    esims: [{ state: 'cancelled' }],
    documents: [{ kind: 'invoice' }, { kind: 'credit_note' }],
  })
  expect((await person.caller.post(`/v1/orders/${id}/refund`)).body.code).toBe('order_state_conflict')
})

test('a used eSIM is not returned without a run either', async () => {
  const { person, id, iccid } = await boughtWithoutRun()
  await sims.esimAccess.do('use', { iccid, bytes: 2 ** 20 })
  expect((await person.caller.post(`/v1/orders/${id}/refund`)).body.code).toBe('esim_in_use')
  expect(expectStatus(await person.caller.get(`/v1/orders/${id}`), 200).status).toBe('delivered')
  expect((await atStripe(id)).refunded).toEqual([])
})

test('a withdrawal from a delivered order whose run was terminated is carried out at once', async () => {
  const { person, id } = await boughtWithoutRun()
  expectStatus(await person.caller.post(`/v1/orders/${id}/withdrawal`), 200)
  expectStatus(await person.caller.post(`/v1/orders/${id}/withdrawal/confirm`), 200)
  await expectAllBack(id)
  expect(expectStatus(await person.caller.get(`/v1/orders/${id}`), 200).reason).toBe('withdrawn')
})

test('a bulk refund takes a delivered order whose run was terminated', async () => {
  const { id } = await boughtWithoutRun()
  const body = { reason: 'a test', act: 'refund', selection: { statuses: ['delivered'] } }
  const prepared = expectStatus(await operator.post('/v1/bulk-actions', body), 201)
  expectStatus(await operator.post(`/v1/bulk-actions/${prepared.id}/start`), 200)
  await expectAllBack(id)
})

test('a refund that an operator has settled another way is not repeated without a run, until one asks for it', async () => {
  const { person, id } = await bought()
  await sims.stripe.do('fail-refund', { orderId: id })
  expectStatus(await person.caller.post(`/v1/orders/${id}/refund`), 200)
  await harness.untilOrder(id, 'refund_failed')
  const openTasks = () =>
    sql<{ id: string; kind: string }[]>`
      select id, kind from attention where subject_id = ${id} and resolved_at is null`
  const [task] = await openTasks()
  expectStatus(await operator.post(`/v1/operator-tasks/${task?.id}/close`, { note: 'paid by transfer' }), 200)
  await terminate(id)

  await createOrderSignals({ ...context, temporal }).payment(id)
  await temporal.workflow.getHandle(orderAftercareWorkflowId(id)).result()
  expect((await atStripe(id)).refunded).toEqual([])
  expect((await person.caller.get(`/v1/orders/${id}`)).body.status).toBe('refund_failed')
  expect(await openTasks()).toEqual([])
  const asked = await person.caller.post(`/v1/orders/${id}/refund`)
  expect([asked.status, asked.body.code]).toEqual([409, 'order_state_conflict'])
  const many = { reason: 'a test', act: 'refund', selection: { statuses: ['refund_failed'] } }
  const bulk = `/v1/bulk-actions/${expectStatus(await operator.post('/v1/bulk-actions', many), 201).id}`
  expectStatus(await operator.post(`${bulk}/start`), 200)
  const report = await untilValue(
    'the bulk action ends',
    async () => expectStatus(await operator.get(bulk), 200),
    ({ state }) => state === 'done',
  )
  expect(report.refusals).toContainEqual({ code: 'paid_another_way', count: 1 })
  expect((await atStripe(id)).refunded).toEqual([])

  expectStatus(await operator.post(`/v1/orders/${id}/refund`), 200)
  await expectAllBack(id)
  expect(await openTasks()).toEqual([])
})

test('a delivered order whose run begins again is not cancelled while that does not know of the delivery', async () => {
  const { person, id } = await boughtWithoutRun()
  // Nobody works on it: what it would take stays unknown.
  const run = { workflowId: orderWorkflowId(id), taskQueue: 'nobody', args: [{ orderId: id }] }
  await temporal.workflow.start('order', run)
  const answer = await person.caller.post(`/v1/orders/${id}/cancel`)
  expect([answer.status, answer.body.code, answer.body.detail]).toEqual([
    409,
    'order_state_conflict',
    'Reason: delivered',
  ])
  await temporal.workflow.getHandle(orderWorkflowId(id)).terminate('the test is over')
})

const surfer = createSurfer(harness.urls.api)
await surfer.submit('/console', '/console/sign-in', { key: harness.keys.operator })
/** Ways by which operators act on an order. The last is the request that `npm run cli` sends. */
const reason = 'the customer is on the phone'
const ways = {
  'the API': async (id: string, act: string) => void expectStatus(await operator.post(`/v1/orders/${id}/${act}`), 200),
  'the console': async (id: string, act: string) => {
    const page = `/console/orders/${id}/${act}`
    expect((await surfer.submit(page, page, { reason })).location).toBe(`/console/orders/${id}`)
  },
  'the terminal': async (id: string, act: string) =>
    void expectStatus(await operator.post(`/v1/operator/orders/${id}/acts`, { act, reason }), 200),
} as const

test.each([
  ['a held order', 'in_review', 'reject'],
  ['a held order', 'in_review', 'cancel'],
  ['an order in provisioning', 'provisioning', 'cancel'],
  ['a delivered order', 'delivered', 'refund'],
] as const)('%s whose run was terminated is %s: %s on the console refunds it at once', async (_, status, act) => {
  if (status === 'provisioning') await sims.esimAccess.fault({ match: { path: '^/api/' }, status: 503, times: 1_000 })
  const pay = status === 'in_review' ? { riskLevel: 'highest' } : {}
  const { id } = await harness.buy(await harness.signUp(), { packageCode, pay, until: status })
  await terminate(id)
  await sims.esimAccess.clearFaults()
  await ways['the console'](id, act)
  await expectAllBack(id)
})

const sentMails = async (orderId: string): Promise<number> => {
  const [row] = await sql<{ count: number }[]>`
    select count(*)::int as count from sends
    where subject_id = ${orderId} and kind like 'mail:confirmation%' and state = 'sent'`
  return row?.count ?? 0
}

test.each(Object.entries(ways))(
  'by %s the mail of a delivered order whose run was terminated is sent again',
  async (_, act) => {
    const { id } = await bought()
    await until('its mail is sent', async () => (await sentMails(id)) === 1)
    await terminate(id)
    await act(id, 'resend')
    expect(await sentMails(id)).toBe(2)
  },
)

test.each(Object.entries(ways))(
  'by %s a held order whose run was terminated is approved, and delivered',
  async (_, act) => {
    const { id } = await harness.buy(await harness.signUp(), {
      packageCode,
      pay: { riskLevel: 'highest' },
      until: 'in_review',
    })
    await terminate(id)
    await act(id, 'approve')
    await harness.untilOrder(id, 'delivered')
    expect((await atStripe(id)).refunded).toEqual([])
    const [order] = await sql`select (select count(*)::int from invoice_links where order_id = ${id}) as documents,
    (select count(*)::int from sends where subject_id = ${id} and kind = 'mail:held') as held,
    (select count(*)::int from esims where order_id = ${id}) as esims`
    expect(order).toEqual({ documents: 1, held: 1, esims: 1 })
  },
)

test('a held order without a run is approved although its package is off sale meanwhile', async () => {
  const { id } = await harness.buy(await harness.signUp(), {
    packageCode,
    pay: { riskLevel: 'highest' },
    until: 'in_review',
  })
  await terminate(id)
  await sql`update packages set active = false where code = ${packageCode}`
  try {
    await ways['the API'](id, 'approve')
    await harness.untilOrder(id, 'delivered')
  } finally {
    await sql`update packages set active = true where code = ${packageCode}`
  }
})

test('an order without a run that is being refunded already is not approved', async () => {
  await sims.stripe.fault({ match: { path: '^/v1/refunds' }, status: 503, times: 1_000 })
  const { id } = await harness.buy(await harness.signUp(), {
    packageCode,
    pay: { riskLevel: 'highest' },
    until: 'in_review',
  })
  await terminate(id)
  // Nobody waits for the answer: Stripe does not take the refund yet.
  const rejected = operator.post(`/v1/orders/${id}/reject`)
  await harness.untilOrder(id, 'refunding')
  expect((await operator.post(`/v1/orders/${id}/approve`)).body.code).toBe('order_state_conflict')
  await sims.stripe.clearFaults()
  await rejected
  await expectAllBack(id)
})

/**
 * The money of a refunded order is at Stripe again, with no trace of a refund; its run waits for the refund to settle.
 */
async function vanished(): Promise<string> {
  const { person, id } = await bought()
  expectStatus(await person.caller.post(`/v1/orders/${id}/refund`), 200)
  await harness.untilOrder(id, 'refunded')
  await hideRefund(id)
  return id
}

async function hideRefund(id: string): Promise<void> {
  const metadata = { order_id: id, mark: paymentMark(context.cipher, id) }
  const created = Math.floor(twoDaysAgo().getTime() / 1000)
  const payment = { amount: testPriceMinor, currency: 'eur', metadata, created, disputed: false }
  const [{ paymentIntent } = { paymentIntent: '' }] = (await sims.stripe.do('plant', { payments: [payment] })).planted
  await sql`update orders set payment_intent_id = ${paymentIntent} where id = ${id}`
  await sql`update refunds set created_at = created_at - interval '2 hours' where order_id = ${id}`
}

test('a refund that Stripe has not shown for hours, and shows again, is the refund', async () => {
  const { person, id } = await bought()
  expectStatus(await person.caller.post(`/v1/orders/${id}/refund`), 200)
  await harness.untilOrder(id, 'refunded')
  const [row] = await sql<{ payment: string }[]>`select payment_intent_id as payment from orders where id = ${id}`
  await hideRefund(id)
  await createOrderSignals({ ...context, temporal }).payment(id)
  await harness.untilOrder(id, 'refund_failed')
  await sql`update orders set payment_intent_id = ${row?.payment ?? ''} where id = ${id}`
  expectStatus(await operator.post(`/v1/orders/${id}/refund`), 200)
  await expectAllBack(id)
  const [settled] = await sql`
    select r.state, f.outcome, f.refunded_minor from orders o join refunds r on r.order_id = o.id
      join order_facts f on f.id = o.fact_id where o.id = ${id}`
  expect(settled).toEqual({ state: 'succeeded', outcome: 'refunded', refunded_minor: testPriceMinor })
  expect(await creditedMinor(id)).toBe(testPriceMinor)
})

interface Cure {
  kind: keyof typeof differenceKinds
  what: string
  make: () => Promise<string>
  act: 'refund' | 'cancel'
  credited: number
}

const cures: Cure[] = [
  {
    kind: 'credit_note_without_refund',
    what: 'whose run has closed',
    make: () => planted(givenBack('esim-access', twoDaysAgo(), { refundedMinor: 0, esims: 0 })),
    act: 'refund',
    credited: paidMinor,
  },
  {
    kind: 'credit_note_without_refund',
    what: 'whose run waits for the refund',
    make: vanished,
    act: 'refund',
    credited: testPriceMinor,
  },
  {
    kind: 'paid_not_settled',
    what: 'refunded by its status alone',
    make: () => planted(givenBack('esim-access', twoDaysAgo(), { refundedMinor: 0, creditedMinor: 0, esims: 0 })),
    act: 'refund',
    credited: paidMinor,
  },
  {
    kind: 'paid_not_settled',
    what: 'in provisioning, without a run',
    make: () =>
      planted(
        delivered('esim-access', twoDaysAgo(), {
          status: 'provisioning',
          invoicedMinor: null,
          placement: false,
          placed: 0,
        }),
      ),
    act: 'cancel',
    credited: 0,
  },
  {
    kind: 'paid_not_settled',
    what: 'unpaid by its status',
    make: async () => {
      const id = await planted(
        delivered('esim-access', twoDaysAgo(), { invoicedMinor: null, placement: false, placed: 0, esims: 0 }),
      )
      await sql`update orders set status = 'unpaid', paid_at = null, delivered_at = null, fact_id = null where id = ${id}`
      return id
    },
    act: 'cancel',
    credited: 0,
  },
  {
    kind: 'delivered_without_esim',
    what: 'whose run is open',
    make: async () => {
      const { id } = await bought()
      await untilWatched(harness, id)
      // They were never recorded, as after a fault of the delivery.
      await sql`update esims set order_id = ${await planted(givenBack('esim-access', twoDaysAgo()))} where order_id = ${id}`
      await sql`delete from provider_orders where order_id = ${id}`
      return id
    },
    act: 'refund',
    credited: testPriceMinor,
  },
  {
    kind: 'delivered_without_esim',
    what: 'without a run',
    make: () => planted(delivered('esim-access', twoDaysAgo(), { placement: false, placed: 0, esims: 0 })),
    act: 'refund',
    credited: paidMinor,
  },
  {
    kind: 'esim_ended_unpaid_back',
    what: 'without a run',
    make: async () => {
      const { id, iccid } = await boughtWithoutRun()
      await sims.esimAccess.do('revoke', { iccid })
      return id
    },
    act: 'refund',
    credited: testPriceMinor,
  },
]

test('each cure that is a call of the API is carried out below', () => {
  const byCall = Object.entries(differenceKinds).flatMap(([kind, { cure }]) =>
    [...cure.how.matchAll(/\/v1\/orders\/\{id\}\/(\w+)/g)].map(([, act]) => `${kind}: ${act}`),
  )
  expect([...new Set(cures.map(({ kind, act }) => `${kind}: ${act}`))].sort()).toEqual(byCall.sort())
})

test.each(cures)(
  'the cure of $kind of an order $what: its $act gives the money back, and books it once',
  async ({ make, act, credited }) => {
    const id = await make()
    expectStatus(await operator.post(`/v1/orders/${id}/${act}`), 200)
    await expectAllBack(id)
    expect(await creditedMinor(id)).toBe(credited)
    expect(
      await sql`select kind from attention where subject_id = ${id} and kind = 'refund_failed' and resolved_at is null`,
    ).toEqual([])
  },
)

test('an order of which nothing is left at Stripe is not refunded again, and nothing is started for it', async () => {
  const id = await planted(givenBack('esim-access', twoDaysAgo()))
  expect((await operator.post(`/v1/orders/${id}/refund`)).body.code).toBe('order_state_conflict')
  await expect(temporal.workflow.getHandle(orderAftercareWorkflowId(id)).describe()).rejects.toThrow()
})
