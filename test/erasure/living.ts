/** Everybody who is not erased: their rows, data keys and runs, to be compared before and after. */
import { WorkflowNotFoundError } from '@temporalio/client'
import type { Harness } from '../harness/harness.ts'
import { until } from '../harness/until.ts'
import { rowsAdded, type Snapshot, takeSnapshot } from './snapshot.ts'

export interface Everybody {
  rows: Snapshot
  /** `workflow id, run id, status, events` */
  runs: string[]
}

/** What business itself moves on. */
const moving = ['counters']

export async function readEverybody(harness: Harness): Promise<Everybody> {
  const rows = await takeSnapshot(harness.context)
  for (const table of moving) rows.delete(table)
  const runs: string[] = []
  for await (const { workflowId, runId } of harness.temporal.workflow.list()) {
    try {
      const { status, historyLength } = await harness.temporal.workflow.getHandle(workflowId, runId).describe()
      runs.push([workflowId, runId, status.name, historyLength].join(', '))
    } catch (error) {
      // Erased since it was listed: visibility lags behind.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }
  return { rows, runs }
}

/** What was there before and is not there any more, or not as it was. */
export async function changedSince(harness: Harness, before: Everybody): Promise<{ rows: string[]; runs: string[] }> {
  const after = await readEverybody(harness)
  const rows = [...rowsAdded(after.rows, before.rows)].flatMap(([table, texts]) =>
    texts.map((text) => `${table}: ${text}`),
  )
  return { rows, runs: before.runs.filter((run) => !after.runs.includes(run)) }
}

export const nothingChanged = { rows: [], runs: [] }

/** Once no message is on its way. */
export async function untilQuiet({ context }: Pick<Harness, 'context'>): Promise<void> {
  await until('every message is out', async () => {
    const [row] = await context.sql<{ pending: number }[]>`
      select (select count(*)::int from sends where state in ('due', 'sending'))
        + (select count(*)::int from privacy_requests where acknowledged_at is null) as pending`
    return row?.pending === 0
  })
}
