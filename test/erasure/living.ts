/** Rows, data keys and runs of all people who are not erased, to compare before and after an erasure. */
import { WorkflowNotFoundError } from '@temporalio/client'
import type { Deletion } from '../harness/deletions.ts'
import type { Harness } from '../harness/harness.ts'
import { until } from '../harness/until.ts'
import { findTexts, rowsAdded, type Snapshot, takeSnapshot } from './snapshot.ts'

export interface Everybody {
  rows: Snapshot
  /** `workflow id, run id, status, events` */
  runs: string[]
}

/**
 * Tables that change without an erasure: how outside parties answer anybody, sums over all people, the newest event's
 * number.
 */
const moving = ['counters', 'event_stream', 'outside_parties', 'provider_spending']

/** @param ofRuns which runs, as a query of Temporal's list; default all */
export async function readEverybody(harness: Harness, ofRuns?: string): Promise<Everybody> {
  const rows = await takeSnapshot(harness.context)
  for (const table of moving) rows.delete(table)
  const runs: string[] = []
  for await (const { workflowId, runId } of harness.temporal.workflow.list(
    ofRuns === undefined ? {} : { query: ofRuns },
  )) {
    try {
      const { status, historyLength } = await harness.temporal.workflow.getHandle(workflowId, runId).describe()
      runs.push([workflowId, runId, status.name, historyLength].join(', '))
    } catch (error) {
      // The run was erased after the listing: visibility is updated late.
      if (!(error instanceof WorkflowNotFoundError)) throw error
    }
  }
  return { rows, runs }
}

/** Entries that are missing or changed afterwards. */
export async function changedSince(
  harness: Harness,
  before: Everybody,
  ofRuns?: string,
): Promise<{ rows: string[]; runs: string[] }> {
  const after = await readEverybody(harness, ofRuns)
  const rows = [...rowsAdded(after.rows, before.rows)].flatMap(([table, texts]) =>
    texts.map((text) => `${table}: ${text}`),
  )
  return { rows, runs: before.runs.filter((run) => !after.runs.includes(run)) }
}

/** Tables with a row for each read of an account: the app backend reads it rightly. */
const ofReads = ['access_log', 'security_log']

/** Rows that an account has got since: nobody else may have given it any. */
export async function addedSince(harness: Harness, before: Everybody, accountId: string): Promise<string[]> {
  const added = rowsAdded(before.rows, (await readEverybody(harness)).rows)
  for (const table of ofReads) added.delete(table)
  return findTexts(added, [accountId])
}

export const nothingChanged = { rows: [], runs: [] }

/** Lets a deletion look a second time, a quarter of an hour later. */
export async function lookTwice(deletion: Deletion): Promise<Deletion> {
  await deletion.fastForward('16 minutes')
  for (const processor of ['database', 'temporal', 'mail'] as const) await deletion.until(processor, 'done')
  return deletion
}

/** Waits until no message is being sent. */
export async function untilQuiet({ context }: Pick<Harness, 'context'>): Promise<void> {
  await until('every message is out', async () => {
    const [row] = await context.sql<{ pending: number }[]>`
      select (select count(*)::int from sends where state in ('due', 'sending'))
        + (select count(*)::int from privacy_requests where acknowledged_at is null) as pending`
    return row?.pending === 0
  })
}
