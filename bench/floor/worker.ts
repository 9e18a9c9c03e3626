/** Runs the baseline's workflow in its own process, and sends each delivery to the parent process. */
import { fileURLToPath } from 'node:url'
import { activityInfo } from '@temporalio/activity'
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker'
import { readConfig } from '../../config.ts'
import { capacity } from '../../worker/run-worker.ts'
import { type FloorActivities, floorQueue } from './floor.contract.ts'

const config = readConfig(process.env)
const activities: FloorActivities = {
  async local(name) {
    if (name === 'deliver') process.send?.({ delivered: activityInfo().workflowExecution?.workflowId })
  },
  async provision() {},
  async watch() {
    throw ApplicationFailure.create({ nextRetryDelay: '1 day', category: ApplicationFailureCategory.BENIGN })
  },
}

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '' }),
  namespace: process.env.TEMPORAL_NAMESPACE ?? 'default',
  taskQueue: floorQueue,
  workflowBundle: await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('./floor.ts', import.meta.url)) }),
  activities,
  ...capacity(config.WORKER_CONCURRENCY),
})
process.once('disconnect', () => worker.shutdown())
process.send?.({ ready: true })
await worker.run()
process.exit(0)
