/** Open runs of earlier builds continue on this code: a kept history of every end and every wait has to replay. */
import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { keysOf } from '../../shared/keys-of.ts'
import { createLog } from '../../shared/log.ts'
import { loadBundle } from '../../worker/bundle.ts'
import { failedReplays } from '../../worker/replay.ts'
import { installRuntime } from '../../worker/temporal-logger.ts'
import * as workflows from '../../workflows/index.ts'
import { drawPart } from '../harness/seed.ts'
import { readableEvents } from '../harness/temporal/histories.ts'
import { loadMutable } from '../mutations/bundle.ts'
import type { Mutation } from '../mutations/mutation.ts'
import { type Kept, keptFolder, readKept } from './kept.ts'
import { type Mutant, mutants } from './mutants/mutants.ts'
import { scenarios } from './scenarios.ts'

const kept = await readKept()
const log = createLog({ level: 'silent' })
let code: string
let mutated: (mutations: Mutation[]) => string

beforeAll(async () => {
  // The SDK logs every failed replay, and the mutants fail on purpose.
  installRuntime({ log })
  code = (await loadBundle({ encrypted: false, log })).code
  mutated = await loadMutable({ encrypted: false, log })
})

/** The errors of kept histories that do not replay with this bundle, by workflow id. */
async function failures(bundle: string, of = kept): Promise<Map<string, string>> {
  if (of.length === 0) return new Map()
  const histories = of.map(({ workflowId, history }) => ({ workflowId, history }))
  const failed = await failedReplays({ workflowBundle: { code: bundle }, replayName: 'kept' }, histories)
  return new Map([...failed].map(([workflowId, error]) => [workflowId, `${error.name}: ${error.message}`]))
}

test('every scenario has a kept history, and every kept history has a scenario', () => {
  const names = new Set(kept.map(({ scenario }) => scenario))
  const notKept = Object.keys(scenarios).filter((name) => !names.has(name))
  expect(notKept, 'keep them: node --import tsx test/replay/keep.ts').toEqual([])
  expect([...names].filter((name) => !(name in scenarios))).toEqual([])
})

test('every workflow has a kept history, and a mutant that it catches', () => {
  const types = Object.keys(workflows)
  const caught = new Set(mutants.flatMap(({ caughtBy }) => caughtBy))
  const typesOf = (some: Kept[]): string[] => some.map(({ workflowType }) => workflowType)
  const without = (some: Kept[]): string[] => types.filter((type) => !typesOf(some).includes(type))
  expect(without(kept), 'add a scenario to a file of test/replay/scenarios.ts').toEqual([])
  const ofMutants = kept.filter(({ scenario }) => caught.has(scenario))
  expect(without(ofMutants), 'add a mutant to a file of test/replay/mutants/mutants.ts').toEqual([])
})

test('kept histories of ends are closed, and those of waits are open', () => {
  for (const { scenario, history } of kept) {
    const last = history.events?.at(-1)
    const closed = Boolean(
      last?.workflowExecutionCompletedEventAttributes ??
        last?.workflowExecutionFailedEventAttributes ??
        last?.workflowExecutionCanceledEventAttributes ??
        last?.workflowExecutionContinuedAsNewEventAttributes,
    )
    expect([scenario, closed]).toEqual([scenario, !scenario.includes('-waits-for-')])
  }
})

test('all kept histories replay', async () => {
  expect(await failures(code)).toEqual(new Map())
})

test('the interceptors of the mutants change nothing by themselves', { tags: 'long' }, async () => {
  const idle = keysOf(workflows).map((workflow) => ({ workflow, timer: 0 }))
  const size = ({ history }: Kept): number => history.events?.length ?? 0
  const longest = new Map<string, Kept>()
  for (const one of kept.toSorted((a, b) => size(a) - size(b))) longest.set(one.workflowType, one)
  expect(await failures(mutated(idle), [...longest.values()])).toEqual(new Map())
})

describe('the kept histories catch', () => {
  const caughtBy = (some: Mutant[]) => {
    const names = new Set(some.flatMap((mutant) => mutant.caughtBy))
    return kept.filter(({ scenario }) => names.has(scenario))
  }

  // Loading a bundle takes longer than replaying a history: mutants of different workflows share one.
  const bundles: { mutants: Mutant[]; failed?: Promise<Map<string, string>> }[] = []
  for (const mutant of mutants) {
    const { workflow } = mutant.mutation
    const shared = bundles.find((bundle) => bundle.mutants.every(({ mutation }) => mutation.workflow !== workflow))
    if (shared) shared.mutants.push(mutant)
    else bundles.push({ mutants: [mutant] })
  }
  const codeOf = (some: Mutant[]): string => mutated(some.map(({ mutation }) => mutation))

  // The first bundle has a mutant of each workflow. Of the others a run draws a part by its seed, and `--all` takes
  // all.
  const [first = { mutants: [] }, ...others] = bundles
  const drawn = [first, ...drawPart(4)(others)].flatMap((bundle) => bundle.mutants)

  // The SDK words it so, too, where the code has cancelled an activity before it was scheduled and the history has
  // scheduled it.
  const differs = /^DeterminismViolationError|^ReplayError: .*Fatal error in workflow machines/
  test.each(drawn)('$name', async (mutant) => {
    const bundle = bundles.find((each) => each.mutants.includes(mutant))
    if (!bundle) throw new Error('it is in no bundle')
    bundle.failed ??= failures(codeOf(bundle.mutants), caughtBy(bundle.mutants))
    const failed = await bundle.failed
    const expected = caughtBy([mutant])
    expect(new Set(expected.map(({ scenario }) => scenario))).toEqual(new Set(mutant.caughtBy))
    expect(new Set(expected.map(({ workflowType }) => workflowType))).toEqual(new Set([mutant.mutation.workflow]))
    const replayErrors = expected.map(({ workflowId }) => failed.get(workflowId) ?? `${workflowId} replays`)
    for (const replayError of replayErrors) expect(replayError).toMatch(differs)
  })

  test('every kept history fails with a mutant', async () => {
    const caught = new Set(caughtBy(mutants))
    const left = kept.filter((one) => !caught.has(one))
    const failed = await failures(codeOf(mutants.filter(({ first }) => first)), left)
    expect(left.map(({ workflowId }) => workflowId).filter((file) => !failed.has(file))).toEqual([])
  })
})

test('kept histories hold no personal data and no traces of the machine that kept them', { tags: 'long' }, async () => {
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
