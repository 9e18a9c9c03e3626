/** R3: backups are kept for at most 30 days. Activities that make, prune and drill backups. */
import { randomBytes } from 'node:crypto'
import { cancellationSignal, heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../context.ts'
import { UnreadableBackup } from '../db/backup/backup-cipher.ts'
import { openBackupFolder } from '../db/backup/backup-folder.ts'
import { recordStore } from '../db/backup/backup-store.ts'
import { failBackup, finishBackup, reconcileBackups, recordDrill, startBackup } from '../db/backup/backups.ts'
import { exportKeys } from '../db/backup/key-snapshot.ts'
import { dumpDatabase, findPgTools, PgToolFailed, PgToolsMissing } from '../db/backup/pg-tools.ts'
import {
  databaseUrl,
  fillFromBackup,
  NothingToRestore,
  serverMajor,
  tablesWithoutData,
  whoCameBack,
  withDatabase,
} from '../db/backup/restore.ts'
import { replayLedger } from '../db/erasure/deletion-ledger.ts'
import { exportErasures } from '../db/erasure/erasures.ts'
import { copyLedger } from '../db/erasure/ledger-copy.ts'
import { raiseOperatorTask, resolveOperatorTask } from '../db/operator-tasks.ts'
import { milliseconds, periods } from '../policy/periods.ts'
import { plusDays, plusMs } from '../shared/calendar.ts'
import { failure } from '../shared/failures.ts'
import { type BackupActivities, backupIdOf, type DrillResult } from '../workflows/backup/backup.contract.ts'

const heartbeatMs = 10_000
/** longer than any attempt may take, so what is unfinished after this was abandoned */
const abandonedAfterMs = milliseconds.day
const task = 'backup_failed'

export function createBackupActivities(context: WorkerContext): BackupActivities {
  const { sql, config, log } = context
  const folder = openBackupFolder(config.BACKUP_FOLDER, config.BACKUP_KEYS)

  return {
    async makeBackup({ id, asOf }) {
      const at = new Date(asOf)
      const startedAt = performance.now()
      await startBackup(sql, { id, at, keyId: config.BACKUP_KEYS.activeId })
      const bytes = await withBackupFailures(async () => {
        const signal = cancellationSignal()
        const tools = await findPgTools(await serverMajor(sql), config.PG_TOOLS_FOLDER)
        const options = { withoutData: tablesWithoutData, signal }
        const length = await dumpDatabase(tools, config.DATABASE_URL, options, (dump) =>
          folder.write('dump', id, dump, { signal }),
        )
        // The keys are exported after the dump, so that a person who is erased during the dump has no key in the
        // backup.
        await folder.write('keys', id, await exportKeys(sql), { signal })
        await recordStore(sql, await folder.list('dump'), at)
        for (const older of await folder.list('keys')) if (older.id !== id) await folder.delete('keys', older.id)
        // By the copy's own time, as each night's copy: of two the newer one stays.
        await copyLedger(sql, folder, backupIdOf(new Date()))
        return length
      })
      await finishBackup(sql, { id, bytes, at: plusMs(at, performance.now() - startedAt) })
      await resolveOperatorTask(sql, { kind: task, subjectId: 'daily', by: id, at })
      return { bytes }
    },

    async noteBackupFailure({ id, code, asOf }) {
      const at = new Date(asOf)
      await failBackup(sql, { id, code, at })
      await raiseOperatorTask(sql, { kind: task, subjectId: 'daily', detail: code, at })
    },

    async pruneBackups({ asOf }) {
      const at = new Date(asOf)
      // The next run is a day away, so backups that would be too old by then are deleted now.
      const oldest = plusDays(at, 1 - periods.backups.keepDays)
      const old = (await folder.list('dump')).filter((file) => file.at <= oldest)
      for (const { id } of old) await folder.delete('dump', id)
      await folder.deleteUnfinished(plusMs(new Date(), -abandonedAfterMs))
      const runningSince = plusMs(at, -abandonedAfterMs)
      const kept = await folder.list('dump')
      await recordStore(sql, kept, at)
      await reconcileBackups(sql, kept, { at, runningSince })
      return { pruned: old.length }
    },

    async drillRestore({ backupId, asOf }) {
      const id = backupId ?? (await folder.list('dump')).at(-1)?.id
      if (id === undefined) throw failure('BackupFailed', { code: 'no_backup' })
      const report = await withBackupFailures(() => drill(id))
      const { backupId: _id, ...shown } = report
      await recordDrill(sql, id, shown, new Date(asOf))
      return report
    },
  }

  async function drill(backupId: string): Promise<DrillResult> {
    const started = performance.now()
    const name = `restore_drill_${randomBytes(6).toString('hex')}`
    const url = databaseUrl(config.DATABASE_URL, name)
    await sql`create database ${sql(name)}`
    try {
      await fillFromBackup(url, {
        folder,
        toolsFolder: config.PG_TOOLS_FOLDER,
        backupId,
        erasures: [await exportErasures(sql)],
      })
      return await withDatabase(url, async (restored) => {
        const before = await whoCameBack(restored)
        const { erased: erasedAgain } = await replayLedger(restored, context.cipher, new Date())
        const { cameBack: left } = await whoCameBack(restored)
        const { erased: erasedTwice } = await replayLedger(restored, context.cipher, new Date())
        const seconds = Math.round((performance.now() - started) / 100) / 10
        return { backupId, ...before, erasedAgain, left, erasedTwice, seconds }
      })
    } finally {
      await sql`drop database if exists ${sql(name)} with (force)`
    }
  }

  /** Heartbeats, and throws errors as failure types. The output of the programs goes to the log only. */
  async function withBackupFailures<Result>(work: () => Promise<Result>): Promise<Result> {
    const beat = setInterval(() => heartbeat(), heartbeatMs)
    try {
      return await work()
    } catch (error) {
      if (error instanceof PgToolsMissing) throw failure('BackupToolMissing', { code: error.code })
      if (error instanceof UnreadableBackup) throw failure('BackupUnreadable', { code: error.code })
      if (error instanceof NothingToRestore) throw failure('BackupUnreadable', { code: 'not_there' })
      if (!(error instanceof PgToolFailed)) throw error
      log.error({ code: error.code, said: firstErrorLine(error.detail) }, 'a backup program failed')
      throw failure('BackupFailed', { code: error.code })
    } finally {
      clearInterval(beat)
    }
  }
}

/** The first line with an error; the lines after it may quote rows. */
const firstErrorLine = (output: string): string =>
  (output.split('\n').find((line) => line.includes('error:')) ?? '').slice(0, 200)
