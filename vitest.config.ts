import { availableParallelism, totalmem } from 'node:os'
import { defineConfig } from 'vitest/config'
// Chooses the seed that every process inherits.
import './test/harness/seed.ts'

// `test/run.ts` decides. A developer who starts vitest directly names the files.
const withLong = process.env.TEST_LONG !== '0'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    // Loading the product takes seconds, and no file changes what another has loaded.
    isolate: false,
    // A file waits about as often as it works. A process takes a gigabyte with its stack, and more with a second one.
    maxWorkers: Math.max(1, Math.min(6, Math.ceil(1.5 * availableParallelism()), Math.floor(totalmem() / 1.5e9))),
    // Transforming the sources takes as long as many files; a source's transformed text is kept by its content.
    experimental: { fsModuleCache: true, fsModuleCachePath: 'node_modules/.cache/vitest' },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
    // node_modules and .data are not ours.
    exclude: ['node_modules/**', '.data/**', ...(withLong ? [] : ['**/*.long.test.ts'])],
    tags: [{ name: 'long', description: 'runs with `npm test -- --long`, and when its file is named' }],
    ...(!withLong && { tagsFilter: ['!long'] }),
  },
})
