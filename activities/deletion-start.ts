import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client'
import type { WorkerContext } from '../context.ts'
import type { DeletionReason } from '../policy/deletion.ts'
import { accountDeletionType, deletionStart } from '../workflows/account-deletion.contract.ts'

/**
 * Starts the deletion of an account, for activities of other runs: what they start is nobody's child. Repeatable; who
 * was deleted already stays so.
 */
export async function startAccountDeletion(
  { temporal, config, cipher }: WorkerContext,
  deletion: { accountId: string; reason: DeletionReason },
): Promise<void> {
  const input = { accountRef: cipher.accountRef(deletion.accountId), reason: deletion.reason }
  try {
    await temporal.workflow.start(accountDeletionType, deletionStart(input, config.TEMPORAL_TASK_QUEUE))
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error
  }
}
