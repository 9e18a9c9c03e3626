/** The queue from which workers take workflow tasks and activities, and who polls it. */
import type { Client } from '@temporalio/client'
import proto from '@temporalio/proto'

const { TaskQueueType } = proto.temporal.api.enums.v1
const queueTypes = [TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW, TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY] as const
/** A poll lasts up to a minute; the server lists a poller for minutes after its last poll. */
const polledWithinMs = 75_000

/**
 * Temporal's descriptions of the queue of workflow tasks and of that of activities.
 * @param options.reportStats with what waits in them, for workers of all builds
 * @throws ServiceError
 */
export const describeQueues = (client: Client, taskQueue: string, { reportStats = false } = {}) =>
  Promise.all(
    queueTypes.map((taskQueueType) =>
      client.workflowService.describeTaskQueue({
        namespace: client.options.namespace,
        taskQueue: { name: taskQueue },
        taskQueueType,
        reportStats,
      }),
    ),
  )

/**
 * For how long the oldest workflow task and the oldest activity have been waiting for a worker, in seconds. What waits
 * for a build without workers counts, too.
 * @throws ServiceError also when Temporal does not answer within the time
 */
export async function secondsWaited(
  client: Client,
  taskQueue: string,
  withinMs: number,
): Promise<{ workflow: number; activity: number }> {
  const queues = await client.withDeadline(Date.now() + withinMs, () =>
    describeQueues(client, taskQueue, { reportStats: true }),
  )
  const [workflow = 0, activity = 0] = queues.map(({ stats }) => {
    const { seconds, nanos } = stats?.approximateBacklogAge ?? {}
    return Number(seconds ?? 0) + (nanos ?? 0) / 1e9
  })
  return { workflow, activity }
}

/** Whether a poller is still there. */
export const polledLately = ({ lastAccessTime }: proto.temporal.api.taskqueue.v1.IPollerInfo): boolean =>
  Number(lastAccessTime?.seconds ?? 0) * 1_000 > Date.now() - polledWithinMs

/**
 * Whether any worker polls for workflow tasks, and any for activities. One that has gone without a word counts for
 * another minute.
 * @throws ServiceError also when Temporal does not answer within the time
 */
export async function isServed(client: Client, taskQueue: string, withinMs: number): Promise<boolean> {
  const queues = await client.withDeadline(Date.now() + withinMs, () => describeQueues(client, taskQueue))
  return queues.every(({ pollers }) => (pollers ?? []).some(polledLately))
}

/** Whether a worker polls for workflow tasks and for activities, as Temporal sees it. @throws ServiceError */
export async function isPolling(client: Client, taskQueue: string, identity: string): Promise<boolean> {
  const queues = await describeQueues(client, taskQueue)
  return queues.every(({ pollers }) =>
    (pollers ?? []).some((poller) => poller.identity === identity && polledLately(poller)),
  )
}
