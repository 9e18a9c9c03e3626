/** A process for the next start that has already loaded its packages, which is most of a start. */
import type { Part } from '../part.ts'

export interface Spare {
  /** Starts the program in the ready process, if any, and prepares the next one. */
  start(): Promise<Part>
  /** Ends the ready process. */
  close(): void
}

type Settings = Promise<Record<string, string>>

/**
 * @param first starts the program without a ready process
 * @param prepare starts a process that loads packages and waits for its settings; it ends when they are rejected
 */
export function createSpare(
  settings: Settings,
  first: (settings: Settings) => Promise<Part>,
  prepare: (settings: Settings) => Promise<Part>,
): Spare {
  let spare: { begin(): void; giveUp(): void; part: Promise<Part> } | undefined
  let closed = false

  function next(): void {
    if (closed) return
    let begin = (): void => {}
    let giveUp = (): void => {}
    const asked = new Promise<void>((resolve, reject) => {
      begin = resolve
      giveUp = () => reject(new Error('the process was not needed'))
    })
    const known = asked.then(() => settings)
    known.catch(() => {}) // Its rejection is handled after the start of the process.
    const part = prepare(known)
    part.catch(() => {}) // Its rejection is handled by the next start.
    spare = { begin, giveUp, part }
  }

  async function startNow(): Promise<Part> {
    const ready = spare
    spare = undefined
    if (!ready) return await first(settings)
    ready.begin()
    return await ready.part
  }

  return {
    async start() {
      try {
        return await startNow()
      } finally {
        // Afterwards, since two processes that load at the same time take twice as long.
        next()
      }
    },
    close() {
      closed = true
      spare?.giveUp()
    },
  }
}
