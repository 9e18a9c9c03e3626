/** Runs before each test file. */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect } from 'vitest'
import { seed, startStream } from './harness/seed.ts'

if (process.env.TEST_DELAYS === '1') await import('./harness/delays.ts')
fc.configureGlobal({ seed })
startStream(relative(fileURLToPath(new URL('./', import.meta.url)), expect.getState().testPath ?? ''))
