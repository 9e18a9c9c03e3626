import { WithStartWorkflowOperation } from '@temporalio/client'
import { type Part, startProcess } from '../../dev/part.ts'
import type { Stack } from '../../dev/stack.ts'
import { initialSearchAttributes } from '../../shared/search-attributes.ts'
import { checkout, floorQueue, paid } from './floor.contract.ts'

/** Starts the baseline's worker. @returns the calls that drive its workflow */
export async function startFloor(stack: Stack) {
  const waiting = new Map<string, () => void>()
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
      const { delivered } = message as { delivered?: string }
      if (delivered === undefined) ready()
      else waiting.get(delivered)?.()
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
      await stack.temporal.workflow.executeUpdateWithStart(checkout, { startWorkflowOperation, updateId: 'checkout' })
    },
    /** Runs one workflow from update-with-start to the delivery. */
    async deliver(workflowId: string): Promise<void> {
      const delivered = new Promise<void>((resolve) => waiting.set(workflowId, resolve))
      await this.open(workflowId)
      await stack.temporal.workflow.getHandle(workflowId).signal(paid)
      await delivered
      waiting.delete(workflowId)
    },
    stop: () => part.kill(),
  }
}
