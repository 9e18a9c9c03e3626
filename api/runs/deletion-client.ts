/** Starts account deletions. */
import { setTimeout as pause } from 'node:timers/promises'
import type { ApiContext } from '../../context.ts'
import { findAccountOrReceipt, findDeletion } from '../../db/erasure/deletions.ts'
import type { DeletionReason, ErasureStep } from '../../policy/deletion.ts'
import { signalWithStart, startOrJoin } from '../../temporal/runs.ts'
import {
  accountDeletionType,
  type DeletionInput,
  deletionStart,
  erased,
  erasedUpdateId,
  tryAgain,
} from '../../workflows/account-deletion.contract.ts'
import { Problem } from '../http/problem.ts'
import { startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'request_in_progress', detail: 'The deletion has just ended.' } as const
/** A run that has refused needs one more workflow task to close. */
const endsWithinMs = 200

/** Starts deletions, and has steps of them tried again. */
export function createDeletionClient({ temporal, config, cipher, dataKeys, sql }: ApiContext) {
  return {
    /**
     * Erases an account and starts its erasure steps, or finds the earlier deletion. A repeated call returns the same
     * receipt.
     * @returns the receipt's id, once the erasure is committed
     * @throws Problem not_found; request_in_progress while the database cannot be reached
     */
    async deleteAccount(accountId: string, reason: DeletionReason): Promise<string> {
      const input: DeletionInput = { accountRef: cipher.accountRef(accountId), reason }
      const before = await findAccountOrReceipt(sql, { accountId, accountRef: input.accountRef })
      // Without this check any made-up id would start a run.
      if (!before.exists && before.receiptId === null) throw new Problem('not_found')
      const receiptId = before.receiptId ?? (await erase(input))
      dataKeys.evict(accountId)
      return receiptId
    },

    /**
     * Starts a deletion without waiting for the erasure, for a webhook: its sender waits only a few seconds. One that is
     * under way is waited for: a deletion for inactivity stops when the person has come back.
     */
    async startDeletion(accountId: string, reason: DeletionReason): Promise<void> {
      const input: DeletionInput = { accountRef: cipher.accountRef(accountId), reason }
      const start = { type: accountDeletionType, ...deletionStart(input, config.TEMPORAL_TASK_QUEUE) }
      if ((await startOrJoin(temporal, start)).joined) await erase(input)
    },

    /** Lets a deletion carry out a step again. Its run may have ended: then another one does what is pending. */
    async tryAgain(input: DeletionInput, processor: ErasureStep): Promise<void> {
      const start = deletionStart(input, config.TEMPORAL_TASK_QUEUE)
      const again = { type: accountDeletionType, ...start, workflowIdReusePolicy: 'ALLOW_DUPLICATE' } as const
      await signalWithStart(temporal, again, tryAgain, { processor })
    },
  }

  async function erase(input: DeletionInput, tries = 5): Promise<string> {
    const start = { type: accountDeletionType, ...deletionStart(input, config.TEMPORAL_TASK_QUEUE) }
    try {
      const answer = await startAndUpdate(temporal, erased, start, ended, erasedUpdateId)
      // The answer is undefined when the run closed after `deleteAccount` had looked for the deletion.
      const receiptId = answer?.receiptId ?? (await findDeletion(sql, input.accountRef))?.receiptId
      if (receiptId === undefined) throw new Problem('not_found')
      return receiptId
    } catch (error) {
      const code = error instanceof Problem ? error.code : undefined
      if (code === 'account_missing') throw new Problem('not_found')
      // The run was a deletion for inactivity that stopped because the person came back: another can start once it
      // closes.
      if (code === 'account_in_use' && tries > 1) {
        await pause(endsWithinMs)
        return erase(input, tries - 1)
      }
      throw error
    }
  }
}
