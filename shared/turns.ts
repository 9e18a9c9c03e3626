/** Nobody was served within the time that a caller may wait. */
export class NoTurn extends Error {
  override readonly name = 'NoTurn'
  readonly code = 'NO_TURN'
}

export type GiveBack = () => void

interface Waiter {
  resolve(giveBack: GiveBack): void
  timer: NodeJS.Timeout
}

export type Turns = ReturnType<typeof createTurns>

/**
 * Lets `atOnce` callers go on at the same time. The others wait in the order of their coming.
 * @param settings.what they wait for, for the message
 * @param settings.waitMs how long each waits at most
 */
export function createTurns({ what, atOnce, waitMs }: { what: string; atOnce: number; waitMs: number }) {
  const waiting = new Set<Waiter>()
  let taken = 0
  let movedAt = performance.now()
  let refusedAt = Number.NEGATIVE_INFINITY

  function turn(): GiveBack {
    let isGivenBack = false
    movedAt = performance.now()
    return () => {
      if (isGivenBack) return
      isGivenBack = true
      movedAt = performance.now()
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
    /** Resolves to what ends the turn; calling that again does nothing. @throws NoTurn after `waitMs` */
    take(): Promise<GiveBack> {
      if (taken < atOnce) {
        taken += 1
        return Promise.resolve(turn())
      }
      return new Promise((resolve, reject) => {
        const refuse = () => {
          waiting.delete(waiter)
          refusedAt = performance.now()
          reject(new NoTurn(`${what}: none within ${waitMs} ms`))
        }
        const waiter: Waiter = { resolve, timer: setTimeout(refuse, waitMs) }
        waiting.add(waiter)
      })
    },

    /** For how long nobody's turn has begun or ended, while others wait or were refused; 0 when nobody was kept waiting. */
    standstillMs(): number {
      const isWanted = waiting.size > 0 || refusedAt > movedAt
      return isWanted ? performance.now() - movedAt : 0
    },
  }
}
