import { defineConfig } from 'vitest/config'
import '../../harness/seed.ts'
import { parts } from './scope.ts'

const part = parts[process.env.MUTATED_PART ?? '']

/** The tests of one part's rules. Stryker runs them once for each mutant that they reach. */
export default defineConfig({
  test: {
    include: [...(part?.tests ?? [])],
    setupFiles: ['test/setup.ts'],
    testTimeout: 20_000,
  },
})
