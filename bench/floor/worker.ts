/** Runs the baseline's workflow in its own process, and sends each delivery to the parent process. */
import { fileURLToPath } from 'node:url'
import { activityInfo } from '@temporalio/activity'
import { Client, Connection } from '@temporalio/client'
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common'
import { bundleWorkflowCode, NativeConnection, Worker } from '@temporalio/worker'
import { readConfig } from '../../config.ts'
import { capacity } from '../../worker/run-worker.ts'
import { chargeOf, type FloorActivities, floorQueue } from './floor.contract.ts'

const config = readConfig(process.env)
const address = process.env.TEMPORAL_ADDRESS ?? ''
const namespace = process.env.TEMPORAL_NAMESPACE ?? 'default'
const client = new Client({ connection: await Connection.connect({ address }), namespace })
const activities: FloorActivities = {
  async local(name) {
    if (name === 'deliver') process.send?.({ delivered: activityInfo().workflowExecution?.workflowId })
  },
  async provision() {},
  async watch() {
    throw ApplicationFailure.create({ nextRetryDelay: '1 day', category: ApplicationFailureCategory.BENIGN })
  },
  async fulfil() {},
  async charge() {
    const workflowId = chargeOf(activityInfo().workflowExecution?.workflowId ?? '')
    await client.workflow.execute('sampleCharge', { workflowId, taskQueue: floorQueue })
  },
  async step() {},
  async book() {
    process.send?.({ booked: activityInfo().workflowExecution?.workflowId })
  },
}

const worker = await Worker.create({
  connection: await NativeConnection.connect({ address }),
  namespace,
  taskQueue: floorQueue,
  workflowBundle: await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('./workflows.ts', import.meta.url)),
  }),
  activities,
  ...capacity(config.WORKER_CONCURRENCY),
})
process.once('disconnect', () => worker.shutdown())
process.send?.({ ready: true })
await worker.run()
await client.connection.close()
process.exit(0)
