/**
 * A replay compares only the kinds and names of a run's commands. test/replay/asked/texts has the rest of the kept
 * histories: the requests to activities and other runs with all inputs, the answers, the status, and the messages that
 * are refused. A change of it has to be meant. After one: `npx vitest run test/replay/asked -u`.
 */
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { createLog } from '../../../shared/log.ts'
import { loadBundle } from '../../../worker/bundle.ts'
import { installRuntime } from '../../../worker/temporal-logger.ts'
import { readKept } from '../kept.ts'
import { outcomeOfBug, withBugs } from './bugs.ts'
import { type Played, playKept } from './play.ts'

const kept = await readKept()
const bugs = withBugs(kept)
const types = [...new Set(kept.map(({ workflowType }) => workflowType))].sort()
let played: Map<string, Played>
const noRun: Played = { error: undefined, notes: [], covered: new Set() }

beforeAll(async () => {
  const log = createLog({ level: 'silent' })
  installRuntime({ log })
  const interceptors = fileURLToPath(new URL('./recorder.ts', import.meta.url))
  const { code } = await loadBundle({ encrypted: false, interceptors, log })
  played = await playKept(code, [...kept, ...bugs])
})

test.each(types)('runs of %s ask others for the same as before', async (type) => {
  const runs = kept.filter(({ workflowType }) => workflowType === type)
  const texts = runs.map(({ workflowId }) => {
    const { error, notes = [] } = played.get(workflowId) ?? {}
    expect(error, workflowId).toBeUndefined()
    return `${workflowId}\n${notes.map((note) => `  ${note}\n`).join('')}`
  })
  await expect(texts.join('\n')).toMatchFileSnapshot(`./texts/${type}.txt`)
})

test('an error that is no failure of an activity is handled as before', async () => {
  const lines = bugs.map(({ workflowId }) => `${workflowId} ${outcomeOfBug(played.get(workflowId) ?? noRun)}\n`)
  await expect(lines.join('')).toMatchFileSnapshot('./texts/bugs.txt')
})
