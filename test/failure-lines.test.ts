/** Stack traces name the lines of the source files, of tests and product, also after a replay. */
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { toMicros } from '../providers/esim-units.ts'
import { replay } from './harness/temporal/histories.ts'
import { readKept } from './replay/kept.ts'

const root = fileURLToPath(new URL('../', import.meta.url))

interface Place {
  file: string
  text: string
  fail: () => unknown
}

class Planted extends Error {}

function plantedHere(): never {
  throw new Planted('in a test')
}

const places: Place[] = [
  { file: 'test/failure-lines.test.ts', text: "throw new Planted('in a test')", fail: plantedHere },
  {
    file: 'providers/esim-units.ts',
    text: "throw new RangeError('not a decimal amount')",
    fail: () => toMicros('abc'),
  },
]

async function expectLines(): Promise<void> {
  for (const { file, text, fail } of places) {
    const lines = (await readFile(`${root}${file}`, 'utf8')).split('\n')
    const line = 1 + lines.findIndex((each) => each.includes(text))
    const stack = stackOf(fail).split('\n')[1]
    expect(stack, text).toContain(`${root}${file}:${line}:`)
  }
}

function stackOf(fail: () => unknown): string {
  try {
    fail()
  } catch (error) {
    return error instanceof Error ? (error.stack ?? '') : ''
  }
  throw new Error('it did not fail')
}

test('stack traces name the lines of source files, before and after a replay', async () => {
  await expectLines()
  await replay(await readKept(({ scenario }) => scenario === 'sign-in-ended-and-told'))
  await expectLines()
})
