/** Bounds what one order or deletion can do to a restore: what fails again at each repetition must not end it for everybody else. */
import { restoreUndecided } from '../../activities/restore.ts'
import { type ItemKind, insertItem } from '../../db/backup/restores.ts'
import { faultOfData } from '../../db/connection/constraint.ts'
import type { Queryable } from '../../db/connection/database.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { failureCode, failureType } from '../../shared/failures.ts'

/** A party that is away fails for more orders than these; then the restore ends, and is repeated when the party is back. */
const doubtfulAtMost = 3
/** More than these, and more than half of all: it is no fault of theirs, as with the key of another Stripe account. */
const failedAtMost = 20

/** Does a step for one order, payment or run. @returns undefined when it failed, and an operator decides */
export type IsolateFailure = <Result>(
  of: { kind: ItemKind; subjectId: string },
  step: () => Promise<Result>,
) => Promise<Result | undefined>

/** @returns the steps of one restore */
export function createFailureIsolation(sql: Queryable, restoreId: string): IsolateFailure {
  const doubtful = new Set<string>()
  const failed = new Set<string>()
  let tried = 0
  return async (of, step) => {
    tried += 1
    try {
      return await step()
    } catch (error) {
      const { code, isOutage } = readError(error)
      if (code === undefined) throw error
      const subject = `${of.kind} ${of.subjectId}`
      failed.add(subject)
      if (isOutage) doubtful.add(subject)
      if (doubtful.size > doubtfulAtMost) throw error
      if (failed.size > failedAtMost && failed.size > tried / 2) throw error
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
  const code = faultOfData(error) ?? failureCode(error) ?? failureType(error) ?? ownError(error)
  return { code, isOutage: false }
}

/** A fault of ours. What else has a code is the database or Temporal, which do not answer. */
const ownError = (error: unknown): string | undefined =>
  error instanceof Error && !('code' in error) && ownErrors.includes(error.name) ? error.name : undefined

/** `DataKeyMissing`: the key snapshot lacks the key of one person. */
const ownErrors = ['Error', 'TypeError', 'RangeError', 'SyntaxError', 'DataKeyMissing']
