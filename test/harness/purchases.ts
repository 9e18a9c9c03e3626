import { z } from 'zod'
import type { Stack } from '../../dev/stack.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { type Answer, type Caller, expectStatus, type Request } from './http.ts'
import { testPackages } from './test-packages.ts'
import { untilValue } from './until.ts'

/** An order in the form of GET /v1/orders/{id}. */
export type OrderView = Answer['body']

export interface BuyOptions {
  packageCode?: string
  quantity?: number
  /** the input of the Stripe simulator's action `pay` (`riskLevel`, `method`); false: no payment */
  pay?: false | Record<string, unknown>
  /** the states to wait for; default `delivered`, or none without a payment */
  until?: string | readonly string[]
  /** overrides fields of the request's body */
  order?: Record<string, unknown>
  headers?: Record<string, string | null>
  /** for the states that it waits for; default: as in `until` */
  timeoutMs?: number
}

/** Orders, pays and waits, as `buyer` or as the app backend. */
export async function buy(
  stack: Stack,
  service: Caller,
  buyer: { accountId: string; caller?: Caller },
  options: BuyOptions = {},
): Promise<OrderView> {
  const { packageCode = testPackages.anyProvider, quantity = 1, pay = {}, headers = {} } = options
  const body = { accountId: buyer.accountId, packageCode, quantity, ...options.order }
  const order = expectStatus(await (buyer.caller ?? service).post('/v1/orders', body, headers), 201)
  if (pay === false) return order
  await stack.sims.stripe.do('pay', { orderId: order.id, ...pay })
  const { until = 'delivered', timeoutMs } = options
  return await untilOrder(service, order.id, until, timeoutMs === undefined ? {} : { timeoutMs })
}

/** Asks the API to return the unused eSIMs of an order, which refunds it. */
export const requestReturnOf = (
  caller: Caller,
  orderId: string,
  headers: NonNullable<Request['headers']> = {},
): Promise<Answer> => caller.post(`/v1/orders/${orderId}/refund`, undefined, headers)

/** Waits until an order has one of the states. @returns the order */
export async function untilOrder(
  service: Caller,
  orderId: string,
  status: string | readonly string[],
  options: { timeoutMs?: number } = {},
): Promise<OrderView> {
  const wanted = typeof status === 'string' ? [status] : status
  return await untilValue(
    `order ${orderId} is ${wanted.join(' or ')}`,
    async (): Promise<OrderView> => expectStatus(await service.get(`/v1/orders/${orderId}`), 200),
    (order) => wanted.includes(order.status),
    options,
  )
}

const withEsims = z.object({ esims: z.array(z.object({ iccid: z.string() })) })

/** The ICCIDs of an order's eSIMs. @throws when it is none that has eSIMs */
export function iccidsOf(order: OrderView): [string, ...string[]] {
  const [first, ...more] = withEsims.parse(order).esims.map(({ iccid }) => iccid)
  if (first === undefined) throw new Error('the order has no eSIM')
  return [first, ...more]
}

/** Waits until the run has polled a delivered eSIM once: later changes of the eSIM are new to it. */
export async function untilWatched({ temporal }: Stack, orderId: string): Promise<void> {
  const handle = temporal.workflow.getHandle(orderWorkflowId(orderId))
  await untilValue(
    `order ${orderId} is watched`,
    async () => (await handle.describe()).raw.pendingActivities?.map(({ attempt }) => attempt ?? 0) ?? [],
    (attempts) => attempts.some((attempt) => attempt > 1),
  )
}
