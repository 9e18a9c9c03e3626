/** Work in the background of the run, which waits for it at its end. */
import { isCancellation } from '@temporalio/workflow'

/**
 * An operator may cancel the run: it then ends without waiting for the work, which is cancelled with it. Without this
 * the work's own cancellation, for which nobody waits, would fail each workflow task, and the run could not end.
 */
export function inBackground<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(throwUnlessCancelled)
  return work
}

function throwUnlessCancelled(error: unknown): void {
  if (!isCancellation(error)) throw error
}
