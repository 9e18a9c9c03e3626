/** Gives a running stack the state of its start: rows, simulators and runs. What processes remember stays. */
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Client } from '@temporalio/client'
import type { Database } from '../../db/connection/database.ts'
import type { Stack } from '../../dev/stack.ts'
import { isNotFound } from '../../temporal/grpc-status.ts'
import { until, untilValue } from './until.ts'

/** Tables whose rows the running processes remember: tests have to find their rows among those of other files. */
const kept = ['migrations', 'outside_parties', 'event_stream']

export interface FreshState {
  /** Deletes all runs, empties simulators and backups, and gives the tables the rows that they had. */
  restore(): Promise<void>
}

/** Remembers the state of a stack that has just started. */
export async function rememberState({ context, temporal, sims, urls, config }: Stack): Promise<FreshState> {
  const { sql, dataKeys } = context
  // Every process remembers the key that the first one has made.
  await dataKeys.system(sql)
  const rows = new Map<string, string>()
  for (const table of await tables(sql)) {
    const [row] = await sql<{ all: string | null }[]>`select json_agg(t)::text as all from ${sql(table)} t`
    if (row?.all) rows.set(table, row.all)
  }

  return {
    async restore() {
      await deleteRuns(temporal)
      await Promise.all(Object.values(sims).map((simulator) => simulator.reset()))
      const all = await tables(sql)
      await sql.begin(async (tx) => {
        // Without triggers and foreign keys: some tables only grow.
        await tx`set local session_replication_role = replica`
        // Of two transactions that wait for each other the one of API or worker is refused, which can do it again.
        await tx`set local deadlock_timeout = '1min'`
        for (const table of all) {
          await tx`delete from ${tx(table)}`
          const before = rows.get(table)
          if (before)
            await tx`insert into ${tx(table)} overriding system value
              select * from json_populate_recordset(null::${tx(table)}, ${before}::text::json)`
        }
      })
      for (const file of await readdir(config.BACKUP_FOLDER).catch(() => [])) {
        await rm(join(config.BACKUP_FOLDER, file), { recursive: true })
      }
      for (const url of [urls.api, ...urls.workerMetrics]) {
        const ready = async () => (await fetch(`${url}/readyz`)).status
        await untilValue(`${url} is ready`, ready, (status) => status === 200)
      }
    },
  }
}

/**
 * Deletes closed runs as well: another file's restore would read them. A run may start another one meanwhile, and
 * Temporal's list may keep a run that is gone.
 */
async function deleteRuns({ workflow, workflowService, options: { namespace } }: Client): Promise<void> {
  const gone = new Set<string>()
  await until('all runs are deleted', async () => {
    let left = 0
    for await (const { workflowId, runId } of workflow.list()) {
      if (gone.has(runId)) continue
      left += 1
      await workflowService
        .deleteWorkflowExecution({ namespace, workflowExecution: { workflowId, runId } })
        .catch((error: unknown) => {
          if (!isNotFound(error)) throw error
          gone.add(runId)
        })
    }
    return left === 0
  })
}

async function tables(sql: Database): Promise<string[]> {
  const found = await sql<{ name: string }[]>`
    select relname as name from pg_class join pg_namespace n on n.oid = relnamespace
    where nspname = 'public' and relkind in ('r', 'p') and not relispartition and not relname = any (${kept})`
  return found.map(({ name }) => name)
}
