import { heartbeat } from '@temporalio/activity'

/** Repeats what deletes at most so many rows until it deletes fewer. @returns how many were deleted in all */
export async function inBatches(batchSize: number, remove: (limit: number) => Promise<number>): Promise<number> {
  for (let total = 0; ; ) {
    const gone = await remove(batchSize)
    total += gone
    heartbeat({ gone: total })
    if (gone < batchSize) return total
  }
}
