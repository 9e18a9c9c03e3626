/**
 * Bounds what one order or deletion can do to a restore: what fails again at each repetition must not end it for
 * everybody else.
 */
import { type ItemKind, insertItem, restoreUndecided } from '../../db/backup/restores.ts'
import { faultOfData } from '../../db/connection/constraint.ts'
import type { Queryable } from '../../db/connection/database.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { failureCode, failureType } from '../../shared/failures.ts'
import { textPropertyOf } from '../../shared/keys-of.ts'
import { isOfTemporal } from '../../temporal/grpc-status.ts'
import { HistoryUnreadable } from './run-history.ts'

/** A party that is down, or refuses us, fails for more orders than these; then the restore ends, and is repeated. */
const doubtfulAtMost = 3
/**
 * More failures than this, and of more than half of their kind, have a cause of all, such as the key of another Stripe
 * account.
 */
const failedAtMost = 20

/** Does a step for one order, payment or run. @returns undefined when it failed, and an operator decides */
export type IsolateFailure = <Result>(
  of: { kind: ItemKind; subjectId: string },
  step: () => Promise<Result>,
) => Promise<Result | undefined>

/**
 * @param reported the subjects whose failures are reported to operators; missing: all. @returns the steps of one
 * restore
 */
export function createFailureIsolation(
  sql: Queryable,
  restoreId: string,
  reported?: ReadonlySet<string>,
): IsolateFailure {
  const doubtful = new Set<string>()
  const tried = new Map<ItemKind, Set<string>>()
  const failed = new Map<ItemKind, Set<string>>()
  return async (of, step) => {
    const ofKind = noted(tried, of)
    try {
      return await step()
    } catch (error) {
      const { code, isOutage } = readError(error)
      if (code === undefined) throw error
      // An unreadable history is no failure of the restore: the key of all older runs may be lost.
      const failedOnes = error instanceof HistoryUnreadable ? new Set() : noted(failed, of)
      if (isOutage) doubtful.add(`${of.kind} ${of.subjectId}`)
      if (doubtful.size > doubtfulAtMost) throw error
      if (failedOnes.size > failedAtMost && failedOnes.size > ofKind.size / 2) throw error
      if (reported && !reported.has(of.subjectId)) return undefined
      await insertItem(sql, restoreId, { ...of, outcome: 'undecided', detail: code })
      await raiseOperatorTask(sql, { kind: restoreUndecided, subjectId: of.subjectId, detail: code, at: new Date() })
      return undefined
    }
  }
}

/** Adds a subject to those of its kind. @returns them */
function noted(subjects: Map<ItemKind, Set<string>>, { kind, subjectId }: { kind: ItemKind; subjectId: string }) {
  const known = subjects.get(kind) ?? new Set()
  subjects.set(kind, known.add(subjectId))
  return known
}

/**
 * Reads an error about one order; `code` is undefined for an error that concerns all orders. Messages may quote rows.
 */
function readError(error: unknown): { code: string | undefined; isOutage: boolean } {
  // A key that is wrong for all fails the lists as well, which no step reads.
  if (isProviderFailure(error))
    return { code: error.code, isOutage: error.kind !== 'rejected' && error.code !== 'still_allocating' }
  const code = faultOfData(error) ?? failureCode(error) ?? failureType(error)
  return { code: code ?? (concernsAll(error) ? undefined : nameOf(error)), isOutage: false }
}

/** SQLSTATE classes of a server that is gone, full or busy; codes of the driver and of connections. */
const codesOfAll = /^(?:(?:08|25|28|3D|40|53|55|57|58|XX)[0-9A-Z]{3}|CONNECT[A-Z_]*|E[A-Z0-9]+|EAI_[A-Z]+)$/

/** Whether the database or Temporal does not answer. Any other error concerns one order alone. */
function concernsAll(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (isOfTemporal(cause)) return true
    const code = textPropertyOf(cause, 'code')
    if (code !== undefined && codesOfAll.test(code)) return true
  }
  return false
}

/** Its code, or the name of its class: `DataKeyMissing` when the key snapshot lacks the key of one person. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown'
  const code = textPropertyOf(error, 'code')
  return error.name === 'PostgresError' ? `sql_${code}` : (code ?? error.name)
}
