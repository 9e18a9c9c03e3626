/** In every state of an order all views agree, forbidden actions change nothing, and allowed actions work. */
import { expect, test } from 'vitest'
import { problemCodeOf } from '../../api/http/problems.ts'
import type { FailureType } from '../../shared/failures.ts'
import { isKeyOf, keysOf } from '../../shared/keys-of.ts'
import { type OrderStatus, orderState, orderWorkflowId } from '../../workflows/order/order.contract.ts'
import {
  isAccepted,
  type OrderGuard,
  type OrderStep,
  type OrderUpdate,
  orderStates,
} from '../../workflows/order/order-states.ts'
import { shareStack } from '../harness/harness.ts'
import { expectStatus } from '../harness/http.ts'
import type { OrderView } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'

const harness = await shareStack()
const { stripe, esimAccess } = harness.sims
const packageCode = testPackages.onlyEsimAccess

const viewOf = async (id: string): Promise<OrderView> => (await harness.service.get(`/v1/orders/${id}`)).body

/** Makes an order in each situation. A name is the order's state, with a variant after a dash. */
const situations = {
  awaiting_payment: unpaidOrder,
  in_review: heldOrder,
  async provisioning() {
    await esimAccess.do('allocation', { never: true })
    const before = (await esimAccess.state()).orders.length
    const order = await harness.buy(await harness.signUp(), { packageCode, until: 'provisioning' })
    await until('the provider has the order', async () => (await esimAccess.state()).orders.length > before)
    await esimAccess.do('allocation', {})
    return order
  },
  async 'provisioning-top_up'() {
    const person = await harness.signUp()
    const { id } = await harness.buy(person, { packageCode })
    await esimAccess.fault({ match: { path: '/esim/topup' }, status: 500, times: 1_000 })
    const body = { packageCode: testPackages.topUp }
    const topUp = expectStatus(await person.caller.post(`/v1/orders/${id}/top-up`, body), 201)
    await stripe.do('pay', { orderId: topUp.id })
    return await harness.untilOrder(topUp.id, 'provisioning')
  },
  delivered: deliveredOrder,
  async 'delivered-used'() {
    const order = await deliveredOrder()
    await esimAccess.do('use', { iccid: order.esims[0].iccid, bytes: 1_000 })
    return order
  },
  async refunding() {
    const order = await heldOrder()
    await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, status: 503, times: 1_000 })
    expect((await harness.service.post(`/v1/orders/${order.id}/cancel`)).status).toBe(200)
    return await harness.untilOrder(order.id, 'refunding')
  },
  refunded: rejectedOrder,
  async refund_failed() {
    const order = await heldOrder()
    await stripe.do('fail-refund', { orderId: order.id })
    expect((await harness.operator.post(`/v1/orders/${order.id}/reject`)).status).toBe(200)
    return await harness.untilOrder(order.id, 'refund_failed')
  },
  async 'refunded-settled'() {
    const order = await rejectedOrder()
    await harness.fastForward(order.id, '31 days')
    return order
  },
  async cancelled() {
    const order = await unpaidOrder()
    expect((await harness.service.post(`/v1/orders/${order.id}/cancel`)).status).toBe(200)
    return order
  },
  async unpaid() {
    const order = await unpaidOrder()
    await harness.fastForward(order.id, '61 minutes')
    return order
  },
  async ended() {
    const order = await deliveredOrder()
    await esimAccess.do('expire', { iccid: order.esims[0].iccid })
    await harness.fastForward(order.id, '2 days')
    return order
  },
} satisfies { [Status in OrderStatus]: MakeOrder } & Record<string, MakeOrder>
type MakeOrder = () => Promise<OrderView>
type Situation = keyof typeof situations
function statusOf(situation: Situation): OrderStatus {
  const [status = ''] = situation.split('-')
  if (!isKeyOf(orderStates, status)) throw new Error(`${status} is no state`)
  return status
}

interface Exception {
  /** the guard of an update that is not satisfied there */
  breaks?: OrderGuard
  /** the failure of an accepted update there */
  fails?: FailureType
}
const exceptions = {
  'provisioning-top_up': { breaks: 'not_a_top_up' },
  'delivered-used': { fails: 'EsimInUse' },
} satisfies { [Name in Situation]?: Exception }

async function unpaidOrder(): Promise<OrderView> {
  return await harness.buy(await harness.signUp(), { packageCode, pay: false })
}
async function heldOrder(): Promise<OrderView> {
  return await harness.buy(await harness.signUp(), { packageCode, pay: { riskLevel: 'elevated' }, until: 'in_review' })
}
async function deliveredOrder(): Promise<OrderView> {
  return await harness.buy(await harness.signUp(), { packageCode })
}
async function rejectedOrder(): Promise<OrderView> {
  const order = await heldOrder()
  expect((await harness.operator.post(`/v1/orders/${order.id}/reject`)).status).toBe(200)
  return await harness.untilOrder(order.id, 'refunded')
}

