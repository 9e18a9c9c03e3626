/**
 * The whole product for one test file, on free ports and thrown away afterwards. What every test must leave behind is
 * checked when the file is done: histories that replay, and books that balance.
 */
import { afterAll } from 'vitest'
import type { StackOptions } from '../../dev/stack.ts'
import { checkBooks } from './books.ts'
import { checkTasks, fetchHistories, replay } from './histories.ts'
import { openStage, type Stage } from './stage.ts'

export interface RigOptions extends StackOptions {
  /** false: the file breaks what is checked on purpose */
  replay?: false
  books?: false
}

export type Rig = Stage

/** Starts it. To be called once at the top of a test file: `const rig = await openStack()`. */
export async function openStack(options: RigOptions = {}): Promise<Rig> {
  const stage = await openStage(options)
  const { stack } = stage

  afterAll(async () => {
    const faults: unknown[] = []
    const step = async (work: () => Promise<unknown>): Promise<void> => {
      await work().catch((fault: unknown) => faults.push(fault))
    }
    if (options.books !== false) await step(() => checkBooks(stack))
    if (options.replay !== false) {
      const histories = fetchHistories(stack.temporal)
      await step(async () => checkTasks(await histories))
      await step(async () => replay(await histories, stack.config.PAYLOAD_KEYS))
    }
    await step(() => stack.stop())
    if (faults.length === 1) throw faults[0]
    if (faults.length > 1) throw new AggregateError(faults, faults.map(String).join('\n'))
  })

  return stage
}
