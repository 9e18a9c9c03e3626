/** Sends the last mail to an erased person, and deletes the address from the seal. */
import type { Context } from '../../context.ts'
import { findReceipt, findStep } from '../../db/erasure/deletions.ts'
import { renderAccountDeleted } from '../../mails/account-deleted.tsx'
import { defaultLanguage } from '../../messages/languages.ts'
import { type Texts, textsOf } from '../../messages/texts.ts'
import { periods } from '../../policy/periods.ts'
import { failure } from '../../shared/failures.ts'
import type { DeletionActivities } from '../../workflows/account-deletion.contract.ts'
import { sinceScheduledMs } from '../failures.ts'
import { sendMail } from '../sending/send-mail.ts'
import { withSecret } from './step.ts'

type Activities = Pick<DeletionActivities, 'sendFarewell'>

export function createLastMailActivities(context: Context): Activities {
  const { sql, config } = context

  return {
    async sendFarewell(step) {
      return withSecret(context, { ...step, processor: 'mail', part: 'address' }, async ({ email, language }) => {
        const outcome = await sendMail(context, {
          send: { subjectId: step.receiptId, kind: 'mail:account-deleted', accountId: null },
          at: new Date(step.asOf),
          compose: async () => ({
            to: email,
            mail: await render(step.receiptId, textsOf(language ?? defaultLanguage)),
          }),
        }).catch((error: unknown) => {
          // The erased person's address must not be kept because a mail server refuses us.
          if (sinceScheduledMs() < periods.deletion.lastMailTriedForMs) throw error
          return 'failed' as const
        })
        return { state: 'done', ...(outcome === 'failed' && { code: 'not_accepted' }) }
      })
    },
  }

  async function render(receiptId: string, texts: Texts) {
    const receipt = await findReceipt(sql, receiptId)
    const apple = await findStep(sql, receiptId, 'apple')
    if (!receipt) throw failure('ErasureIncomplete', { code: 'receipt_missing' })
    return renderAccountDeleted({
      site: { publicUrl: config.PUBLIC_URL, supportMail: config.SUPPORT_MAIL },
      texts,
      cause: receipt.reason,
      deletedOn: receipt.erasedAt,
      receiptId,
      receiptUrl: `${config.PUBLIC_URL}/receipts/${receiptId}`,
      backupsGoneBy: receipt.backupsGoneBy,
      removeAppleByHand: apple?.state === 'by_hand',
    })
  }
}
