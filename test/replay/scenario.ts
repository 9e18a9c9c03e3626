import { randomUUID } from 'node:crypto'
import type { Duration } from '@temporalio/common'
import { fastForward } from '../../temporal/time-skipping.ts'
import { orderWorkflowId } from '../../workflows/order/order.contract.ts'
import { paymentSweepType } from '../../workflows/order/payment-sweep.contract.ts'
import { always } from '../harness/checks/placements.ts'
import { expectStatus } from '../harness/http.ts'
import type { Product } from '../harness/product.ts'
import { untilWatched } from '../harness/purchases.ts'
import { testPackages } from '../harness/test-packages.ts'
import { until, untilValue } from '../harness/until.ts'
import { visit } from '../harness/visits.ts'

/** Plays a scenario. Resolves to the workflow id of the run to keep, once it is in the wanted state. */
export type Scenario = (product: Product) => Promise<string>

/** Steps for scenarios of all workflows. */
export function runSteps({ temporal, config, sims }: Product) {
  const forward = async (workflowId: string, duration: Duration): Promise<string> => {
    await fastForward(temporal, workflowId, duration)
    return workflowId
  }
  return {
    forward,
    /** Starts a run directly, for runs that no request starts and for continued runs. Returns its id. */
    async start(type: string, args: unknown[] = [], workflowId = `${type}-${randomUUID()}`): Promise<string> {
      await temporal.workflow.start(type, { workflowId, taskQueue: config.TEMPORAL_TASK_QUEUE, args })
      return workflowId
    },
    async untilClosed(workflowId: string): Promise<string> {
      await untilValue(
        `${workflowId} is closed`,
        async () => {
          const { status, raw } = await temporal.workflow.getHandle(workflowId).describe()
          const pending = (raw.pendingActivities ?? []).map(({ activityType, attempt, lastFailure }) => ({
            activity: activityType?.name,
            attempt,
            failed: lastFailure?.message,
          }))
          return { status: status.name, pending, task: raw.pendingWorkflowTask?.attempt }
        },
        ({ status }) => status !== 'RUNNING',
      )
      return workflowId
    },
    /** Waits for a run status. */
    async untilIt(workflowId: string, status: string): Promise<string> {
      await until(`${workflowId} is ${status}`, async () => {
        const { searchAttributes } = await temporal.workflow.getHandle(workflowId).describe()
        return searchAttributes.Stage?.[0] === status
      })
      return workflowId
    },
    mailDown: () => sims.mailbox.do('rule', { code: 451, times: always }),
    mailUp: () => sims.mailbox.do('clear-rules'),
  }
}

/** Steps for scenarios of orders. */
export function orderSteps(product: Product) {
  const { sims, operator } = product
  const { start, untilClosed, mailDown } = runSteps(product)

  const packageCode = testPackages.onlyEsimAccess
  const bought = async (status: string, pay = {}): Promise<string> =>
    (await product.buy(await product.signUp(), { packageCode, pay, until: status })).id

  const act = async (orderId: string, action: string): Promise<void> =>
    expectStatus(await operator.post(`/v1/orders/${orderId}/${action}`), 200)

  const refundSettled = async (orderId: string): Promise<void> => {
    await product.untilOrder(orderId, 'refunded')
    await product.fastForward(orderId, '31 days')
  }

  return {
    untilClosed,
    bought,
    act,
    refundSettled,
    ordered: async (): Promise<string> => (await product.buy(await product.signUp(), { packageCode, pay: false })).id,
    terminated: async (orderId: string): Promise<void> => {
      await product.temporal.workflow.getHandle(orderWorkflowId(orderId)).terminate('by mistake')
    },
    /** An order that the bank still processes at its deadline, and whose run is gone. Its aftercare is waiting. */
    undecidedWithoutRun: async (): Promise<string> => {
      const { id: orderId } = await product.buy(await product.signUp(), { packageCode, pay: false })
      await sims.stripe.do('process', { orderId })
      await product.temporal.workflow.getHandle(orderWorkflowId(orderId)).terminate('by mistake')
      await product.context.sql`update orders set payment_due_at = created_at - interval '1 hour' where id = ${orderId}`
      await untilClosed(await start(paymentSweepType))
      await until('the operators know', async () => {
        const raised = await product.context.sql`
          select 1 from attention where subject_id = ${orderId} and kind = 'payment_unresolved'`
        return raised.length > 0
      })
      return orderId
    },
    /** An order whose refund fails after its run has closed. */
    bouncedLate: async (): Promise<string> => {
      const orderId = await bought('delivered')
      await act(orderId, 'refund')
      await refundSettled(orderId)
      await untilClosed(orderWorkflowId(orderId))
      await sims.stripe.do('fail-refund', { orderId })
      await product.untilOrder(orderId, 'refund_failed')
      return orderId
    },
    topUp: async (orderId: string): Promise<string> => {
      const topUp = await product.service.post(`/v1/orders/${orderId}/top-up`, { packageCode: testPackages.topUp })
      return expectStatus(topUp, 201).id
    },
    /** A top-up whose page at Stripe is open: it has no payment before the customer pays there. */
    topUpOnThePage: async (): Promise<string> => {
      const person = await product.signUp()
      const { esims } = await product.buy(person, { packageCode })
      const surfer = await visit(product.stack, person)
      const path = `/account/esims/${esims[0].id}/top-up`
      const { location } = await surfer.submit(path, path)
      return location?.split('/').at(-1) ?? ''
    },
    /** Waits for the end of the run and returns its id. */
    ended: (orderId: string): Promise<string> => untilClosed(orderWorkflowId(orderId)),
    /** Uses up the eSIM and skips time to its expiry, at the provider and for the run. */
    liveAndExpire: async (orderId: string): Promise<void> => {
      await untilWatched(product, orderId)
      const { iccid, totalBytes } = (await product.service.get(`/v1/orders/${orderId}`)).body.esims[0]
      for (const [share, state] of [
        [0.85, 'in_use'],
        [1, 'used_up'],
      ] as const) {
        await sims.esimAccess.do('use', { iccid, bytes: share * totalBytes })
        await until(`it is ${state}`, async () => {
          return (await product.service.get(`/v1/orders/${orderId}`)).body.esims[0].state === state
        })
      }
      await sims.esimAccess.do('clock', { advanceSeconds: 14.5 * 86_400 })
      await product.fastForward(orderId, '15 days')
      await product.untilOrder(orderId, 'ended')
    },
    providerDown: () => sims.esimAccess.fault({ match: { path: '^/api/' }, status: 503, times: always }),
    stripeDown: (path: string) => sims.stripe.fault({ match: { path }, status: 503, times: always }),
    mailDown,
  }
}
