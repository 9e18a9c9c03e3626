/** What operators see of the backups (R3), and how they ask for one or try one. */
import { z } from 'zod'
import type { ApiContext } from '../../../context.ts'
import { type Backup, findBackup, listBackups } from '../../../db/backup/backups.ts'
import {
  backupType,
  backupWorkflowId,
  type RestoreDrillInput,
  restoreDrillType,
  restoreDrillWorkflowId,
} from '../../../workflows/backup/backup.contract.ts'
import { Problem } from '../../http/problem.ts'
import { defineRoute, type Route } from '../../http/route.ts'

const time = z.iso.datetime().nullable()
const count = z.int().nonnegative()
const backup = z
  .object({
    id: z.string(),
    state: z.enum(['running', 'kept', 'failed', 'pruned']),
    startedAt: z.iso.datetime(),
    finishedAt: time,
    bytes: count.nullable(),
    code: z.string().nullable().describe('why it failed; pg_dump_missing: install the PostgreSQL client programs'),
    prunedAt: time,
    drilledAt: time,
    drill: z
      .object({
        accounts: count.describe('in the restored backup'),
        cameBack: count.describe('erased since it was made, and back by the restore'),
        readable: count.describe('of those: with a data key'),
        erasedAgain: count.describe('by replaying the ledger'),
        left: count.describe('of those that had come back: 0, or the promise is broken'),
        erasedTwice: count.describe('by replaying it once more: 0'),
        seconds: z.number(),
      })
      .nullable(),
  })
  .meta({ id: 'Backup' })
const backups = z.object({ items: z.array(backup) }).meta({ id: 'Backups' })
const started = z.object({ workflowId: z.string() }).meta({ id: 'StartedRun' })

const shownAtMost = 100

export function backupRoutes(api: ApiContext): Route[] {
  const { sql, config, temporal } = api

  /** Joins a run that somebody else has asked for. */
  async function start(workflowType: string, workflowId: string, args: [RestoreDrillInput] | []): Promise<void> {
    await temporal.workflow.start(workflowType, {
      workflowId,
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      args,
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: 'Asked for by an operator',
    })
  }

  return [
    defineRoute({
      method: 'get',
      path: '/v1/backups',
      tag: 'backups',
      summary: 'The backups there are, and what became of earlier ones',
      promises: ['R3'],
      callers: ['operator'],
      responses: { 200: { description: 'The youngest first', schema: backups } },
      async handle() {
        return { status: 200, body: { items: (await listBackups(sql, shownAtMost)).map(view) } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/backups',
      tag: 'backups',
      summary: 'Make a backup now',
      description: 'Happens every night by itself.',
      promises: ['R3'],
      callers: ['operator'],
      responses: { 202: { description: 'It is being made', schema: started } },
      async handle() {
        await start(backupType, backupWorkflowId, [])
        return { status: 202, body: { workflowId: backupWorkflowId } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/backups/{id}/drill',
      tag: 'backups',
      summary:
        'Restore a backup into a database of its own, show who comes back, and that the ledger erases them again',
      description: 'The outcome stands with the backup. One drill runs at a time.',
      promises: ['R3'],
      callers: ['operator'],
      params: z.strictObject({ id: z.string().max(40) }),
      responses: { 202: { description: 'It is under way', schema: started } },
      problems: ['not_found', 'backup_unreadable'],
      async handle({ params: { id } }) {
        const found = await findBackup(sql, id)
        if (!found) throw new Problem('not_found')
        if (found.state !== 'kept') throw new Problem('backup_unreadable')
        await start(restoreDrillType, restoreDrillWorkflowId, [{ backupId: id }])
        return { status: 202, body: { workflowId: restoreDrillWorkflowId } }
      },
    }),
  ]
}

function view({ startedAt, finishedAt, prunedAt, drilledAt, ...rest }: Backup) {
  return {
    ...rest,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt?.toISOString() ?? null,
    prunedAt: prunedAt?.toISOString() ?? null,
    drilledAt: drilledAt?.toISOString() ?? null,
  }
}
