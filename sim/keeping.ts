/** Keeps a simulator's state in a file, so that a restart finds it. */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { deserialize, serialize } from 'node:v8'
import { fieldsIn } from './fields.ts'

/** The part of a simulator's state that is kept. Maps, sets and references to the same object are kept as such. */
export interface Kept<State = unknown> {
  save(): State
  /** @param state as another version of the simulator may have saved it */
  load(state: State): void
}

/** The file is written this long after a change: one order is many requests. */
const writeAfterMs = 200

/**
 * Loads the state from the file, if there is one.
 * @returns `changed`: has the state written soon; `stop`: writes it at once, if it has changed
 */
export function keepIn<State>(file: string, kept: Kept<State>): { changed(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined
  const saved = readIfThere(file)
  if (saved) {
    try {
      kept.load(deserialize(saved))
    } catch (error) {
      // Our database knows the orders that are in it.
      throw new Error(`${file} cannot be read: remove it, or the whole folder of data`, { cause: error })
    }
  }

  function write(): void {
    clearTimeout(timer)
    timer = undefined
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(`${file}.new`, serialize(kept.save()))
    // A process that is killed while it writes leaves the file before.
    renameSync(`${file}.new`, file)
  }

  return {
    changed() {
      timer ??= setTimeout(write, writeAfterMs)
    },
    stop() {
      if (timer) write()
    },
  }
}

function readIfThere(file: string): Buffer | undefined {
  try {
    return readFileSync(file)
  } catch (error) {
    if (fieldsIn(error)?.code === 'ENOENT') return undefined
    throw error
  }
}

/** Adds what was saved to a map that is empty. */
export function fill<Key, Value>(map: Map<Key, Value>, saved: ReadonlyMap<Key, Value>): void {
  for (const [key, value] of saved) map.set(key, value)
}
