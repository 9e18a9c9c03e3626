/** Operator tasks that runs and their activities have raised since the dump. */
import type { Database } from '../../../db/connection/database.ts'
import { type NewOperatorTask, raiseOperatorTask } from '../../../db/operator-tasks.ts'

/** Raises a task that the dump has in no state. An operator may have settled it since; no record says so. */
export async function raiseAgain(sql: Database, task: NewOperatorTask): Promise<void> {
  const known = await sql`select from attention where kind = ${task.kind} and subject_id = ${task.subjectId}`
  if (known.length === 0) await raiseOperatorTask(sql, task)
}
