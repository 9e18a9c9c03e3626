/** Runs before each test file. */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { afterEach, beforeEach, expect } from 'vitest'
import { verifiedSoFar } from './harness/checks/verified.ts'
import { seed, startStream } from './harness/seed.ts'

if (process.env.TEST_DELAYS === '1') await import('./harness/delays.ts')
fc.configureGlobal({ seed })
startStream(relative(fileURLToPath(new URL('./', import.meta.url)), expect.getState().testPath ?? ''))

// A test that verifies nothing passes whatever happens: its list is empty, or its condition never holds.
let before = 0
beforeEach(() => {
  before = verifiedSoFar()
})
afterEach(() => {
  if (expect.getState().assertionCalls === 0 && verifiedSoFar() === before)
    throw new Error('the test has reached no expectation')
})
