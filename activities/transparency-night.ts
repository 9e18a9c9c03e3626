/** Activities of the transparency log's nightly run. */
import type { WorkerContext } from '../context.ts'
import { openBackupFolder } from '../db/backup/backup-folder.ts'
import { copyLedger, readLedgerCopy } from '../db/erasure/ledger-copy.ts'
import { raiseOperatorTask } from '../db/operator-tasks.ts'
import { rememberSigningKeys } from '../db/transparency/signing-keys.ts'
import { evidenceStatement } from '../db/transparency/statements.ts'
import {
  appendDeletions,
  appendPublicStatements,
  importLog,
  LogForked,
  publishUntil,
} from '../db/transparency/transparency-log.ts'
import { failure } from '../shared/failures.ts'
import { backupIdOf } from '../workflows/backup/backup.contract.ts'
import type { TransparencyNightActivities } from '../workflows/transparency/transparency-night.contract.ts'

/** Reads all figures, in the form of GET /v1/promises. */
export type ReadEvidence = (asOf: Date) => Promise<object>

/** @param readEvidence the API's, which the worker hands in */
export function createTransparencyNightActivities(
  context: WorkerContext,
  readEvidence: ReadEvidence,
): TransparencyNightActivities {
  const { sql, config, cipher, signer } = context
  const folder = openBackupFolder(config.BACKUP_FOLDER, config.BACKUP_KEYS)

  return {
    async appendToLog({ asOf }) {
      const at = new Date(asOf)
      await goOnFromCopy(at)
      await rememberSigningKeys(sql, signer.publicKeys, at)
      const deletions = await appendDeletions(sql, cipher, at)
      const evidence = evidenceStatement(await readEvidence(at))
      return { appended: deletions + (await appendPublicStatements(sql, signer.publicKeys, [evidence], at)) }
    },

    async publishLog() {
      // The copy's own time: of two copies the newer one stays.
      const { log } = await copyLedger(sql, folder, backupIdOf(new Date()))
      const last = log.at(-1)
      const head = { seq: last?.seq ?? 0, hash: last?.hash ?? '' }
      await publishUntil(sql, head.seq)
      return head
    },
  }

  /** A database that was restored by other means than ours lacks entries that everybody has seen: the copy has them. */
  async function goOnFromCopy(at: Date): Promise<void> {
    const copied = await readLedgerCopy(folder)
    try {
      await importLog(sql, copied.log)
    } catch (error) {
      if (!(error instanceof LogForked)) throw error
      await raiseOperatorTask(sql, { kind: 'transparency_log_forked', subjectId: 'log', detail: error.message, at })
      throw failure('TransparencyLogForked')
    }
  }
}
