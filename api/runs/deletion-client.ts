/** What the API asks of account deletions. */
import { setTimeout as pause } from 'node:timers/promises'
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import type { ApiContext } from '../../context.ts'
import { findDeletion } from '../../db/erasure/deletions.ts'
import type { DeletionReason } from '../../policy/deletion.ts'
import {
  accountDeletionType,
  type DeletionInput,
  deletionStart,
  erased,
  erasedUpdateId,
} from '../../workflows/account-deletion.contract.ts'
import { Problem } from '../http/problem.ts'
import { startAndUpdate } from './workflow-problems.ts'

const ended = { code: 'request_in_progress', detail: 'The deletion has just ended.' } as const
/** a run whose answer is known takes one more step to end */
const endsWithinMs = 200

export function createDeletionClient({ temporal, config, cipher, dataKeys, sql }: ApiContext) {
  return {
    /**
     * Deletes an account, or finds that it was deleted: however often it is asked, the receipt is the same.
     * @returns the receipt's id, once the erasure is committed
     * @throws Problem not_found, or request_in_progress while the database is away
     */
    async deleteAccount(accountId: string, reason: DeletionReason): Promise<string> {
      const input: DeletionInput = { accountRef: cipher.accountRef(accountId), reason }
      const before = await findDeletion(sql, input.accountRef)
      const receiptId = before?.receiptId ?? (await erase(input))
      dataKeys.forget(accountId)
      return receiptId
    },

    /** Starts it and does not wait: for those who only report that an account is gone elsewhere. */
    async startDeletion(accountId: string, reason: DeletionReason): Promise<void> {
      const input: DeletionInput = { accountRef: cipher.accountRef(accountId), reason }
      try {
        await temporal.workflow.start(accountDeletionType, deletionStart(input, config.TEMPORAL_TASK_QUEUE))
      } catch (error) {
        if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
      }
    },
  }

  async function erase(input: DeletionInput, tries = 5): Promise<string> {
    const start = { type: accountDeletionType, ...deletionStart(input, config.TEMPORAL_TASK_QUEUE) }
    try {
      const answer = await startAndUpdate(temporal, erased, start, ended, erasedUpdateId)
      // Undefined: closed between our look into the database and this call.
      const receiptId = answer?.receiptId ?? (await findDeletion(sql, input.accountRef))?.receiptId
      if (receiptId === undefined) throw new Problem('not_found')
      return receiptId
    } catch (error) {
      const code = error instanceof Problem ? error.code : undefined
      if (code === 'account_missing') throw new Problem('not_found')
      // A deletion for disuse that found somebody using the account, as this request shows: it has ended, or is about to.
      if (code === 'account_in_use' && tries > 1) {
        await pause(endsWithinMs)
        return erase(input, tries - 1)
      }
      throw error
    }
  }
}
