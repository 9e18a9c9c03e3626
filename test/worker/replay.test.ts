/** A replay leaves the process as it was: the SDK's hooks for workflows would hold for the tests after it, too. */
import { createContext, Script } from 'node:vm'
import { expect, test } from 'vitest'
import { replay } from '../harness/temporal/histories.ts'
import { readKept } from '../replay/kept.ts'

const replayOne = async () => replay(await readKept(({ scenario }) => scenario === 'sign-in-ended-and-told'))

/** The SDK's hook asks each promise that begins or settles for its constructor. */
function watched() {
  const looks: string[] = []
  class Watched extends Promise<void> {}
  Reflect.defineProperty(Watched, 'constructor', {
    get: () => {
      looks.push('looked')
      return Function
    },
  })
  return { Watched, looks }
}

test('after a replay no hook looks at the promises of the process', async () => {
  await replayOne()
  await replayOne()
  const { Watched, looks } = watched()
  await new Watched((resolve) => resolve())
  expect(looks).toEqual([])
})

test('after a replay a time limit of a script holds', async () => {
  await replayOne()
  const script = new Script('for (;;) {}')
  expect(() => script.runInContext(createContext(), { timeout: 20 })).toThrow(/timed out/)
})

test('replays that are asked for at once leave the process as it was', async () => {
  const { runInContext } = Script.prototype
  await Promise.all([replayOne(), replayOne()])
  expect(Script.prototype.runInContext).toBe(runInContext)
  const { Watched, looks } = watched()
  await new Watched((resolve) => resolve())
  expect(looks).toEqual([])
})
