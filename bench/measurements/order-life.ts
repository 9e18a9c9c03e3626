/** The cost of an order's run from checkout to the eSIM's expiry, in skipped time. */
import { z } from 'zod'
import type { Esims } from '../../db/connection/schema.ts'
import type { Stack } from '../../dev/stack.ts'
import { fastForward, workflowNow } from '../../temporal/time-skipping.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { historyCost } from '../history-cost.ts'
import { serviceOf } from '../service.ts'
import type { Shop } from '../shop.ts'
import { until } from '../until.ts'

export interface LifeCost {
  events: number
  actions: number
  days: number
}

const withEsims = z.object({
  esims: z.array(z.object({ id: z.string(), iccid: z.string(), totalBytes: z.number() })),
})

const minute = 60_000
const hour = 60 * minute

/** @param eventful the eSIM is installed, used and used up, with a notice of each; otherwise it is never used */
export async function costOfLife(stack: Stack, shop: Shop, { eventful }: { eventful: boolean }): Promise<LifeCost> {
  const { sql } = stack.context
  const { esimAccess } = stack.sims
  const call = serviceOf(stack)
  const [accountId] = await shop.newcomers(1)
  const orderId = await shop.deliver(accountId)
  const workflowId = orderWorkflowId(orderId)
  const run = stack.temporal.workflow.getHandle(workflowId)
  const begun = await runsClock()
  await until('the first check of the eSIM', async () => {
    const { pendingActivities } = (await run.describe()).raw
    return pendingActivities?.some(({ attempt }) => (attempt ?? 0) > 1) || undefined
  })
  // The previous call has moved the provider's clock.
  const { now } = await esimAccess.do('clock', {})
  const behind = Date.parse(now) - (await runsClock())
  if (behind > hour) await skip(behind)

  const { esims } = withEsims.parse(await (await call('GET', `/v1/orders/${orderId}`)).json())
  const [esim] = esims
  if (!esim) throw new Error('a delivered order without an eSIM')
  if (eventful) {
    await esimAccess.do('install', { iccid: esim.iccid })
    await until('the installation is known', async () => {
      const [row] = await sql`select from esims where id = ${esim.id} and state = 'installed'`
      return row && true
    })
    const use = (share: number) =>
      esimAccess.do('use', { iccid: esim.iccid, bytes: Math.ceil(share * esim.totalBytes) })
    await use(0.1)
    // The provider sends no webhook about so little use.
    await pass(24 * hour)
    await untilSent('push:in_use')
    await use(0.75)
    await untilSent('push:low_data%', 'mail:low_data%')
    await use(0.15)
    await untilSent('push:used_up%', 'mail:used_up%')
  }
  await pass((await endsAt()) - (await runsClock()) - hour)
  if (eventful) await untilSent('push:last_day%', 'mail:last_day%')
  await pass(3 * hour)
  await until('the end of the order', async () => {
    const [order] = await sql`select from orders where id = ${orderId} and status = 'ended'`
    return order && true
  })
  await run.result()
  const { closeTime } = await run.describe()
  const days = ((closeTime?.getTime() ?? Number.NaN) - begun) / (24 * hour)
  return { ...historyCost(await run.fetchHistory()), days }

  /** Skips time for the provider and then for the run, until the run has polled the provider again. */
  async function pass(ms: number): Promise<void> {
    await esimAccess.do('clock', { advanceSeconds: ms / 1000 })
    await skip(ms + 5 * minute)
  }

  async function skip(ms: number): Promise<void> {
    await fastForward(stack.temporal, workflowId, ms, { timeoutMs: 240_000 })
  }

  async function runsClock(): Promise<number> {
    return (await workflowNow(stack.temporal, workflowId)).getTime()
  }

  async function endsAt(): Promise<number> {
    const [row] = await sql<{ at: Esims['expires_at'] }[]>`
      select max(coalesce(expires_at, unused_until)) as at from esims where order_id = ${orderId}`
    if (!row?.at) throw new Error('an eSIM without an end')
    return row.at.getTime()
  }

  async function untilSent(...kinds: string[]): Promise<void> {
    await until(`${kinds.join(', ')} sent`, async () => {
      const sent = await sql`
        select from sends where subject_id = ${esim?.id ?? ''} and kind like any (${kinds}) and done_at is not null`
      return sent.length >= kinds.length || undefined
    })
  }
}
