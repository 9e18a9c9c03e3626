/** Runs before each test file. */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { expect } from 'vitest'
import { seed, startStream } from './harness/seed.ts'

fc.configureGlobal({ seed })
startStream(relative(fileURLToPath(new URL('./', import.meta.url)), expect.getState().testPath ?? ''))
