/** Database and Temporal are away, at every point of a running order, alone and together: it goes on where it was. */
import { describe, expect, test } from 'vitest'
import { openStack } from '../rig/stack.ts'
import { until } from '../rig/until.ts'

const rig = await openStack({ durable: true })

type Outage = { crash(): Promise<void>; start(): Promise<void> }
const both: Outage = {
  crash: async () => void (await Promise.all([rig.database.crash(), rig.temporalServer.crash()])),
  start: async () => void (await Promise.all([rig.database.start(), rig.temporalServer.start()])),
}
const outages: [string, Outage][] = [
  ['the database', rig.database],
  ['Temporal', rig.temporalServer],
  ['database and Temporal', both],
]

/** Long enough for calls under way to fail, and for the next ones to be refused. */
const awayMs = 3_000

describe.each(outages)('%s away', (_name, outage) => {
  test('before the payment, which comes meanwhile', async () => {
    const order = await rig.buy(await rig.signUp(), { pay: false })
    await outage.crash()
    await rig.sims.stripe.do('pay', { orderId: order.id })
    await away()
    await outage.start()
    await rig.untilOrder(order.id, 'delivered', { timeoutMs: 90_000 })
  }, 120_000)

  test('while the eSIM is made', async () => {
    await rig.sims.esimAccess.do('allocation', { seconds: 2 })
    const order = await rig.buy(await rig.signUp(), { until: 'provisioning' })
    await outage.crash()
    await away()
    await outage.start()
    await rig.sims.esimAccess.do('allocation', {})
    await rig.untilOrder(order.id, 'delivered', { timeoutMs: 90_000 })
  }, 120_000)

  test('at the checkout: a clear refusal, and the same request works afterwards', async () => {
    const person = await rig.signUp()
    const headers = { 'idempotency-key': `outage-${person.accountId}` }
    const body = { accountId: person.accountId, packageCode: 'test-germany-1gb' }
    await outage.crash()
    const refused = await rig.service.post('/v1/orders', body, headers)
    await outage.start()
    expect([500, 503]).toContain(refused.status)
    expect(refused.headers.get('content-type')).toContain('application/problem+json')
    const made = await until('the checkout works', async () => {
      const answer = await rig.service.post('/v1/orders', body, headers)
      return answer.status === 201 && answer.body
    })
    await rig.sims.stripe.do('pay', { orderId: made.id })
    await rig.untilOrder(made.id, 'delivered', { timeoutMs: 90_000 })
  }, 120_000)
})

async function away(): Promise<void> {
  const begun = Date.now()
  await until('the API has noticed', async () => {
    return (await rig.anonymous.get('/readyz')).status === 503 && Date.now() - begun > awayMs
  })
}
