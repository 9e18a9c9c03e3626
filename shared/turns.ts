/** A caller did not get a turn within `waitMs`. */
export class NoTurn extends Error {
  override readonly name = 'NoTurn'
  readonly code = 'NO_TURN'
}

export type EndTurn = () => void

interface Waiter {
  resolve(endTurn: EndTurn): void
  timer: NodeJS.Timeout
}

/**
 * A semaphore: `atOnce` callers have a turn at the same time, the others wait in their order.
 * @param settings.what the name of a turn, for the message
 * @param settings.waitMs how long a caller waits at most
 * @param settings.mostWaiting how many callers wait at most: a further one is refused at once
 */
export function createTurns({
  what,
  atOnce,
  waitMs,
  mostWaiting = Number.POSITIVE_INFINITY,
}: {
  what: string
  atOnce: number
  waitMs: number
  mostWaiting?: number
}) {
  const waiting = new Set<Waiter>()
  let taken = 0
  let lastChangeAt = performance.now()
  let lastRefusalAt = Number.NEGATIVE_INFINITY

  function turn(): EndTurn {
    let hasEnded = false
    lastChangeAt = performance.now()
    return () => {
      if (hasEnded) return
      hasEnded = true
      lastChangeAt = performance.now()
      const [next] = waiting
      if (!next) {
        taken -= 1
        return
      }
      waiting.delete(next)
      clearTimeout(next.timer)
      next.resolve(turn())
    }
  }

  return {
    /**
     * Resolves to a function that ends the turn; a second call of it does nothing.
     * @throws NoTurn after `waitMs`, or at once when `mostWaiting` callers wait
     */
    take(): Promise<EndTurn> {
      if (taken < atOnce) {
        taken += 1
        return Promise.resolve(turn())
      }
      if (waiting.size >= mostWaiting) {
        lastRefusalAt = performance.now()
        return Promise.reject(new NoTurn(`${what}: ${mostWaiting} callers wait already`))
      }
      return new Promise((resolve, reject) => {
        const refuse = () => {
          waiting.delete(waiter)
          lastRefusalAt = performance.now()
          reject(new NoTurn(`${what}: none within ${waitMs} ms`))
        }
        const waiter: Waiter = { resolve, timer: setTimeout(refuse, waitMs) }
        waiting.add(waiter)
      })
    },

    /** Milliseconds since a turn began or ended, while callers wait or were refused; else 0. */
    standstillMs(): number {
      const isWanted = waiting.size > 0 || lastRefusalAt > lastChangeAt
      return isWanted ? performance.now() - lastChangeAt : 0
    },
  }
}
