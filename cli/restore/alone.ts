/** Bounds what one order can do to a restore: what fails again at each repetition must not end it for everybody else. */
import { restoreUndecided } from '../../activities/restore.ts'
import { type ItemKind, insertItem } from '../../db/backup/restores.ts'
import { faultOfData } from '../../db/connection/constraint.ts'
import type { Queryable } from '../../db/connection/database.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { failureType } from '../../shared/failures.ts'

/** A party that is away fails for more orders than these; then the restore ends, and is repeated when the party is back. */
const doubtfulAtMost = 3

/** Does a step for one order, payment or run. @returns undefined when it failed, and an operator decides */
export type Alone = <Result>(
  of: { kind: ItemKind; subjectId: string },
  step: () => Promise<Result>,
) => Promise<Result | undefined>

/** @returns the steps of one restore */
export function createAlone(sql: Queryable, restoreId: string): Alone {
  let doubtful = 0
  return async (of, step) => {
    try {
      return await step()
    } catch (error) {
      const { code, isOutage } = readError(error)
      if (code === undefined) throw error
      if (isOutage) doubtful += 1
      if (doubtful > doubtfulAtMost) throw error
      await insertItem(sql, restoreId, { ...of, outcome: 'undecided', detail: code })
      await raiseOperatorTask(sql, { kind: restoreUndecided, subjectId: of.subjectId, detail: code, at: new Date() })
      return undefined
    }
  }
}

/** What an error says of the one order; `code` is undefined for what concerns all. Messages may quote rows. */
function readError(error: unknown): { code: string | undefined; isOutage: boolean } {
  if (isProviderFailure(error)) {
    // Only an operator ends what is misconfigured, and it is so for all.
    const code = error.kind === 'misconfigured' ? undefined : error.code
    return { code, isOutage: error.kind !== 'rejected' && error.code !== 'still_allocating' }
  }
  const code = faultOfData(error) ?? failureType(error) ?? ownError(error)
  return { code, isOutage: false }
}

/** A fault of ours. What else has a code is the database or Temporal, which do not answer. */
const ownError = (error: unknown): string | undefined =>
  error instanceof Error && !('code' in error) && ['Error', 'TypeError', 'RangeError'].includes(error.name)
    ? error.name
    : undefined
