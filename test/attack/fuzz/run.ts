/**
 * `npm run fuzz -- --seed N --examples N --callers customer,service`: asks every operation of the OpenAPI document with
 * requests that schemathesis makes, as each kind of caller, on the real stack. The exit code is 1 when an answer is a
 * 5xx, is not described by the document, or shows or changes a row of another person. Prints rows for RESULTS.md.
 */
import { findTemporal } from '../../../dev/temporal/executable.ts'
import { endWithUsage, readArguments } from '../../../shared/process/arguments.ts'
import { undescribedProblems } from '../../harness/harness.ts'
import { startProduct } from '../../harness/product.ts'
import { fuzz, installSchemathesis } from './schemathesis.ts'
import { createFuzzWorld, type FuzzCaller, fuzzCallers, victimsRows } from './world.ts'

const usage = `Usage: npm run fuzz
  npm run fuzz -- [--seed <n>] [--examples <n>] [--seconds <n>] [--callers ${fuzzCallers.join(',')}]`
const { values } = readArguments(usage, {
  seed: { type: 'string', default: '1' },
  /** of each operation and caller */
  examples: { type: 'string', default: '100' },
  /** for each caller: goes on until then */
  seconds: { type: 'string' },
  callers: { type: 'string', default: fuzzCallers.join(',') },
})
process.env.TEST_SEED = values.seed
const print = (line: string): void => void process.stdout.write(`${line}\n`)
const isCaller = (name: string): name is FuzzCaller => fuzzCallers.some((known) => known === name)
const callers = values.callers.split(',').filter(isCaller)
if (callers.length !== values.callers.split(',').length)
  endWithUsage(usage, `--callers knows ${fuzzCallers.join(', ')}.`)

await findTemporal(print)
const schemathesis = await installSchemathesis()
const product = await startProduct({
  settings: { MAIL_BOUNCE_TOKEN: 'bounces-are-handed-in-here', MAIL_RATE_PER_SECOND: '10000' },
})
const faults: string[] = []
try {
  print('| caller | cases | operations | seconds | statuses |\n| --- | --- | --- | --- | --- |')
  for (const caller of callers) {
    const world = await createFuzzWorld(product)
    const before = await victimsRows(product, world.victim)
    const startedAt = Date.now()
    const result = await fuzz(schemathesis, {
      url: product.urls.api,
      token: world.tokenOf(caller),
      seed: Number(values.seed),
      examples: Number(values.examples),
      phases: 'coverage,fuzzing',
      seconds: values.seconds === undefined ? undefined : Number(values.seconds),
      plan: world.planOf(caller),
    })
    const seconds = Math.round((Date.now() - startedAt) / 1000)
    const statuses = Object.entries(result.statuses).map(([status, count]) => `${status}: ${count}`)
    print(`| ${caller} | ${result.cases} | ${result.operations} | ${seconds} | ${statuses.join(', ')} |`)
    const status = await world.statusOf(caller)
    if (caller !== 'anonymous' && status === 401) {
      const { operation = 'none', casesAfter = result.cases } = result.lastForbidden ?? {}
      faults.push(`${caller}: is refused at the end, since about ${casesAfter} requests, after ${operation}`)
    }
    if (result.failures) faults.push(`${caller}:\n${result.failures}`)
    const isOtherPerson = world.planOf(caller).isOtherPerson
    if (isOtherPerson && (await victimsRows(product, world.victim)) !== before)
      faults.push(`${caller}: rows of the other person have changed`)
  }
  faults.push(...undescribedProblems(product.logLines).map(String))
  const errors = product.logLines.filter((line) => line.includes('"level":"error"') && line.includes('"route":'))
  faults.push(...errors.slice(0, 20))
} finally {
  await product.stack.stop()
}
for (const fault of faults) print(fault)
process.exit(faults.length === 0 ? 0 : 1)
