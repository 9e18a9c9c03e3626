/** Runs that earlier code began go on under this one: every end and every open wait is kept, and has to replay. */
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { createLog } from '../../shared/log.ts'
import { loadBundle } from '../../worker/bundle.ts'
import { failedReplays } from '../../worker/replay.ts'
import { installRuntime } from '../../worker/temporal-logger.ts'
import * as workflows from '../../workflows/index.ts'
import { readableEvents } from '../harness/histories.ts'
import { type Kept, keptFolder, readKept } from './kept.ts'
import { type Mutant, mutants } from './mutants.ts'
import { scenarios } from './scenarios.ts'

const kept = await readKept()
const log = createLog({ level: 'silent' })
let code: string

beforeAll(async () => {
  // It says at length what does not replay, which here is what is wanted.
  installRuntime({ sink: () => log })
  code = (await loadBundle({ encrypted: false, log })).code
})

/** The scenarios of kept histories that this bundle would not repeat. */
async function failures(bundle: string, of = kept): Promise<Map<string, string>> {
  if (of.length === 0) return new Map()
  const histories = of.map(({ workflowId, history }) => ({ workflowId, history }))
  const failed = await failedReplays({ workflowBundle: { code: bundle }, replayName: 'kept' }, histories)
  return new Map([...failed].map(([workflowId, error]) => [workflowId, `${error.name}: ${error.message}`]))
}

test('every scenario is kept, and nothing is kept of which nobody knows how it came about', () => {
  const names = new Set(kept.map(({ scenario }) => scenario))
  expect(Object.keys(scenarios).filter((name) => !names.has(name))).toEqual([])
  expect([...names].filter((name) => !(name in scenarios))).toEqual([])
})

test('of every workflow there is a kept history, and a change that it catches', () => {
  const types = Object.keys(workflows).sort()
  const caught = new Set(mutants.flatMap(({ caughtBy }) => caughtBy))
  const typesOf = (some: Kept[]): string[] => [...new Set(some.map(({ workflowType }) => workflowType))].sort()
  expect(typesOf(kept)).toEqual(types)
  expect(typesOf(kept.filter(({ scenario }) => caught.has(scenario)))).toEqual(types)
})

test('ends are closed, and waits are open', () => {
  for (const { scenario, history } of kept) {
    const last = history.events?.at(-1)
    const closed = Boolean(
      last?.workflowExecutionCompletedEventAttributes ?? last?.workflowExecutionFailedEventAttributes,
    )
    expect([scenario, closed]).toEqual([scenario, !scenario.includes('-waits-for-')])
  }
})

test('all of them replay', async () => {
  expect(await failures(code)).toEqual(new Map())
})

describe('a changed workflow is caught', () => {
  const caughtBy = (some: Mutant[]) => {
    const names = new Set(some.flatMap((mutant) => mutant.caughtBy))
    return kept.filter(({ scenario }) => names.has(scenario))
  }
  const typesOf = (mutant: Mutant) => new Set(caughtBy([mutant]).map(({ workflowType }) => workflowType))
  const mutated = (some: Mutant[]): string =>
    some.reduce((changed, { line, replacement }) => {
      expect(code.split(line), line).toHaveLength(2)
      return changed.replace(line, () => replacement)
    }, code)

  // Loading a bundle takes longer than replaying a history: changes of different workflows share one.
  const bundles: { mutants: Mutant[]; types: Set<string>; failed?: Promise<Map<string, string>> }[] = []
  for (const mutant of mutants) {
    const types = typesOf(mutant)
    const shared = bundles.find((bundle) => ![...types].some((type) => bundle.types.has(type)))
    if (shared) {
      shared.mutants.push(mutant)
      for (const type of types) shared.types.add(type)
    } else bundles.push({ mutants: [mutant], types })
  }

  test.each(mutants)('$name', async (mutant) => {
    const bundle = bundles.find((each) => each.mutants.includes(mutant))
    if (!bundle) throw new Error('it is in no bundle')
    bundle.failed ??= failures(mutated(bundle.mutants), caughtBy(bundle.mutants))
    const failed = await bundle.failed
    const expected = caughtBy([mutant])
    expect(new Set(expected.map(({ scenario }) => scenario))).toEqual(new Set(mutant.caughtBy))
    const whatItSays = expected.map(({ workflowId }) => failed.get(workflowId) ?? `${workflowId} replays`)
    for (const said of whatItSays) expect(said).toMatch(/^DeterminismViolationError/)
  })

  test('and there is no kept history that no change would fail', async () => {
    const caught = new Set(caughtBy(mutants))
    const left = kept.filter((one) => !caught.has(one))
    const failed = await failures(mutated(mutants.filter(({ first }) => first)), left)
    expect(left.map(({ workflowId }) => workflowId).filter((file) => !failed.has(file))).toEqual([])
  })
})

test('a kept history says nothing about the machine that kept it, nor anything personal', async () => {
  const traces = /\d+@[\w.-]+|file:\/\/|(?<=[\s("'])\/(?:[\w@.-]+\/)+[\w.-]+\.[jt]s/
  const personal = /[\w.+-]+@[\w-]+\.\w+|\bLPA:|\b89\d{16,18}\b|\+49\d{6}|\b\d{1,3}(?:\.\d{1,3}){3}\b|binary\/encrypted/
  for (const { workflowId, history } of kept) {
    const text = await readFile(new URL(`${workflowId}.json`, keptFolder), 'utf8')
    const decoded = (await readableEvents(history)).join('\n')
    for (const found of [traces.exec(text), traces.exec(decoded), personal.exec(decoded)]) {
      expect([workflowId, found?.[0]]).toEqual([workflowId, undefined])
    }
  }
})
