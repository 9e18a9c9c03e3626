/**
 * A workflow task heartbeats while a local activity is under way, and a message comes behind the heartbeat. Live it is
 * an activation of its own, in a replay it comes together with the end of the local activity.
 */
import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { WorkflowHandle } from '@temporalio/client'
import type { temporal as temporalProto } from '@temporalio/proto'
import { bundleWorkflowCode, type InjectedSinks, NativeConnection, Worker } from '@temporalio/worker'
import { expect, test } from 'vitest'
import { temporalSettings } from '../../temporal/client.ts'
import { createDataConverter, payloadConverterPath } from '../../temporal/payload-codec.ts'
import { ownInterceptors } from '../../worker/bundle.ts'
import { failedReplays } from '../../worker/replay.ts'
import { openLink } from '../chaos/world/stack/link.ts'
import { shareStack } from '../harness/harness.ts'
import { until } from '../harness/until.ts'
import type { Seen } from './told-meanwhile.ts'

// These runs are no runs of ours.
const harness = await shareStack({ replay: false })
const { config, temporal } = harness

const dataConverter = createDataConverter(config.PAYLOAD_KEYS)

const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('told-meanwhile.ts', import.meta.url)),
  workflowInterceptorModules: [fileURLToPath(new URL(`../../${ownInterceptors}`, import.meta.url))],
  payloadConverterPath,
})

/** A worker of these workflows, which tells when something was done. @param address of Temporal, for its worker alone */
async function startWorker(taskQueue: string, address?: string) {
  const events = new EventEmitter()
  const told = once(events, 'told')
  const quick = once(events, 'quick')
  const done: string[] = []
  const sinks: InjectedSinks<Seen> = { seen: { told: { fn: () => void events.emit('told') } } }
  const settings = temporalSettings(config, harness.settings).connection
  const connection = await NativeConnection.connect({ ...settings, ...(address !== undefined && { address }) })
  const worker = await Worker.create({
    connection,
    namespace: temporal.options.namespace,
    taskQueue,
    workflowBundle,
    sinks,
    activities: {
      untilTold: () => told.then(() => undefined),
      quick: async () => void events.emit('quick'),
      first: async () => void done.push('first'),
      second: async () => void done.push('second'),
    },
    dataConverter,
  })
  return { worker, connection, sinks, quick, done }
}

async function failed(run: WorkflowHandle, sinks: InjectedSinks<Seen>): Promise<Map<string, Error>> {
  const history = await run.fetchHistory()
  return failedReplays({ workflowBundle, sinks, dataConverter }, [{ workflowId: run.workflowId, history }])
}

const isWritten = async (run: WorkflowHandle, what: keyof temporalProto.api.history.v1.IHistoryEvent) =>
  ((await run.fetchHistory()).events ?? []).some((each) => each[what])

test.each(['regularly', 'locally'] as const)(
  'what follows a message, %s, replays beside what follows a local activity',
  async (then) => {
    const taskQueue = `told-${randomUUID()}`
    const { worker, connection, sinks, done } = await startWorker(taskQueue)
    const run = await temporal.workflow.start('toldMeanwhile', {
      taskQueue,
      workflowId: taskQueue,
      args: [then],
      // It heartbeats after four fifths of it.
      workflowTaskTimeout: '1 second',
    })
    await worker.runUntil(async () => {
      await until('its task has heartbeated', () => isWritten(run, 'workflowTaskCompletedEventAttributes'))
      await run.signal('tell')
      await run.result()
    })
    await connection.close()
    expect(done.toSorted()).toEqual(['first', 'second'])
    expect(await failed(run, sinks)).toEqual(new Map())
  },
)

test('a message that comes with the next attempt at a task, in the middle of the one before, replays', async () => {
  const taskQueue = `told-${randomUUID()}`
  const [host = '', port] = String(temporalSettings(config, harness.settings).connection.address).split(':')
  const link = await openLink(host, Number(port))
  const { worker, connection, sinks, quick, done } = await startWorker(taskQueue, `127.0.0.1:${link.port}`)
  const running = worker.run()
  // The worker gets the task late, so that the server gives it up while the worker has just begun.
  link.slow(2_500)
  const options = { taskQueue, workflowId: taskQueue, workflowTaskTimeout: '3 seconds' } as const
  const run = await temporal.workflow.start('toldInTheMiddle', options)
  await until('its task has begun', () => isWritten(run, 'workflowTaskStartedEventAttributes'))
  await run.signal('tell')
  await quick
  link.mend()
  await run.result()
  worker.shutdown()
  await running
  await connection.close()
  await link.stop()
  expect(done.toSorted()).toEqual(['first', 'second'])
  expect(await failed(run, sinks)).toEqual(new Map())
})
