/** R3: backups are kept for at most 30 days. Activities that make, prune and drill backups. */
import { cancellationSignal, heartbeat } from '@temporalio/activity'
import type { WorkerContext } from '../context.ts'
import { UnreadableBackup } from '../db/backup/backup-cipher.ts'
import { openBackupFolder } from '../db/backup/backup-folder.ts'
import { recordStore } from '../db/backup/backup-store.ts'
import {
  failBackup,
  finishBackup,
  prunedUntil,
  reconcileBackups,
  recordDrill,
  startBackup,
} from '../db/backup/backups.ts'
import { drillDatabase, dropAbandonedDrills } from '../db/backup/drill-databases.ts'
import { exportKeys, replaceKeys } from '../db/backup/key-snapshot.ts'
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
import { raiseOperatorTask, raiseUnlessSettled, resolveOperatorTask } from '../db/operator-tasks.ts'
import { milliseconds } from '../policy/periods.ts'
import { plusMs } from '../shared/calendar.ts'
import { failure } from '../shared/failures.ts'
import { textPropertyOf } from '../shared/keys-of.ts'
import { type BackupActivities, backupIdOf, type DrillResult } from '../workflows/backup/backup.contract.ts'

const heartbeatMs = 10_000
/** longer than any attempt may take, so what is unfinished after this was abandoned */
const abandonedAfterMs = milliseconds.day
const task = 'backup_failed'
const lostTask = 'backup_lost'

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
        // The dump is a backup once it has its name. A disk that is full by then leaves none without the rest.
        const beforeNamed = () => writeBesideDump(id, signal)
        const length = await dumpDatabase(tools, config.DATABASE_URL, options, (dump) =>
          folder.write('dump', id, dump, { signal, beforeNamed }),
        )
        await recordStore(sql, await folder.list('dump'), at)
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
      const old = (await folder.list('dump')).filter((file) => file.at <= prunedUntil(at))
      for (const { id } of old) await folder.delete('dump', id)
      const abandoned = plusMs(new Date(), -abandonedAfterMs)
      await folder.deleteUnfinished(abandoned)
      await dropAbandonedDrills(sql, abandoned)
      const runningSince = plusMs(at, -abandonedAfterMs)
      const kept = await folder.list('dump')
      await recordStore(sql, kept, at)
      const missing = await reconcileBackups(sql, kept, { at, runningSince, prunedUntil: prunedUntil(at) })
      await reportLost(missing, at)
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

  /** What a dump needs to be restored, and what it lacks by then. */
  async function writeBesideDump(id: string, signal: AbortSignal): Promise<void> {
    // The keys are exported after the dump, so that a person who is erased during the dump has no key in the backup.
    await replaceKeys(folder, id, { exportRows: () => exportKeys(sql), signal })
    // By the copy's own time, as each night's copy: of two the newer one stays.
    await copyLedger(sql, folder, backupIdOf(new Date()))
  }

  /** @param missing how many backups of the catalogue are not in the folder */
  async function reportLost(missing: number, at: Date): Promise<void> {
    const unreadable = await folder.unreadable(await folder.listAll())
    const found = { 'not in the folder': missing, 'of no key of BACKUP_KEYS': unreadable.length }
    const parts = Object.entries(found).filter(([, count]) => count > 0)
    const about = { kind: lostTask, subjectId: 'folder' }
    if (parts.length === 0) return resolveOperatorTask(sql, { ...about, by: 'backup', at })
    const detail = parts.map(([what, count]) => `${count} ${what}`).join(', ')
    // An operator who has closed it knows of these.
    await raiseUnlessSettled(sql, { ...about, detail, at })
  }

  async function drill(backupId: string): Promise<DrillResult> {
    const started = performance.now()
    const name = drillDatabase(new Date())
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
      const code = codeOf(error)
      if (code === undefined) throw error
      const said = error instanceof PgToolFailed ? { said: error.said } : { error }
      log.error({ code, ...said }, 'a backup or its drill failed')
      throw failure('BackupFailed', { code })
    } finally {
      clearInterval(beat)
    }
  }
}

/** That of PostgreSQL or the file system, such as `enospc`; undefined for a cancellation and for faults of ours. */
function codeOf(error: unknown): string | undefined {
  const isCancellation = error instanceof Error && error.name === 'AbortError'
  return isCancellation ? undefined : textPropertyOf(error, 'code')?.toLowerCase()
}
