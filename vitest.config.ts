import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
// Chooses the seed that every process inherits.
import './test/harness/seed.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'test/**/*.test.tsx'],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    // Loading the product takes seconds, and no file changes what another has loaded.
    isolate: false,
    // A file's stack waits about as often as it works, and takes half a gigabyte.
    maxWorkers: Math.max(1, Math.min(4, availableParallelism())),
    // Transforming the sources takes as long as many files; a source's transformed text is kept by its content.
    experimental: { fsModuleCache: true, fsModuleCachePath: 'node_modules/.cache/vitest' },
    testTimeout: 180_000,
    hookTimeout: 180_000,
    teardownTimeout: 30_000,
    // node_modules and .data are not ours; the Go server's tests, if any, are not vitest's.
    exclude: ['node_modules/**', '.data/**'],
  },
})