const actions = ['cancel', 'refund', 'resend', 'approve', 'reject'] as const satisfies OrderUpdate[]
type Action = (typeof actions)[number]

/** The effect of an action by the table of order states: the problem that refuses it, or the state in which it ends. */
function outcome(situation: Situation, action: Action): { problem: string } | { end: OrderStatus } {
  const { breaks, fails }: Exception = isKeyOf(exceptions, situation) ? exceptions[situation] : {}
  const status = statusOf(situation)
  if (!isAccepted(action, status, (guard) => guard !== breaks)) return { problem: problemCodeOf('OrderStateConflict') }
  const { leadsTo, fails: failures = {} } = orderStates[status].on[action] ?? {}
  if (fails && failures[fails]) return { problem: problemCodeOf(fails) }
  return { end: afterWork(leadsTo?.[0]?.to ?? status) }
}

/** The final state when the outside parties succeed. */
function afterWork(status: OrderStep['to']): OrderStatus {
  if (status === 'closed') throw new Error('no update closes a run')
  const next = orderStates[status].on.work?.leadsTo?.[0]
  return next && !next.when && next.to !== 'closed' ? afterWork(next.to) : status
}

const names = keysOf(situations)
const cases = names.flatMap((situation) =>
  actions.map((action) => ({ situation, action, ...outcome(situation, action) })),
)
const refused = (name: Situation) =>
  cases.flatMap((each) => (each.situation === name && 'problem' in each ? [each] : []))

test.each(names)('an order in %s: all views agree, and other actions are refused', async (situation) => {
  const order = await situations[situation]()
  await expectAllViews(order, statusOf(situation))

  const before = await viewOf(order.id)
  for (const { action, problem } of refused(situation)) {
    const answer = await harness.operator.post(`/v1/orders/${order.id}/${action}`)
    expect([action, answer.status, answer.body.code]).toEqual([action, 409, problem])
  }
  expect(await viewOf(order.id)).toEqual(before)
  await stripe.clearFaults()
  await esimAccess.clearFaults()
})

test.each(cases.flatMap((each) => ('end' in each ? [each] : [])))(
  'an order in $situation: $action leads to $end',
  async ({ situation, action, end }) => {
    const order = await situations[situation]()
    const answer = await harness.operator.post(`/v1/orders/${order.id}/${action}`)
    expect(answer.status, answer.text).toBe(200)
    const after = await harness.untilOrder(order.id, end)
    await expectAllViews(order, end)
    if (end === 'refunded') {
      const documents = situation === 'delivered' ? ['credit_note', 'invoice'] : []
      expect(after.documents.map(({ kind }: { kind: string }) => kind).sort()).toEqual(documents)
      expect(after.refunds.at(-1)).toMatchObject({ minor: 500, state: 'succeeded' })
    }
    if (situation !== 'provisioning') return
    // The provider makes the eSIM later, and it has to be returned.
    const { cancels } = await esimAccess.state()
    await esimAccess.do('allocate')
    await harness.fastForward(order.id, '2 minutes')
    await until('the late eSIM went back', async () => (await esimAccess.state()).cancels.length > cancels.length)
  },
)

test('an order that is cancelled at any moment of its processing ends uncharged, refunded or delivered', async () => {
  const outcomes = await Promise.all(
    Array.from({ length: 12 }, async (_, index) => {
      const order = await unpaidOrder()
      const paid = stripe.do('pay', { orderId: order.id }).catch(() => 'too late')
      const looks = index * 4
      for (let look = 0; look < looks; look += 1) await harness.service.get(`/v1/orders/${order.id}`)
      const { status } = await harness.service.post(`/v1/orders/${order.id}/cancel`)
      await paid
      const end = await harness.untilOrder(order.id, ['cancelled', 'refunded', 'delivered'])
      return [status, end.status]
    }),
  )
  for (const [status, end] of outcomes) expect(status).toBe(end === 'delivered' ? 409 : 200)
  // The harness checks the books at the end of each file.
})

/** The status in the order's page, in all lists, in its run, and in the search attributes. */
async function expectAllViews({ id, accountId }: OrderView, status: string): Promise<void> {
  const handle = harness.temporal.workflow.getHandle(orderWorkflowId(id))
  const listed = async (query: string, caller = harness.service): Promise<string[]> =>
    (await caller.get(`/v1/orders?${query}`)).body.items
      .filter((item: { id: string }) => item.id === id)
      .map((item: { status: string }) => item.status)
  await untilValue(
    `all views of ${id} show ${status}`,
    async () => {
      const { searchAttributes } = await handle.describe()
      return {
        page: (await harness.service.get(`/v1/orders/${id}`)).body.status,
        operator: (await harness.operator.get(`/v1/orders/${id}`)).body.status,
        list: await listed(`accountId=${accountId}`),
        listOfStatus: await listed(`accountId=${accountId}&status=${status}`, harness.operator),
        run: (await handle.query(orderState)).status,
        searchAttribute: searchAttributes.Stage?.[0],
      }
    },
    (shown) => Object.values(shown).every((each) => String(each) === status),
  )
}
