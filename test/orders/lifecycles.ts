/** Orders with a whole lifecycle during outages: refused requests are repeated, as an app does. */
import { randomUUID } from 'node:crypto'
import { readIdempotencyKey } from '../../api/http/idempotency.ts'
import type { Harness } from '../harness/harness.ts'
import type { OrderView } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

export const lifecycles = ['delivered', 'used', 'ended', 'unfilled', 'returned', 'cancelled'] as const
/** `unfilled` needs a provider without stock: Airalo, unless another package is asked for. */
export type Lifecycle = (typeof lifecycles)[number]

export interface Life {
  lifecycle: Lifecycle
  orderId: string
  email: string
  /** resolves when the lifecycle has ended and its messages are sent */
  end: Promise<void>
}

export interface LifeOptions {
  packageCode?: string | undefined
  /** receives the order's id before the order exists */
  onId?: (orderId: string) => void
}

/** @param timeLimit of each wait */
export function createLives(harness: Harness, timeLimit: { timeoutMs: number }) {
  const { sql } = harness.context

  return async function live(lifecycle: Lifecycle, { packageCode, onId }: LifeOptions = {}): Promise<Life> {
    const { accountId, email } = await harness.signUp()
    const key = randomUUID()
    const code = packageCode ?? (lifecycle === 'unfilled' ? testPackages.onlyAiralo : testPackages.onlyEsimAccess)
    const order = { accountId, packageCode: code, measurement: { adUserData: true, adPersonalization: false } }
    const orderId = await claimOrderId(harness, key, order)
    onId?.(orderId)
    const end = postUntilAccepted('/v1/orders', order, key).then(() => play(lifecycle, orderId))
    // The end of the test awaits it and handles its rejection.
    end.catch(() => undefined)
    return { lifecycle, orderId, email, end }
  }

  async function play(lifecycle: Lifecycle, orderId: string): Promise<void> {
    const reaches = (status: string): Promise<OrderView> => harness.untilOrder(orderId, status, timeLimit)
    if (lifecycle === 'cancelled') {
      await postUntilAccepted(`/v1/orders/${orderId}/cancel`)
      return await untilSent(orderId, 'mail:cancelled', 'push:cancelled')
    }
    await harness.sims.stripe.do('pay', { orderId })
    if (lifecycle !== 'unfilled') {
      const [esim] = (await reaches('delivered')).esims
      await untilSent(orderId, 'mail:confirmation', 'push:confirmation', 'measurement:purchase')
      if (lifecycle === 'used') {
        await harness.sims.esimAccess.do('use', { iccid: esim.iccid, bytes: 1_000 })
        await untilSent(esim.id, 'push:in_use')
      } else if (lifecycle === 'ended') {
        await harness.sims.esimAccess.do('expire', { iccid: esim.iccid })
        await harness.fastForward(orderId, '2 days', timeLimit)
        await reaches('ended')
      } else if (lifecycle === 'returned') {
        await postUntilAccepted(`/v1/orders/${orderId}/refund`)
      }
    }
    if (lifecycle !== 'unfilled' && lifecycle !== 'returned') return
    await reaches('refunded')
    await untilSent(orderId, 'mail:refunded', 'push:refunded')
    await until('the eSIMs at the provider are returned', async () => {
      const open = await sql`
        select from provider_orders where order_id = ${orderId} and state not in ('refused', 'released')`
      return open.length === 0
    })
  }

  /** Waits until messages are sent, skipped or given up. */
  async function untilSent(subjectId: string, ...kinds: string[]): Promise<void> {
    await until(
      `${kinds} sent about ${subjectId}`,
      async () => {
        const settled = await sql`
          select from sends where subject_id = ${subjectId} and kind in ${sql(kinds)} and done_at is not null`
        return settled.length === kinds.length
      },
      timeLimit,
    )
  }

  async function postUntilAccepted(path: string, body?: unknown, key: string = randomUUID()): Promise<void> {
    await until(
      `POST ${path}`,
      async () => {
        const { status, text } = await harness.service.post(path, body, { 'idempotency-key': key })
        if (status >= 300) throw new Error(`${status} ${text}`)
        return true
      },
      timeLimit,
    )
  }
}

/** Claims the idempotency key as the API does: the order's id is known before the order exists. */
async function claimOrderId(harness: Harness, header: string, body: { accountId: string }): Promise<string> {
  const caller = { kind: 'service', keyId: '' } as const
  const asked = { params: {}, body: { quantity: 1, savedCards: false, ...body } }
  const request = readIdempotencyKey(harness.context, {
    header,
    required: true,
    operation: 'POST /v1/orders',
    caller,
    content: asked,
  })
  return (await request?.claim(body.accountId))?.resourceId ?? ''
}
