import { WithStartWorkflowOperation } from '@temporalio/client'
import { type Part, startProcess } from '../../dev/part.ts'
import type { Stack } from '../../dev/stack.ts'
import { propertyOf } from '../../shared/keys-of.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import { watchForStalledRuns } from '../stalled-runs.ts'
import { carrierUpdate, checkout, floorQueue, paid, shipmentOf } from './floor.contract.ts'

const answerWithinMs = 50_000

/** Starts the baseline's worker. @returns the calls that drive its workflow */
export async function startFloor(stack: Stack) {
  const waiting = new Map<string, () => void>()
  const stalled = watchForStalledRuns(stack.temporal)
  let ready = (): void => {}
  const isReady = new Promise<void>((resolve) => {
    ready = resolve
  })
  const part: Part = await startProcess({
    name: "the floor's worker",
    entry: 'bench/floor/worker.ts',
    env: { ...process.env, ...stack.settings },
    stopWithinMs: 10_000,
    onMessage: (message) => {
      const workflowId = propertyOf(message, 'delivered') ?? propertyOf(message, 'booked')
      if (workflowId === undefined) ready()
      else waiting.get(String(workflowId))?.()
    },
  })
  await Promise.race([isReady, part.exited.then((why) => Promise.reject(new Error(why)))])

  return {
    /** Sends one update-with-start. */
    async open(workflowId: string): Promise<void> {
      const startWorkflowOperation = new WithStartWorkflowOperation('floor', {
        workflowId,
        taskQueue: floorQueue,
        args: [],
        workflowIdConflictPolicy: 'USE_EXISTING',
        typedSearchAttributes: initialSearchAttributes(
          { status: 'open', waitingFor: 'payment', dueAt: new Date() },
          'floor',
        ),
      })
      await inTime(`the update of ${workflowId}`, () =>
        stack.temporal.workflow.executeUpdateWithStart(checkout, { startWorkflowOperation, updateId: 'checkout' }),
      )
    },
    /** Runs one workflow from update-with-start to the delivery. */
    async deliver(workflowId: string): Promise<void> {
      const delivered = new Promise<void>((resolve) => waiting.set(workflowId, resolve))
      await this.open(workflowId)
      await stack.temporal.workflow.getHandle(workflowId).signal(paid)
      await stalled.until(workflowId, delivered)
      waiting.delete(workflowId)
    },
    /** Runs one order of Temporal's sample from its start to its end, with a carrier that delivers at once. */
    async deliverSample(workflowId: string): Promise<void> {
      const { workflow } = stack.temporal
      const shipmentId = shipmentOf(workflowId)
      const booked = new Promise<void>((resolve) => waiting.set(shipmentId, resolve))
      const order = await workflow.start('sampleOrder', { workflowId, taskQueue: floorQueue })
      await stalled.until(workflowId, booked)
      waiting.delete(shipmentId)
      const shipment = workflow.getHandle(shipmentId)
      await shipment.signal(carrierUpdate, 'dispatched')
      await shipment.signal(carrierUpdate, 'delivered')
      await stalled.until(workflowId, order.result())
    },
    async stop(): Promise<void> {
      stalled.close()
      await part.kill()
    },
  }

  /** An update has no run to look at before it is accepted. */
  async function inTime<Answer>(what: string, call: () => Promise<Answer>): Promise<Answer> {
    const asked = stack.temporal.withDeadline(Date.now() + answerWithinMs, call)
    return await asked.catch((cause: unknown) => {
      throw new Error(`${what} has failed, or was not answered within ${answerWithinMs / 1_000} s`, { cause })
    })
  }
}
