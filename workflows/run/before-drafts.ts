/**
 * For runs that were started before decision 0018 (docs/decisions/0018-draft-then-run.md), inside the transaction that
 * wrote their row: such a run waits until the row is committed. Since then a row is a draft before its run starts, and
 * the type of each input demands it, so that no code can start such a run. The kept histories of these runs need this
 * file.
 */
import { sleep } from '@temporalio/workflow'

/** The input of such a run has neither. */
export interface BeforeDrafts {
  draft?: never
  progress?: never
}

type Pause = '200 milliseconds' | '10 seconds'

/** For two minutes: much longer than a transaction may take. */
export const forTwoMinutes: readonly Pause[] = Array.from({ length: 12 }, () => '10 seconds' as const)
/** First several times a second, for a caller who waited. */
export const oftenAtFirst: readonly Pause[] = [
  ...Array.from({ length: 10 }, () => '200 milliseconds' as const),
  ...Array.from({ length: 10 }, () => '10 seconds' as const),
]

/** @returns whether the row was found, before the first pause or after one of them but the last */
export async function untilRecorded(
  row: string,
  pauses: readonly Pause[],
  find: () => Promise<boolean>,
): Promise<boolean> {
  for (const pause of pauses) {
    if (await find()) return true
    await sleep(pause, { summary: `until the ${row} is recorded` })
  }
  return false
}

/**
 * The caller held a lock on the answer's row until the workflow task completed: a local activity would have waited for
 * it.
 */
export const untilTaskCompletes = (): Promise<void> => sleep(1, { summary: 'until the answer is recorded' })
