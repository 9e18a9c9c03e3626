/**
 * Tries the orders and payments again that a restore has left undecided, once the cause has gone: the key of a history
 * is there, or the processor answers. A retry begins where the restore has left each order, so that nothing is done
 * twice. What an operator has decided stays.
 */
import type { Client } from '@temporalio/client'
import { notAccepted } from '../../activities/order/payment/payment-acceptance.ts'
import {
  findItem,
  insertItem,
  listItemsToSettle,
  type Restore,
  restoreUndecided,
  takeUndecided,
  type UndecidedItem,
} from '../../db/backup/restores.ts'
import type { Attention } from '../../db/connection/schema.ts'
import { resolveOperatorTask } from '../../db/operator-tasks.ts'
import { findOrder } from '../../db/order/orders.ts'
import { deleteFoundNumbers } from '../../db/order/restored-documents.ts'
import { createFailureIsolation } from './failure-isolation.ts'
import { rebuild } from './rebuild.ts'
import type { RepeatingContext } from './until-answered.ts'

/** @returns how many were tried and decided; `toSettle`: the restore's run has something to do again */
export async function retryUndecided(
  context: RepeatingContext,
  temporal: Client,
  { id: restoreId, readsSince }: Pick<Restore, 'id' | 'readsSince'>,
  say: (line: string) => void,
): Promise<{ tried: number; decided: number; toSettle: boolean }> {
  const { sql } = context
  const items = await takeUndecided(sql, restoreId)
  if (items.length === 0) return { tried: 0, decided: 0, toSettle: false }
  const again = new Set(items.map(({ subjectId }) => subjectId))
  const isolate = createFailureIsolation(sql, restoreId, again)
  const seen = await rebuild(context, { restoreId, since: readsSince, settled: [], temporal, isolate, say, again })
  await deleteFoundNumbers(sql)
  let decided = 0
  for (const item of items) {
    const { outcome } = (await findItem(sql, restoreId, item)) ?? (await note(item))
    if (outcome === 'undecided') continue
    decided += 1
    await settleTasks(item)
  }
  const toSettle = (await listItemsToSettle(sql, restoreId)).length > 0
  return { tried: items.length, decided, toSettle }

  /** Reports an item that caused no new one: nothing was left to do, or nothing was found and the old reason stays. */
  async function note({ kind, subjectId, detail }: UndecidedItem): Promise<Pick<UndecidedItem, 'outcome'>> {
    const outcome = seen.has(subjectId) ? 'rebuilt' : 'undecided'
    const isOpen = outcome === 'undecided' && detail !== null
    await insertItem(sql, restoreId, { kind, subjectId, outcome, ...(isOpen && { detail }) })
    return { outcome }
  }

  async function settleTasks({ kind, subjectId, taskDetail }: UndecidedItem): Promise<void> {
    const at = new Date()
    const [task] = await sql<Pick<Attention, 'detail'>[]>`
      select detail from attention where kind = ${restoreUndecided} and subject_id = ${subjectId}`
    // A task with another detail is one that the rebuilt order has.
    if (task?.detail === taskDetail)
      await resolveOperatorTask(sql, { kind: restoreUndecided, subjectId, by: 'restore', at })
    if (kind === 'order' && (await findOrder(sql, subjectId))?.reason !== notAccepted)
      await resolveOperatorTask(sql, { kind: notAccepted, subjectId, by: 'restore', at })
  }
}
