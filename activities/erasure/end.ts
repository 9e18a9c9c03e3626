/** Last activities of a deletion: backups that have expired, operator tasks, and the completed receipt. */
import type { Context } from '../../context.ts'
import { isHeldByBackup } from '../../db/backup/backup-holds.ts'
import { appendBackupsGone } from '../../db/erasure/deletion-ledger.ts'
import { findReceipt, recordStep } from '../../db/erasure/deletions.ts'
import { finishDeletion } from '../../db/erasure/finishing.ts'
import { operatorTaskOf } from '../../db/erasure/step-tasks.ts'
import { raiseOperatorTask } from '../../db/operator-tasks.ts'
import { milliseconds } from '../../policy/periods.ts'
import { failure } from '../../shared/failures.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { recordedAt } from '../failures.ts'
import { leaveStepToOperator } from './step.ts'

type Activities = Pick<DeletionActivities, 'noteBackupsGone' | 'raiseOverdue' | 'leaveToOperator' | 'completeDeletion'>

/** backups are pruned once a day */
const nextPruneMs = milliseconds.day

export function createDeletionEndActivities(context: Context): Activities {
  const { sql } = context

  return {
    async noteBackupsGone({ receiptId, asOf }) {
      const receipt = await findReceipt(sql, receiptId)
      if (receipt && (await isHeldByBackup(sql, receipt.erasedAt)))
        throw failure('ErasureIncomplete', { code: 'backup_kept', nextRetryDelay: nextPruneMs })
      const at = recordedAt(asOf)
      await sql.begin(async (tx) => {
        await appendBackupsGone(tx, receiptId, at)
        await recordStep(tx, { receiptId, processor: 'backups', state: 'done', at })
      })
    },

    async raiseOverdue({ receiptId, asOf }) {
      const receipt = await findReceipt(sql, receiptId)
      const expectedLater = ['backups', 'stripe_redaction']
      for (const { processor, state } of receipt?.steps ?? []) {
        if (state !== 'pending' || expectedLater.includes(processor)) continue
        await raiseOperatorTask(sql, { ...operatorTaskOf(receiptId, processor), detail: 'overdue', at: new Date(asOf) })
      }
    },

    async leaveToOperator({ receiptId, processor, code, asOf }) {
      const outcome = await leaveStepToOperator(context, { receiptId, processor, code, at: new Date(asOf) })
      return { processor, ...outcome }
    },

    async completeDeletion({ receiptId, asOf }) {
      return { complete: await finishDeletion(context, receiptId, recordedAt(asOf)) }
    },
  }
}
