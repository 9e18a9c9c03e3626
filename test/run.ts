/**
 * `npm test`: the tests of every change, on the embedded stack, in four minutes on two cores. They draw the same random
 * values each time. `npm test -- --long` runs all files: also those that end servers, plant faults in pairs, load old
 * builds or open a browser (`*.long.test.ts`, and tests with the tag `long`), in half an hour, with new random values.
 *
 * `npm test -- test/orders` runs a part of them, the long ones included. `--seed 7` repeats the random values of an
 * earlier run. `--all` tries all cases of which a run otherwise draws a part by its seed. `--delays` starts activities
 * and lets webhooks arrive up to 300 ms late. The last line is `N passed, N failed`, from vitest's result; before it
 * are the tests that this machine could not run, each with what it lacks. The exit code is 1 when a test failed or none
 * ran.
 */
import { type Reporter, startVitest } from 'vitest/node'
import { findTemporal } from '../dev/temporal/executable.ts'
import { readArguments } from '../shared/process/arguments.ts'

const usage = `Usage: npm test
  npm test -- <files or folders>... [-t <part of a test's name>]
  --long       also the long tests
  --seed <n>   the random values of an earlier run
  --all        all cases of which a run draws a part
  --delays     activities and webhooks come up to 300 ms late`
const options = {
  seed: { type: 'string' },
  long: { type: 'boolean' },
  all: { type: 'boolean' },
  delays: { type: 'boolean' },
  testNamePattern: { type: 'string', short: 't' },
} as const
const { values, positionals } = readArguments(usage, options, { words: true })
const withLong = values.long === true || positionals.length > 0
process.env.TEST_LONG = withLong ? '1' : '0'
if (values.seed !== undefined) process.env.TEST_SEED = values.seed
// A change is measured by the cases that its predecessor passed. Longer runs look for new ones.
else if (!withLong) process.env.TEST_SEED ??= '1'
if (values.all === true) process.env.TEST_ALL = '1'
if (values.delays === true) process.env.TEST_DELAYS = '1'
const { seed } = await import('./harness/seed.ts')
const howToRepeat = `Seed ${seed}. Repeat with the same random values: npm test --${values.long === true ? ' --long' : ''} --seed ${seed}\n`
process.stdout.write(howToRepeat)

// On a new machine this can take minutes, longer than a test waits.
await findTemporal((line) => process.stdout.write(`${line}\n`))

/** Prints a failure when it happens: vitest's own reporter keeps it until the end of the run. */
const failures: Reporter = {
  onTestModuleEnd(module) {
    const failed = [...module.children.allTests('failed')]
    const errors = [...module.errors(), ...failed.flatMap((test) => test.result().errors ?? [])]
    for (const { message, stack } of errors) process.stdout.write(`FAILED ${module.moduleId}: ${stack ?? message}\n`)
  },
}

function firstLine(message = 'no message'): string {
  return message.split('\n', 1).join('')
}

const vitest = await startVitest('test', positionals, {
  watch: false,
  reporters: ['default', failures],
  ...(values.testNamePattern !== undefined && { testNamePattern: values.testNamePattern }),
})
const modules = vitest.state.getTestModules()
const count = { passed: 0, failed: 0, skipped: 0 }
const failedNames: string[] = []
const skippedNames: string[] = []
for (const module of modules) {
  let failedTests = 0
  for (const test of module.children.allTests()) {
    const { state, errors } = test.result()
    // A long test that the run was not asked for does not count as skipped.
    if (!withLong && test.tags.includes('long')) continue
    if (state === 'passed' || state === 'failed' || state === 'skipped') count[state] += 1
    // An interrupted run leaves tests without a result.
    else count.failed += 1
    // Those of another name were not asked for.
    if (state === 'skipped' && values.testNamePattern === undefined)
      skippedNames.push(`${module.relativeModuleId} > ${test.fullName}`)
    if (state !== 'failed') continue
    failedTests += 1
    failedNames.push(`${module.relativeModuleId} > ${test.fullName}: ${firstLine(errors?.[0]?.message)}`)
  }
  // A file can fail outside its tests: it cannot be loaded, or the books do not balance at its end.
  if (module.ok() || failedTests > 0) continue
  count.failed += 1
  failedNames.push(`${module.relativeModuleId}: ${firstLine(module.errors()[0]?.message)}`)
}
const unhandled = vitest.state.getUnhandledErrors().length
if (modules.length === 0) process.stdout.write('No test was found.\n')
if (unhandled > 0) process.stdout.write(`${unhandled} error(s) outside of any test.\n`)
await vitest.close()
count.failed += unhandled
// Their titles say for want of what.
for (const name of skippedNames) process.stdout.write(`SKIPPED ${name}\n`)
if (count.skipped > 0) process.stdout.write(`\n${count.skipped} skipped\n`)
// Said once more at the end, because a log of thousands of lines is often cut in its middle.
for (const name of failedNames) process.stdout.write(`FAILED ${name}\n`)
if (count.failed > 0) process.stdout.write(`\n${howToRepeat}`)
process.stdout.write(`\n${count.passed} passed, ${count.failed} failed\n`)
process.exit(count.failed === 0 && count.passed > 0 ? 0 : 1)
