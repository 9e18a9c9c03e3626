/** Orders that live through outages: whatever is refused is asked again, as an app would. */
import { randomUUID } from 'node:crypto'
import { readIdempotencyKey } from '../../api/http/idempotency.ts'
import type { Harness } from '../harness/harness.ts'
import type { OrderView } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until } from '../harness/until.ts'

export const ways = ['delivered', 'used', 'ended', 'unfilled', 'returned', 'cancelled'] as const
/** `unfilled` needs a provider without stock: Airalo, unless another package is asked for. */
export type Way = (typeof ways)[number]

export interface Life {
  way: Way
  orderId: string
  email: string
  /** the way was gone to its end, and everybody was told */
  end: Promise<void>
}

export interface LifeOptions {
  packageCode?: string | undefined
  /** learns the order's id before it exists */
  onId?: (orderId: string) => void
}

/** @param patience for each wait */
export function createLives(harness: Harness, patience: { timeoutMs: number }) {
  const { sql } = harness.context

  return async function live(way: Way, { packageCode, onId }: LifeOptions = {}): Promise<Life> {
    const { accountId, email } = await harness.signUp()
    const key = randomUUID()
    const code = packageCode ?? (way === 'unfilled' ? testPackages.onlyAiralo : testPackages.onlyEsimAccess)
    const order = { accountId, packageCode: code, measurement: { adUserData: true, adPersonalization: false } }
    const orderId = await claimOrderId(harness, key, order)
    onId?.(orderId)
    const end = insist('/v1/orders', order, key).then(() => walk(way, orderId))
    // Awaited at the end of the test; until then a failure is nobody's.
    end.catch(() => undefined)
    return { way, orderId, email, end }
  }

  async function walk(way: Way, orderId: string): Promise<void> {
    const reaches = (status: string): Promise<OrderView> => harness.untilOrder(orderId, status, patience)
    if (way === 'cancelled') {
      await insist(`/v1/orders/${orderId}/cancel`)
      return await told(orderId, 'mail:cancelled', 'push:cancelled')
    }
    await harness.sims.stripe.do('pay', { orderId })
    if (way !== 'unfilled') {
      const [esim] = (await reaches('delivered')).esims
      await told(orderId, 'mail:confirmation', 'push:confirmation', 'measurement:purchase')
      if (way === 'used') {
        await harness.sims.esimAccess.do('use', { iccid: esim.iccid, bytes: 1_000 })
        await told(esim.id, 'push:in_use')
      } else if (way === 'ended') {
        await harness.sims.esimAccess.do('expire', { iccid: esim.iccid })
        await harness.fastForward(orderId, '2 days', patience)
        await reaches('ended')
      } else if (way === 'returned') {
        await insist(`/v1/orders/${orderId}/refund`)
      }
    }
    if (way !== 'unfilled' && way !== 'returned') return
    await reaches('refunded')
    await told(orderId, 'mail:refunded', 'push:refunded')
    await until('what the provider held was given back', async () => {
      const open = await sql`
        select from provider_orders where order_id = ${orderId} and state not in ('refused', 'released')`
      return open.length === 0
    })
  }

  /** Sent, skipped or given up. */
  async function told(subjectId: string, ...kinds: string[]): Promise<void> {
    await until(
      `told ${kinds} about ${subjectId}`,
      async () => {
        const settled = await sql`
          select from sends where subject_id = ${subjectId} and kind in ${sql(kinds)} and done_at is not null`
        return settled.length === kinds.length
      },
      patience,
    )
  }

  async function insist(path: string, body?: unknown, key: string = randomUUID()): Promise<void> {
    await until(
      `POST ${path}`,
      async () => {
        const { status, text } = await harness.service.post(path, body, { 'idempotency-key': key })
        if (status >= 300) throw new Error(`${status} ${text}`)
        return true
      },
      patience,
    )
  }
}

/** Claims the key as the API will, so that the order's id is known before there is an order. */
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
