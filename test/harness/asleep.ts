import type { Client } from '@temporalio/client'
import { until } from './until.ts'

/** Once a run waits for its clock alone: whatever it did before is written down. */
export async function untilAsleep(client: Client, workflowId: string): Promise<void> {
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
