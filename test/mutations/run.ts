/**
 * `npm run mutation`: changes the sources in small ways and looks whether the tests notice. Without a name it runs all
 * parts, which takes about half an hour; with names only these. `--every N` draws one in N mutants of the
 * workflows. Writes test/mutations/RESULTS.md, and what it is made of to test/mutations/results.json.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { endWithUsage, readArguments } from '../../shared/process/arguments.ts'
import { documentOf } from './document.ts'
import { mutateFigures } from './figures/figures.ts'
import type { MutantOutcome, Results } from './results.ts'
import { parts } from './rules/scope.ts'
import { mutateRules } from './rules/stryker.ts'
import { mutateWorkflows } from './workflows/replays.ts'

const usage = `Usage: npm run mutation
  npm run mutation -- <part>... [--every <n>]
  parts: ${[...Object.keys(parts), 'figures', 'workflows'].join(', ')}`
const { values, positionals: asked } = readArguments(
  usage,
  { every: { type: 'string', default: '1' } },
  { words: true },
)
const every = Number(values.every)
const at = new Date().toISOString().slice(0, 10)

const runs: Record<string, () => Promise<MutantOutcome[]>> = {
  ...Object.fromEntries(Object.keys(parts).map((name) => [name, () => mutateRules(name)])),
  figures: mutateFigures,
  workflows: () => mutateWorkflows((index) => index % every === 0),
}

const unknown = asked.filter((name) => !(name in runs))
if (unknown.length > 0) endWithUsage(usage, `There is no part ${unknown.join(', ')}.`)

const kept = new URL('./results.json', import.meta.url)
for (const [name, run] of Object.entries(runs)) {
  if (asked.length > 0 && !asked.includes(name)) continue
  const outcomes = await run()
  const before = await readFile(kept, 'utf8').then(
    (text): Results => JSON.parse(text),
    () => ({}),
  )
  const results = {
    ...before,
    [name]: { at, ...summaryOf(outcomes), ...(name === 'workflows' && every > 1 && { every }) },
  }
  await writeFile(kept, `${JSON.stringify(results, null, 1)}\n`)
  await writeFile(new URL('./RESULTS.md', import.meta.url), documentOf(results))
  process.stdout.write(`${name}: ${outcomes.filter(({ outcome }) => outcome === 'killed').length} noticed\n`)
}
process.exit(0)

function summaryOf(outcomes: readonly MutantOutcome[]): Pick<Results[string], 'files' | 'alive'> {
  const files: Results[string]['files'] = {}
  for (const { file, outcome, by } of outcomes) {
    const counts = files[file] ?? { killed: 0, survived: 0, notReached: 0, leftOut: 0 }
    files[file] = counts
    if (outcome === 'killed') counts.killed += 1
    else if (outcome === 'survived') counts.survived += 1
    else if (outcome === 'not reached') counts.notReached += 1
    else counts.leftOut += 1
    if (by === 'inputs') counts.byInputs = (counts.byInputs ?? 0) + 1
  }
  const alive = outcomes.filter(({ outcome }) => outcome === 'survived' || outcome === 'not reached')
  return { files, alive }
}
