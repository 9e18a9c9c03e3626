import type { Part } from './part.ts'

/** Watches the parts of a stack for the first one that ends unexpectedly. */
export function createFailureWatch() {
  let why: string | undefined
  let resolveReason = (_: string | undefined): void => {}
  const reason = new Promise<string | undefined>((resolve) => {
    resolveReason = resolve
  })
  return {
    /** Resolves to the failure, or to undefined when `close` was called first. Never rejects. */
    reason,
    watch(part: Pick<Part, 'exited'>): void {
      void part.exited.then((ended) => {
        if (ended === undefined) return
        why ??= ended
        resolveReason(ended)
      })
    },
    /** Ends the watch. @returns the failure that has happened before, if any */
    close(): string | undefined {
      resolveReason(undefined)
      return why
    },
  }
}
