/** R3, no backup is older than 30 days: operators list backups, make one and test one by a restore drill. */
import { z } from 'zod'
import type { ApiContext } from '../../../../context.ts'
import { type Backup, findBackup, listBackups } from '../../../../db/backup/backups.ts'
import { isoOrNull } from '../../../../shared/calendar.ts'
import {
  backupType,
  backupWorkflowId,
  type RestoreDrillInput,
  restoreDrillType,
  restoreDrillWorkflowId,
} from '../../../../workflows/backup/backup.contract.ts'
import { actAndRecord, entryOn } from '../../../acts/recorded-acts.ts'
import { orNotFound, Problem } from '../../../http/problem.ts'
import { defineRoute, type Route } from '../../../http/route.ts'
import { enumeration } from '../../../views/enumeration.ts'
import { actReason } from '../../../views/operator-words.ts'
import { startAsked, startedRun } from '../../../views/started-run.ts'

const time = z.iso.datetime().nullable()
const count = z.int().nonnegative()
const backupState = enumeration('BackupState', 'What became of a backup', {
  running: 'It is being made',
  kept: 'It can be restored',
  failed: 'It was not made; `code` says why',
  pruned: 'Deleted, since it had reached its age',
})
const backup = z
  .object({
    id: z.string(),
    state: backupState.schema,
    startedAt: z.iso.datetime(),
    finishedAt: time,
    bytes: count.nullable(),
    code: z
      .string()
      .nullable()
      .describe(
        'why it failed; `pg_dump_missing`: the PostgreSQL client programs are not installed; `missing`: it should be in ' +
          'the backup folder, and is not',
      ),
    prunedAt: time,
    drilledAt: time,
    drill: z
      .object({
        accounts: count.describe('in the restored backup'),
        cameBack: count.describe('accounts erased since the backup, which the restore brought back'),
        readable: count.describe('those of them that still have a data key'),
        erasedAgain: count.describe('accounts that the replay of the deletion ledger erased again'),
        left: count.describe('accounts that came back and were not erased again: must be 0'),
        erasedTwice: count.describe('accounts that a second replay erased: must be 0'),
        seconds: z.number(),
      })
      .nullable(),
  })
  .meta({ id: 'Backup' })
const backups = z.object({ items: z.array(backup) }).meta({ id: 'Backups' })

const shownAtMost = 100

export function backupRoutes(api: ApiContext): Route[] {
  const { sql, config, temporal } = api

  const start = (workflowType: string, workflowId: string, args: [RestoreDrillInput] | []) =>
    startAsked(temporal, {
      type: workflowType,
      workflowId,
      taskQueue: config.TEMPORAL_TASK_QUEUE,
      args,
      staticSummary: 'Asked for by an operator',
    })

  return [
    defineRoute({
      method: 'get',
      path: '/v1/backups',
      tag: 'backups',
      summary: 'List backups, the pruned and failed ones too',
      promises: ['R3'],
      callers: ['operator'],
      responses: { 200: { description: 'The backups, the newest first', schema: backups } },
      async handle() {
        return { status: 200, body: { items: (await listBackups(sql, shownAtMost)).map(view) } }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/backups',
      tag: 'backups',
      summary: 'Make a backup now',
      description:
        'A backup is also made every night. One is made at a time: with `joined: true` ask again when it has ended, unless ' +
        'a backup of `startedAt` is new enough.',
      promises: ['R3'],
      callers: ['operator'],
      body: actReason.optional(),
      responses: { 202: { description: 'The backup is being made', schema: startedRun } },
      async handle({ body, caller }) {
        const made = await actAndRecord(api, caller, undefined, entryOn('make-backup', null, body), () =>
          start(backupType, backupWorkflowId, []),
        )
        return { status: 202, body: made }
      },
    }),
    defineRoute({
      method: 'post',
      path: '/v1/backups/{id}/drill',
      tag: 'backups',
      summary: 'Test a backup: restore it into a separate database and replay the deletion ledger there',
      description:
        'The result is in the field `drill` of the backup. One drill runs at a time: with `joined: true` it may be that of ' +
        'another backup.',
      promises: ['R3'],
      callers: ['operator'],
      params: z.strictObject({ id: z.string().max(40) }),
      body: actReason.optional(),
      responses: { 202: { description: 'The drill is running', schema: startedRun } },
      problems: ['not_found', 'backup_unreadable'],
      async handle({ params: { id }, body, caller }) {
        const found = orNotFound(await findBackup(sql, id))
        if (found.state !== 'kept') throw new Problem('backup_unreadable')
        const drill = await actAndRecord(api, caller, undefined, entryOn('drill-backup', id, body), () =>
          start(restoreDrillType, restoreDrillWorkflowId, [{ backupId: id }]),
        )
        return { status: 202, body: drill }
      },
    }),
  ]
}

function view({ startedAt, finishedAt, prunedAt, drilledAt, ...rest }: Backup) {
  return {
    ...rest,
    startedAt: startedAt.toISOString(),
    finishedAt: isoOrNull(finishedAt),
    prunedAt: isoOrNull(prunedAt),
    drilledAt: isoOrNull(drilledAt),
  }
}
