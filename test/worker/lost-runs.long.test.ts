/**
 * A run that fails halfway is a task also when its failure is one of ours: that of a local activity has no other around
 * it. It is none when the failure was the answer to the request that had started the run.
 */
import { randomUUID } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { WithStartWorkflowOperation } from '@temporalio/client'
import { NativeConnection, Worker } from '@temporalio/worker'
import { defineUpdate } from '@temporalio/workflow'
import pMap from 'p-map'
import { expect, test } from 'vitest'
import { keysOf } from '../../shared/keys-of.ts'
import { temporalSettings } from '../../temporal/client.ts'
import { createDataConverter } from '../../temporal/payload-codec.ts'
import { draftSweepType } from '../../workflows/housekeeping/draft-sweep.contract.ts'
import { shareStack } from '../harness/harness.ts'
import { runLater } from '../harness/temporal/run-later.ts'
import { until } from '../harness/until.ts'
import { updateOf, type When } from './failing-run.ts'

// These runs are no runs of ours, though they have their types.
const harness = await shareStack({ replay: false })
const { config, temporal } = harness
const { sql } = harness.context

const types = keysOf(updateOf)
const failsByDesign: readonly string[] = ['bulkAction', 'partialRefund', 'policyNotice', 'withdrawal']
const cases = types.flatMap((type) =>
  (['asked', 'later', 'otherwise', 'unasked'] as const).map((when) => ({
    type,
    when,
    isTask: when !== 'asked' || !failsByDesign.includes(type),
  })),
)

test('a run that fails is a task, unless its failure was the answer to who had started it', {
  timeout: 300_000,
}, async () => {
  const taskQueue = `failing-${randomUUID()}`
  const connection = await NativeConnection.connect(temporalSettings(config, harness.settings).connection)
  const worker = await Worker.create({
    connection,
    namespace: temporal.options.namespace,
    taskQueue,
    workflowsPath: fileURLToPath(new URL('failing-run.ts', import.meta.url)),
    dataConverter: createDataConverter(config.PAYLOAD_KEYS),
  })
  const runs = await worker.runUntil(() =>
    pMap(cases, ({ type, when }) => failed(type, when, taskQueue), { concurrency: 5 }),
  )
  await connection.close()
  await until('Temporal lists them', async () => {
    const query = `ExecutionStatus = 'Failed' AND TaskQueue = '${taskQueue}'`
    return (await temporal.workflow.count(query)).count === runs.length
  })
  await runLater(harness.stack, draftSweepType, 0)
  const tasks = await sql<{ subject_id: string; detail: string }[]>`
    select subject_id, detail from attention where kind = 'run_lost'`
  const found = runs.map((runId) => tasks.find(({ subject_id }) => subject_id === runId)?.detail)
  expect(cases.map(({ type, when }, index) => [type, when, found[index]])).toEqual(
    cases.map(({ type, when, isTask }) => [type, when, isTask ? `${type}: failed` : undefined]),
  )
})

/** @returns the run's id, once it has failed */
async function failed(type: keyof typeof updateOf, when: When, taskQueue: string): Promise<string> {
  const workflowId = `failing-${randomUUID()}`
  const start = { workflowId, taskQueue, args: [when] }
  if (when === 'unasked') await temporal.workflow.start(type, start)
  else {
    const startWorkflowOperation = new WithStartWorkflowOperation(type, { ...start, workflowIdConflictPolicy: 'FAIL' })
    const update = defineUpdate<string>(when === 'otherwise' ? 'other' : updateOf[type])
    const answer = temporal.workflow.executeUpdateWithStart(update, { startWorkflowOperation })
    await (when === 'later' ? answer : expect(answer).rejects.toThrow())
  }
  await expect(temporal.workflow.getHandle(workflowId).result()).rejects.toThrow()
  return (await temporal.workflow.getHandle(workflowId).describe()).runId
}
