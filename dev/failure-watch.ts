import type { Part } from './part.ts'

/** Watches the parts of a stack for the first that ends by itself. */
export function createFailureWatch() {
  let why: string | undefined
  let resolveReason = (_: string | undefined): void => {}
  const reason = new Promise<string | undefined>((resolve) => {
    resolveReason = resolve
  })
  return {
    /** Resolves to what happened, or to undefined when `close` was called first. Never rejects. */
    reason,
    watch(part: Pick<Part, 'exited'>): void {
      void part.exited.then((ended) => {
        if (ended === undefined) return
        why ??= ended
        resolveReason(ended)
      })
    },
    /** Ends the watch. @returns what has happened before, if anything */
    close(): string | undefined {
      resolveReason(undefined)
      return why
    },
  }
}
