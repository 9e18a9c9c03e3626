/**
 * A workflow task heartbeats while a local activity is under way, and a message comes behind the heartbeat. Live it is
 * an activation of its own, in a replay it comes together with the end of the local activity.
 */
import { randomUUID } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode, type InjectedSinks, NativeConnection, Worker } from '@temporalio/worker'
import { expect, test } from 'vitest'
import { temporalSettings } from '../../temporal/client.ts'
import { createDataConverter, payloadConverterPath } from '../../temporal/payload-codec.ts'
import { ownInterceptors } from '../../worker/bundle.ts'
import { shareStack } from '../harness/harness.ts'
import { until } from '../harness/until.ts'
import type { Seen } from './told-meanwhile.ts'

// This run is no run of ours.
const harness = await shareStack({ replay: false })
const { config, temporal } = harness

const dataConverter = createDataConverter(config.PAYLOAD_KEYS)

const workflowBundle = await bundleWorkflowCode({
  workflowsPath: fileURLToPath(new URL('told-meanwhile.ts', import.meta.url)),
  workflowInterceptorModules: [fileURLToPath(new URL(`../../${ownInterceptors}`, import.meta.url))],
  payloadConverterPath,
})

test.each(['regularly', 'locally'] as const)(
  'what follows a message, %s, replays beside what follows a local activity',
  async (then) => {
    const taskQueue = `told-${randomUUID()}`
    const events = new EventEmitter()
    const told = once(events, 'told')
    const sinks: InjectedSinks<Seen> = { seen: { told: { fn: () => void events.emit('told') } } }
    const connection = await NativeConnection.connect(temporalSettings(config, harness.settings).connection)
    const done: string[] = []
    const worker = await Worker.create({
      connection,
      namespace: temporal.options.namespace,
      taskQueue,
      workflowBundle,
      sinks,
      activities: {
        untilTold: () => told.then(() => undefined),
        first: async () => void done.push('first'),
        second: async () => void done.push('second'),
      },
      dataConverter,
    })
    const run = await temporal.workflow.start('toldMeanwhile', {
      taskQueue,
      workflowId: taskQueue,
      args: [then],
      // It heartbeats after four fifths of it.
      workflowTaskTimeout: '1 second',
    })
    await worker.runUntil(async () => {
      await until('its task has heartbeated', async () =>
        ((await run.fetchHistory()).events ?? []).some(
          ({ workflowTaskCompletedEventAttributes: completed }) => completed,
        ),
      )
      await run.signal('tell')
      await run.result()
    })
    await connection.close()
    expect(done.toSorted()).toEqual(['first', 'second'])
    await Worker.runReplayHistory({ workflowBundle, sinks, dataConverter }, await run.fetchHistory(), taskQueue)
  },
)
