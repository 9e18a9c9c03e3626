import { countItems, countLostNumbers, findRestore, listItems } from '../../db/backup/restores.ts'
import type { Queryable } from '../../db/connection/database.ts'
import { afterLoss } from './tables.ts'

const shownAtMost = 1_000

/** Describes a restore and its items as lines: numbers first, then the items that only an operator can settle. */
export async function describeRestore(sql: Queryable, restoreId: string): Promise<string[]> {
  const restore = await findRestore(sql, restoreId)
  if (!restore) return [`There is no restore ${restoreId}.`]
  const [counts, lost, undecided] = await Promise.all([
    countItems(sql, restoreId),
    countLostNumbers(sql, restoreId),
    listItems(sql, restoreId, { after: undefined, outcome: 'undecided', limit: shownAtMost }),
  ])
  return [
    `Restore ${restore.id} of ${restore.backupId}: ${restore.openedAt ? 'open' : 'the API refuses requests'}.`,
    ...Object.entries(counts).flatMap(([kind, outcomes]) =>
      Object.entries(outcomes).map(([outcome, count]) => `  ${kind}: ${count} ${outcome}`),
    ),
    `  later invoices and credit notes are numbered in series with ${restore.series}`,
    ...Object.entries(lost).map(([series, count]) => `  ${series}: ${count} numbers whose document is lost`),
    ...undecided.map(
      ({ kind, subjectId, detail }) =>
        `  undecided: ${kind} ${subjectId} (${(kind === 'table' && afterLoss.undecided[subjectId]) || detail})`,
    ),
  ]
}
