/** The receipt of a deletion. Anyone with its random id can read it, so it says nothing about the person. */
import { z } from 'zod'
import type { Context } from '../../context.ts'
import { findReceipt } from '../../db/erasure/deletions.ts'
import { type DeletionReason, erasureSteps, type StepState } from '../../policy/deletion.ts'
import { orNotFound } from '../http/problem.ts'
import { enumeration } from './enumeration.ts'

const time = z
  .date()
  .transform((date) => date.toISOString())
  .pipe(z.iso.datetime())

const deletionReason = enumeration<DeletionReason>('DeletionReason', 'Why an account was deleted', {
  requested: 'The person has asked for it',
  inactivity: 'It was unused for three years',
  sign_in_account_deleted: 'Apple has notified us that the Apple Account was deleted',
  child: 'The person is under 13',
})
const stepState = enumeration<StepState>('ErasureStepState', 'How far the erasure at one holder of data is', {
  pending: 'Not done yet; it is tried again',
  done: 'Erased',
  nothing_held: 'The sub-processor held nothing of you',
  by_hand: 'Only you can do it, see `instruction`',
  not_enabled: 'Our account at the sub-processor lacks the function',
  needs_operator: 'One of us has to do it',
})

export const deletionReceipt = z
  .object({
    receiptId: z.uuid(),
    reason: deletionReason.schema,
    erasedAt: time.describe('since when our database holds nothing of the person'),
    backupsGoneBy: time.describe('when the last backup from before is deleted'),
    completedAt: z.nullable(time).describe('when every erasure step was done'),
    processors: z.array(
      z.object({
        processor: z.enum(erasureSteps),
        state: stepState.schema,
        code: z.string().nullable().describe('the reason for the state, machine-readable'),
        changedAt: time,
        instruction: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'DeletionReceipt' })

/** Source: https://support.apple.com/102571 */
const removeAppleByHand =
  'On your iPhone or iPad open Settings, tap your name, then Sign in with Apple, choose AMA eSIM and tap Stop Using. On the web: account.apple.com, Sign-In and Security, Sign in with Apple.'

/** Reads the receipt of a deletion. @throws Problem not_found */
export async function viewReceipt({ sql }: Context, receiptId: string): Promise<z.input<typeof deletionReceipt>> {
  const receipt = orNotFound(await findReceipt(sql, receiptId))
  const { steps, ...rest } = receipt
  return {
    ...rest,
    processors: steps.map((step) => ({
      ...step,
      instruction: step.processor === 'apple' && step.state === 'by_hand' ? removeAppleByHand : null,
    })),
  }
}
