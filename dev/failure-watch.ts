import type { Part } from './part.ts'

/** Watches the parts of a stack: the first that ends by itself decides. */
export function createFailureWatch() {
  let why: string | undefined
  let settle = (_: string | undefined): void => {}
  const reason = new Promise<string | undefined>((resolve) => {
    settle = resolve
  })
  return {
    /** What happened; undefined when `close` came first. Never rejects. */
    reason,
    watch(part: Pick<Part, 'exited'>): void {
      void part.exited.then((ended) => {
        if (ended === undefined) return
        why ??= ended
        settle(ended)
      })
    },
    /** What happened, if anything did; nothing counts any more. */
    close(): string | undefined {
      settle(undefined)
      return why
    },
  }
}
