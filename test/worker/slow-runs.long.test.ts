/**
 * Code of a workflow takes milliseconds, unless its process is frozen or its machine starved meanwhile. By default the
 * SDK stops it after five seconds, and Node ends the process in which code was stopped.
 */
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { bundleWorkflowCode } from '@temporalio/worker'
import { expect, test } from 'vitest'
import { payloadConverterPath } from '../../temporal/payload-codec.ts'
import { startWorker } from '../../worker/run-worker.ts'
import { shareStack } from '../harness/harness.ts'
import { goRound } from './slow-run.ts'

const harness = await shareStack({ replay: false })

test('a worker outlives code that takes longer than the time limit of the SDK', { timeout: 180_000 }, async () => {
  const sample = 20_000_000
  const startedAt = performance.now()
  goRound(sample)
  const turns = Math.ceil((sample / (performance.now() - startedAt)) * 8_000)
  const taskQueue = `slow-${randomUUID()}`
  const config = { ...harness.config, TEMPORAL_TASK_QUEUE: taskQueue }
  const bundle = await bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('slow-run.ts', import.meta.url)),
    payloadConverterPath,
  })
  const worker = await startWorker(
    { ...harness.context, temporal: harness.temporal, config },
    { bundle, environment: harness.settings },
  )
  const run = harness.temporal.workflow.execute('slow', {
    taskQueue,
    workflowId: taskQueue,
    args: [turns],
    // The server gives a task to the next attempt after this.
    workflowTaskTimeout: '2 minutes',
    workflowRunTimeout: '2 minutes',
  })
  expect(await run).toBe(goRound(turns))
  await worker.stop()
  expect(await worker.exited).toBeUndefined()
})
