/** Operator tasks of an order that are about single eSIMs of it. */
import type { Database } from '../connection/database.ts'
import type { Attention } from '../connection/schema.ts'
import { type NewOperatorTask, raiseOperatorTask, type TaskAttributes } from '../operator-tasks.ts'
import { lockOrder } from './orders.ts'

/** Ids by the names of the facts that list them. */
type Named = Readonly<Record<string, readonly string[]>>

/**
 * Raises a task of an order about one of its eSIMs. Its facts list each eSIM that it is about: what an operator has
 * settled stays settled for these, and another one opens it again.
 * @param since when what it is about has begun: an operator who settled the task before that did not know of it
 */
export async function raiseForEsim(
  sql: Database,
  task: Omit<NewOperatorTask, 'attributes'>,
  named: Named,
  since?: Date,
): Promise<void> {
  await sql.begin(async (tx) => {
    // The eSIMs of an order are asked about side by side: each adds itself to what another has written.
    await lockOrder(tx, task.subjectId)
    const [row] = await tx<Pick<Attention, 'attributes'>[]>`
      select attributes from attention where kind = ${task.kind} and subject_id = ${task.subjectId}
        and (resolved_at is null or (resolved_by like 'operator:%'
          and resolved_at >= ${since ?? null}::timestamptz is not false))`
    const known = row?.attributes ?? {}
    const isNew = Object.entries(named).some(([name, ids]) => ids.some((id) => !idsIn(known, name).includes(id)))
    if (isNew) await raiseOperatorTask(tx, { ...task, attributes: { ...known, ...listsWith(known, named) } })
  })
}

const idsIn = (known: TaskAttributes, name: string): string[] => {
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
