/** Every operator task that a test has raised says what it means and what to do: a new kind needs its advice. */
import type { Attention } from '../../../db/connection/schema.ts'
import type { Stack } from '../../../dev/stack.ts'
import { adviceOn } from '../../../policy/operators/task-advice.ts'

/** @throws for kinds without one */
export async function checkTaskKinds({ context: { sql } }: Pick<Stack, 'context'>): Promise<void> {
  const rows = await sql<Pick<Attention, 'kind'>[]>`select distinct kind from attention`
  const unknown = rows.map(({ kind }) => kind).filter((kind) => adviceOn(kind) === undefined)
  if (unknown.length > 0)
    throw new Error(`operator tasks without a row in policy/operators/task-advice.ts: ${unknown.join(', ')}`)
}
