/**
 * A run that fails halfway is a task also when its failure is one of ours: that of a local activity has no other around
 * it.
 */
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { WithStartWorkflowOperation } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { expect, test } from 'vitest'
import { temporalSettings } from '../../temporal/client.ts'
import { createDataConverter } from '../../temporal/payload-codec.ts'
import { draftSweepType } from '../../workflows/housekeeping/draft-sweep.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { until } from '../harness/until.ts'
import { asked, failingRun } from './failing-run.ts'

// These runs are of no type of ours.
const harness = await shareStack({ replay: false })
const { config, temporal } = harness
const { sql } = harness.context

test.each([
  ['later', true],
  ['unasked', true],
  ['asked', false],
] as const)('a run that fails %s: a task is %s', { timeout: 180_000 }, async (when, isTask) => {
  const taskQueue = `failing-${randomUUID()}`
  const connection = await NativeConnection.connect(temporalSettings(config, harness.settings).connection)
  const worker = await Worker.create({
    connection,
    namespace: temporal.options.namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('failing-run.ts', import.meta.url)),
    dataConverter: createDataConverter(config.PAYLOAD_KEYS),
  })
  const workflowId = `failing-${randomUUID()}`
  const args: [typeof when] = [when]
  const start = { workflowId, taskQueue, args }
  await worker.runUntil(async () => {
    if (when === 'unasked') await temporal.workflow.start(failingRun, start)
    else {
      const operation = new WithStartWorkflowOperation(failingRun, { ...start, workflowIdConflictPolicy: 'FAIL' })
      const answer = temporal.workflow.executeUpdateWithStart(asked, { startWorkflowOperation: operation })
      await (when === 'later' ? answer : expect(answer).rejects.toThrow())
    }
    await expect(temporal.workflow.getHandle(workflowId).result()).rejects.toThrow()
  })
  await connection.close()
  const { runId } = await temporal.workflow.getHandle(workflowId).describe()
  await until('Temporal lists it', async () => {
    const query = `ExecutionStatus = 'Failed' AND RunId = '${runId}'`
    return (await temporal.workflow.count(query)).count === 1
  })
  await runLater(harness.stack, draftSweepType, 0)
  const tasks = await sql`select detail from attention where kind = 'run_lost' and subject_id = ${runId}`
  expect(tasks).toEqual(isTask ? [{ detail: 'failingRun: failed' }] : [])
})
