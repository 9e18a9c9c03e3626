/** A process for the next start, which has loaded its packages already: they are most of what a start takes. */
import type { Part } from '../part.ts'

export interface Spare {
  /** Starts the program, in the process that is ready for it if there is one, and gets the next one ready. */
  start(): Promise<Part>
  /** No further one is needed. */
  close(): void
}

type Settings = Promise<Record<string, string>>

/**
 * @param first starts the program at once
 * @param prepare starts a process that loads packages and waits for its settings; gone when they are rejected
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
    known.catch(() => {}) // heard of once the process is there
    const part = prepare(known)
    part.catch(() => {}) // whoever starts it hears of it
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
        // Not before: two processes that load at once take twice as long.
        next()
      }
    },
    close() {
      closed = true
      spare?.giveUp()
    },
  }
}
