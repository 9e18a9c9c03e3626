/** Operator tasks of an order that are about parts of it: single eSIMs, or single refunds. */
import type { Database, Transaction } from '../connection/database.ts'
import type { Attention } from '../connection/schema.ts'
import { type NewOperatorTask, raiseOperatorTask, type TaskAttributes } from '../operator-tasks.ts'
import { lockOrder } from './orders.ts'

/** Ids by the names of the facts that list them. */
type Named = Readonly<Record<string, readonly string[]>>

/**
 * Raises a task of an order about a part of it. Its facts list each part that it is about: what an operator has settled
 * stays settled for these, and another one opens it again.
 * @param tx has the order locked, since each part adds itself to what another has written
 * @param since when what it is about has begun: an operator who settled the task before that did not know of it
 */
export async function raiseForPart(
  tx: Transaction,
  task: Omit<NewOperatorTask, 'attributes'>,
  named: Named,
  since?: Date,
): Promise<void> {
  const [row] = await tx<Pick<Attention, 'attributes'>[]>`
    select attributes from attention where kind = ${task.kind} and subject_id = ${task.subjectId}
      and (resolved_at is null or (resolved_by like 'operator:%'
        and resolved_at >= ${since ?? null}::timestamptz is not false))`
  const known = row?.attributes ?? {}
  const isNew = Object.entries(named).some(([name, ids]) => ids.some((id) => !idsIn(known, name).includes(id)))
  if (isNew) await raiseOperatorTask(tx, { ...task, attributes: { ...known, ...listsWith(known, named) } })
}

/** The same about one of its eSIMs, which are asked about side by side. */
export const raiseForEsim = (
  sql: Database,
  task: Omit<NewOperatorTask, 'attributes'>,
  named: Named,
  since?: Date,
): Promise<void> =>
  sql.begin(async (tx) => {
    await lockOrder(tx, task.subjectId)
    await raiseForPart(tx, task, named, since)
  })

/** The ids that a fact of a task lists. */
export const idsIn = (known: TaskAttributes, name: string): string[] => {
  const list = known[name]
  return typeof list === 'string' ? list.split(' ') : []
}

const listsWith = (known: TaskAttributes, named: Named): TaskAttributes =>
  Object.fromEntries(
    Object.entries(named).flatMap(([name, ids]) => {
      const all = [...new Set([...idsIn(known, name), ...ids])]
      return all.length > 0 ? [[name, all.join(' ')]] : []
    }),
  )
