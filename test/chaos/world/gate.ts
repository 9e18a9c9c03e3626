/** Lets some acts wait while the database is being lost: what it alone knew, no restore can bring back. */
import type { Act } from './events.ts'

/** Acts whose rows outlive the database in the books of others and in the runs (docs/restore.md). */
const recoverable: readonly Act['kind'][] = ['order', 'top_up', 'refund', 'use', 'expire', 'dispute']

export function createGate() {
  let opening: { promise: Promise<void>; open: () => void } | undefined
  let inside = 0
  let whenEmpty = (): void => {}
  return {
    async pass(kind: Act['kind'], act: () => Promise<unknown>): Promise<void> {
      if (recoverable.includes(kind)) return void (await act())
      while (opening) await opening.promise
      inside += 1
      try {
        await act()
      } finally {
        inside -= 1
        if (inside === 0) whenEmpty()
      }
    },
    /** Resolves once no such act is under way; none begins before `open`. */
    async close(): Promise<void> {
      let open = (): void => {}
      const promise = new Promise<void>((resolve) => {
        open = resolve
      })
      opening = { promise, open }
      if (inside === 0) return
      await new Promise<void>((resolve) => {
        whenEmpty = resolve
      })
    },
    open(): void {
      const was = opening
      opening = undefined
      was?.open()
    },
  }
}
