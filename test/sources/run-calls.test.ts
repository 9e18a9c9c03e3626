/**
 * Runs are started, signalled, updated, queried and ended by `temporal/runs.ts` alone, which limits the time and knows
 * closed runs.
 */
import { readdir, readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** An update to a closed run is an answer of its own kind in each of them. */
const updaters = [
  'activities/out-of-step/orders.ts',
  'activities/order/bulk-action.ts',
  'activities/order/refunds/withdrawal.ts',
  'api/runs/workflow-problems.ts',
  'temporal/order-updates.ts',
]

async function filesThat(text: RegExp): Promise<string[]> {
  const folders = ['activities', 'api', 'cli', 'temporal', 'worker']
  const names = await Promise.all(
    folders.map(async (folder) =>
      (await readdir(root + folder, { recursive: true })).map((name) => `${folder}/${name}`),
    ),
  )
  const files = names.flat().filter((name) => /\.tsx?$/.test(name))
  const found = await Promise.all(files.map(async (file) => text.test(await readFile(root + file, 'utf8')) && file))
  return found.filter((file) => file !== false).sort()
}

test('only temporal/runs.ts starts and signals runs', async () => {
  const callers = await filesThat(/\.workflow\s*\.(?:start|execute|signalWithStart)\(|\.signal\(|\.terminate\(/)
  // The demo waits for the outcome of what it starts.
  expect(callers).toEqual(['cli/demo/person-life.ts', 'temporal/runs.ts'])
})

test('only temporal/runs.ts sends updates, also those that start their run', async () => {
  expect(await filesThat(/\.(?:execute|start)Update\b/)).toEqual(['temporal/runs.ts'])
  expect(await filesThat(/\.(?:execute|start)UpdateWithStart\b/)).toEqual(['temporal/runs.ts'])
})

test('only temporal/runs.ts queries runs', async () => {
  expect(await filesThat(/\.query\(/)).toEqual(['temporal/runs.ts'])
})

test('no other file handles that a run is open already, or closed', async () => {
  const handlers = await filesThat(/\bWorkflowExecutionAlreadyStartedError\b|\bWorkflowNotFoundError\b/)
  expect(handlers).toEqual([...updaters, 'temporal/runs.ts'].sort())
})
