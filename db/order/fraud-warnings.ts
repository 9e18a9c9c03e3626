/** Operator tasks about early fraud warnings, and what the processor says of them. */
import { periods } from '../../policy/periods.ts'
import type { FraudWarning } from '../../providers/stripe/fraud-warnings.ts'
import { plusMs } from '../../shared/calendar.ts'
import type { Queryable } from '../connection/database.ts'
import type { Attention } from '../connection/schema.ts'
import { deleteOperatorTask, type NewOperatorTask, raiseUnlessSettled, type TaskAttributes } from '../operator-tasks.ts'

const kind = 'fraud_warning'

/** The task of an actionable warning, with the date of the decision. */
export function fraudWarningTask(
  warning: FraudWarning,
  task: Pick<NewOperatorTask, 'subjectId' | 'detail' | 'at'>,
): NewOperatorTask {
  const { warningId, fraudType, amountMinor, currency } = warning
  const dueAt = plusMs(new Date(warning.createdAt), periods.fraudWarning.decideWithinMs)
  return { ...task, kind, dueAt, attributes: { warningId, fraudType, amountMinor, currency } }
}

/** Records a warning about an erased order, or a payment of no order. No trace of a settled one may stay. */
export async function recordOrphanedWarning(sql: Queryable, warning: FraudWarning, at: Date): Promise<void> {
  const { warningId: subjectId, actionable } = warning
  if (actionable) await raiseUnlessSettled(sql, fraudWarningTask(warning, { subjectId, detail: 'erased', at }))
  else await deleteOperatorTask(sql, { kind, subjectId })
}

/** The open tasks of orders that are being erased, as tasks about nobody's order. */
export async function erasedWarningTasks(sql: Queryable, orderIds: string[], at: Date): Promise<NewOperatorTask[]> {
  const rows = await sql<Pick<Attention, 'due_at' | 'attributes'>[]>`
    select due_at, attributes from attention
    where kind = ${kind} and subject_id = any(${orderIds}) and resolved_at is null`
  return rows.flatMap(({ due_at: dueAt, attributes }) => {
    const subjectId = warningOf(attributes)
    return subjectId && attributes ? [{ kind, subjectId, detail: 'erased', at, dueAt, attributes }] : []
  })
}

export interface WarningTask {
  subjectId: string
  warningId: string
}

/** The open tasks, with the warning that each is about. */
export async function listWarningTasks(sql: Queryable): Promise<WarningTask[]> {
  const rows = await sql<Pick<Attention, 'subject_id' | 'attributes'>[]>`
    select subject_id, attributes from attention where kind = ${kind} and resolved_at is null`
  return rows.flatMap(({ subject_id: subjectId, attributes }) => {
    const warningId = warningOf(attributes)
    return warningId ? [{ subjectId, warningId }] : []
  })
}

function warningOf(attributes: TaskAttributes | null): string | undefined {
  const warningId = attributes?.warningId
  return typeof warningId === 'string' ? warningId : undefined
}
