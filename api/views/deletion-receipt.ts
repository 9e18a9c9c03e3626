/** The receipt of a deletion. Anyone with its random id can read it, so it says nothing about the person. */
import { z } from 'zod'
import type { Context } from '../../context.ts'
import { findReceipt } from '../../db/erasure/deletions.ts'
import { deletionReasons, erasureSteps, stepStates } from '../../policy/deletion.ts'
import { Problem } from '../http/problem.ts'

const time = z
  .date()
  .transform((date) => date.toISOString())
  .pipe(z.iso.datetime())

export const deletionReceipt = z
  .object({
    receiptId: z.uuid(),
    reason: z.enum(deletionReasons),
    erasedAt: time.describe('since when our database holds nothing of the person'),
    backupsGoneBy: time.describe('when the last backup from before is deleted'),
    completedAt: z.nullable(time).describe('when every erasure step was done'),
    processors: z.array(
      z.object({
        processor: z.enum(erasureSteps),
        state: z
          .enum(stepStates)
          .describe(
            '`by_hand`: only you can do it, see `instruction`; `nothing_held`: the sub-processor held nothing of you',
          ),
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
  const receipt = await findReceipt(sql, receiptId)
  if (!receipt) throw new Problem('not_found')
  const { steps, ...rest } = receipt
  return {
    ...rest,
    processors: steps.map((step) => ({
      ...step,
      instruction: step.processor === 'apple' && step.state === 'by_hand' ? removeAppleByHand : null,
    })),
  }
}
