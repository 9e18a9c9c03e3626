/** Operator tasks of an order that are about parts of it: single eSIMs, or single refunds. */
import type { Database, Transaction } from '../connection/database.ts'
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
    const { facts } = await readFacts(tx, task, since)
    const isNew = Object.entries(named).some(([name, ids]) => ids.some((id) => !idsIn(facts, name).includes(id)))
    if (isNew) await raiseOperatorTask(tx, { ...task, attributes: { ...facts, ...listsWith(facts, named) } })
  })
}

/**
 * Raises a task of an order about one of its refunds. Its facts list the keys of those that were not made, or have
 * failed, and are owed (`refunds`), and of those whose amount was released (`released`). What an operator has settled is
 * neither any more, but known (`settled`).
 * @param tx has the order locked
 * @param since when the refund was asked for, or has failed
 */
export async function raiseForRefund(
  tx: Transaction,
  task: Omit<NewOperatorTask, 'attributes'>,
  { as, refundKey }: { as: 'refunds' | 'released'; refundKey: string },
  since: Date,
): Promise<void> {
  const { facts, isOpen } = await readFacts(tx, task, since)
  const settled = isOpen ? [] : ['refunds', 'released', 'settled'].flatMap((name) => idsIn(facts, name))
  if ([...settled, ...idsIn(facts, as)].includes(refundKey)) return
  const before = isOpen ? facts : listsWith({}, { settled })
  await raiseOperatorTask(tx, { ...task, attributes: { ...before, ...listsWith(before, { [as]: [refundKey] }) } })
}

/** The facts of a task that is open, or that an operator has settled since a time. */
async function readFacts(
  tx: Transaction,
  { kind, subjectId }: Pick<NewOperatorTask, 'kind' | 'subjectId'>,
  since: Date | undefined,
): Promise<{ facts: TaskAttributes; isOpen: boolean }> {
  const [row] = await tx<Pick<Attention, 'attributes' | 'resolved_at'>[]>`
    select attributes, resolved_at from attention where kind = ${kind} and subject_id = ${subjectId}
      and (resolved_at is null or (resolved_by like 'operator:%'
        and resolved_at >= ${since ?? null}::timestamptz is not false))`
  return { facts: row?.attributes ?? {}, isOpen: row?.resolved_at === null }
}

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
