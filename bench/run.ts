/**
 * `npm run bench`: measures the budgets as ratios to a baseline of the same run. `-- orders start` measures these parts
 * only and keeps the results of the others; `-- --smoke` writes nothing, `-- --short` measures with fewer of
 * everything, and `-- --report` only writes RESULTS.md and the tables of docs/capacity.md anew. A part that cannot be
 * measured says why, and the command then ends with 1.
 */
import { writeFile } from 'node:fs/promises'
import { endWithUsage, readArguments } from '../shared/process/arguments.ts'
import { writeCapacity } from './capacity.ts'
import { cpuPerJob, cpuTime } from './cpu.ts'
import { round } from './measure.ts'
import { type Figures, type PartName, partNames, parts, type Size, sizes } from './parts.ts'
import { report } from './report.ts'
import { machine, type Results, readResults, reportFile, type Section, writeResults } from './results.ts'

const options = { smoke: { type: 'boolean' }, short: { type: 'boolean' }, report: { type: 'boolean' } } as const
const usage = `Usage: npm run bench
  npm run bench -- <part>... [--short|--smoke]
  --short   fewer of everything
  --smoke   far fewer, and writes nothing
  --report  measures nothing; writes the report and docs/capacity.md from the results that are there
  parts: ${partNames.join(', ')}`
const { values, positionals } = readArguments(usage, options, { words: true })
const size: Size = sizes.find((each) => each !== 'full' && values[each]) ?? 'full'
const unknown = positionals.filter((name) => !partNames.some((part) => part === name))
if (unknown.length > 0) endWithUsage(usage, `There is no part ${unknown.join(', ')}.`)
const chosen = partNames.filter(
  (part) => values.report !== true && (positionals.length === 0 || positionals.includes(part)),
)

const begun = performance.now()
let results: Results = size === 'smoke' ? {} : await readResults()
for (const part of chosen) {
  try {
    results = { ...results, [part]: await measure(part) }
  } catch (error) {
    // The other parts have stacks of their own.
    process.stderr.write(`\n${part} was not measured: ${error instanceof Error ? error.stack : String(error)}\n\n`)
    process.exitCode = 1
    continue
  }
  if (size === 'smoke') continue
  await writeResults(results)
  await writeReports()
}
if (values.report === true) await writeReports()
// What a part that failed has left running does not keep the benchmark from its end.
process.stdout.write(`\n${report(results)}`, () => process.exit())

async function writeReports(): Promise<void> {
  await writeFile(reportFile, report(results))
  await writeCapacity(results)
}

async function measure<Name extends PartName>(part: Name): Promise<Section<Name>> {
  const say = (line: string): void => {
    const seconds = ((performance.now() - begun) / 1000).toFixed(1).padStart(7)
    process.stdout.write(`${seconds} s  ${part}: ${line}\n`)
  }
  say(`part ${chosen.indexOf(part) + 1} of ${chosen.length}`)
  const [startedAt, before] = [performance.now(), await cpuTime()]
  const figures = (await parts[part]({ size, say })) as Figures<Name>
  const ms = performance.now() - startedAt
  const { others } = cpuPerJob(before, await cpuTime(), ms)
  say(`done in ${round(ms / 60_000)} minutes`)
  return {
    measuredAt: new Date().toISOString().slice(0, 16),
    ...machine(),
    size,
    minutes: ms / 60_000,
    ...(others !== undefined && { coresOfOthers: Math.max(0, others) }),
    figures,
  }
}
