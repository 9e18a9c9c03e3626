/**
 * Half a minute without something that orders need, with orders in every state. Each order must reach its normal end
 * once. Requests of callers are refused meanwhile, and work when they are repeated.
 */
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { expect } from 'vitest'
import { mailsTo } from '../harness/checks/messages.ts'
import { always } from '../harness/checks/placements.ts'
import type { Harness } from '../harness/harness.ts'
import type { Answer } from '../harness/http.ts'
import type { Person } from '../harness/people.ts'
import { type OrderView, untilWatched } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

export interface Outage {
  begin(): Promise<unknown>
  end(): Promise<unknown>
  /** the API is down and gives no answers */
  apiIsGone?: true
}

const awayMs = 30_000
const timeLimit = { timeoutMs: 40_000 }
/** Only one provider has it: with two, the second one would be asked, whose orders cannot be repeated at once. */
const packageCode = testPackages.onlyEsimAccess

export async function liveThrough(harness: Harness, outage: Outage): Promise<void> {
  const { esimAccess, stripe } = harness.sims
  const people = new Map<string, Person>()
  const newcomer = await harness.signUp()
  const { unpaid, doubted, held, provisioning, delivered, returning, paid } = await begin()

  await outage.begin()
  const since = Date.now()
  for (const { id } of unpaid) await stripe.do('pay', { orderId: id })
  await esimAccess.do('allocate')
  for (const { esims } of delivered) await esimAccess.do('use', { iccid: esims[0].iccid, bytes: 1_000 })
  const requests = [
    requested('/v1/orders', { accountId: newcomer.accountId, packageCode }),
    ...doubted.map(({ id }) => requested(`/v1/orders/${id}/cancel`)),
    requested(`/v1/orders/${held[0]?.id}/approve`),
    requested(`/v1/orders/${held[1]?.id}/reject`),
  ]
  for (const answer of await Promise.all(requests.map((ask) => ask().catch(() => undefined)))) {
    if (outage.apiIsGone) expect(answer).toBeUndefined()
    else expect(answer?.status).toBe(503)
    if (answer) expect(answer.headers.get('content-type')).toContain('application/problem+json')
  }
  await pause(since + awayMs - Date.now())
  await outage.end()
  await stripe.clearFaults()

  const [made] = await Promise.all(requests.map(repeatUntilAnswered))
  await stripe.do('pay', { orderId: made?.body.id })
  people.set(made?.body.id, newcomer)
  const filled = [...unpaid, ...paid, ...provisioning, ...held.slice(0, 1), made?.body]
  await Promise.all([
    ...filled.map(({ id }) => harness.untilOrder(id, 'delivered', timeLimit)),
    ...doubted.map(({ id }) => harness.untilOrder(id, 'cancelled', timeLimit)),
    ...held.slice(1).map(({ id }) => harness.untilOrder(id, 'refunded', timeLimit)),
    ...returning.map(async ({ id }) => {
      await harness.fastForward(id, '2 minutes', timeLimit)
      await harness.untilOrder(id, 'refunded', timeLimit)
    }),
    ...delivered.map(async ({ id }) => {
      await harness.fastForward(id, '10 minutes', timeLimit)
      const isUsed = ({ esims }: OrderView): boolean => esims[0].state === 'in_use'
      await until(
        'its use is known',
        async () => isUsed((await harness.service.get(`/v1/orders/${id}`)).body),
        timeLimit,
      )
    }),
  ])
  await Promise.all([...filled, ...delivered, ...returning].map(isConfirmedOnce))

  async function begin() {
    await esimAccess.do('allocation', { never: true })
    const provisioning = await Promise.all([order('provisioning'), order('provisioning')])
    await until('the provider has both orders', async () => {
      const { orders } = await esimAccess.state()
      return orders.length === provisioning.length
    })
    await esimAccess.do('allocation', {})
    const [unpaid, doubted, paid, held, delivered, returning] = await Promise.all([
      Promise.all([order(), order(), order()]),
      Promise.all([order(), order()]),
      Promise.all([order(), order(), order()]),
      Promise.all([order('in_review'), order('in_review')]),
      Promise.all([order('delivered'), order('delivered')]),
      Promise.all([order('delivered'), order('delivered')]),
    ])
    await Promise.all(delivered.map(({ id }) => untilWatched(harness.stack, id)))
    await stripe.fault({ match: { method: 'POST', path: '^/v1/refunds' }, status: 503, times: always })
    await Promise.all(returning.map(({ id }) => repeatUntilAnswered(requested(`/v1/orders/${id}/refund`))))
    await Promise.all(returning.map(({ id }) => harness.untilOrder(id, 'refunding')))
    for (const { id } of paid) await stripe.do('pay', { orderId: id })
    return { unpaid, doubted, held, provisioning, delivered, returning, paid }
  }

  async function order(status?: string): Promise<OrderView> {
    const person = await harness.signUp()
    const pay = status === undefined ? false : { riskLevel: status === 'in_review' ? 'elevated' : 'normal' }
    const made = await harness.buy(person, { packageCode, pay, until: status ?? [] })
    people.set(made.id, person)
    return made
  }

  /** A request that uses one Idempotency-Key for all repeats. */
  function requested(path: string, body?: unknown): () => Promise<Answer> {
    const headers = { 'idempotency-key': randomUUID() }
    const caller = /approve|reject/.test(path) ? harness.operator : harness.service
    return () => caller.post(path, body, headers)
  }

  async function repeatUntilAnswered(ask: () => Promise<Answer>): Promise<Answer> {
    return await until(
      'it is granted',
      async () => {
        const answer = await ask()
        if (answer.status >= 300) throw new Error(`${answer.status} ${answer.text}`)
        return answer
      },
      timeLimit,
    )
  }

  async function isConfirmedOnce({ id }: OrderView): Promise<void> {
    await harness.fastForward(id, '2 minutes', timeLimit)
    const mails = await mailsTo(harness.stack, people.get(id)?.email ?? '')
    // Only this mail has a QR code.
    const confirmations = mails.filter(({ attachments }) => attachments.length > 0)
    expect(confirmations.map(({ subject }) => subject)).toEqual([expect.any(String)])
  }
}
