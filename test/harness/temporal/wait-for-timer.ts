import type { Client } from '@temporalio/client'
import { until } from '../until.ts'

/** Waits until a run only waits for a timer: its history then contains all of its earlier work. */
export async function untilWaitsForTimer(client: Client, workflowId: string): Promise<void> {
  await until(`${workflowId} waits for a timer`, async () => {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory()
    const running = new Set<string | null | undefined>()
    for (const { timerStartedEventAttributes, timerFiredEventAttributes, timerCanceledEventAttributes } of events ??
      []) {
      if (timerStartedEventAttributes) running.add(timerStartedEventAttributes.timerId)
      running.delete((timerFiredEventAttributes ?? timerCanceledEventAttributes)?.timerId)
    }
    return running.size > 0
  })
}
