/** Runs Stryker over one part of the rules: each mutant is met by the tests that reach it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Stryker } from '@stryker-mutator/core'
import { type MutantOutcome, textAt } from '../results.ts'
import { parts } from './scope.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

const outcomeOf: Readonly<Record<string, MutantOutcome['outcome']>> = {
  Killed: 'killed',
  Timeout: 'killed',
  Survived: 'survived',
  NoCoverage: 'not reached',
}

export async function mutateRules(name: string): Promise<MutantOutcome[]> {
  const part = parts[name]
  if (!part) throw new Error(`no part ${name}: ${Object.keys(parts).join(', ')}`)
  process.env.MUTATED_PART = name
  const stryker = new Stryker({
    mutate: [...part.sources],
    // A mutant of a table loads all tests of its part anew, which takes seconds.
    ignoreStatic: false,
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'test/mutations/rules/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    // The compiler's programming interface, with which Stryker would rewrite the settings, ended with TypeScript 6.
    tsconfigFile: 'none',
    ignorePatterns: ['.data', 'docs', 'client'],
    tempDirName: '.data/mutants/stryker',
    reporters: [],
    concurrency: 2,
    allowConsoleColors: false,
  })
  const results = await stryker.runMutationTest()
  const lines = new Map<string, string[]>()
  const outcomes: MutantOutcome[] = []
  // Where all mutants are of tables, no result names the tests that reach it.
  const tests = Math.max(
    new Set(results.flatMap(({ coveredBy }) => coveredBy ?? [])).size,
    ...results.map(({ testsCompleted = 0 }) => testsCompleted),
  )
  // A test file that does not load has no tests, which Stryker takes for passed. `npm test` does not.
  const doesNotLoad = (result: (typeof results)[number]) =>
    result.status === 'Survived' && result.static === true && (result.testsCompleted ?? 0) < tests
  for (const result of results) {
    const { fileName, location, mutatorName, replacement = '', status } = result
    const file = fileName.slice(root.length)
    const source = lines.get(file) ?? (await readFile(join(root, file), 'utf8')).split('\n')
    lines.set(file, source)
    outcomes.push({
      file,
      line: location.start.line,
      mutator: mutatorName,
      original: textAt(source, { start: fromZero(location.start), end: fromZero(location.end) }),
      replacement,
      // A mutant that makes a loop endless is noticed, since the tests never end.
      outcome: doesNotLoad(result) ? 'killed' : (outcomeOf[status] ?? 'left out'),
    })
  }
  return outcomes
}

/** Stryker's results count lines and columns from one. */
const fromZero = ({ line, column }: { line: number; column: number }) => ({ line: line - 1, column: column - 1 })
