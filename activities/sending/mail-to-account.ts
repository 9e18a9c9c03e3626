import type { Context } from '../../context.ts'
import { type Account, findAccount, markMailBounced } from '../../db/accounts.ts'
import type { RenderedMail } from '../../mails/render.ts'
import { mailOnce } from './mail-once.ts'

export interface AccountMail {
  subjectId: string
  /** `mail:<occasion>`; with the subject it names the message in the send ledger */
  kind: string
  accountId: string
  at: Date
  render(account: Account): RenderedMail | Promise<RenderedMail>
}

/**
 * Sends a transactional mail to an account's address, once. Marks an address that refuses for good, so that the app can
 * ask for another one.
 * @throws MailUnavailable
 */
export async function mailToAccount(context: Context, mail: AccountMail): Promise<void> {
  const { subjectId, kind, accountId, at } = mail
  const outcome = await mailOnce(context, {
    send: { subjectId, kind, accountId },
    at,
    async compose() {
      const account = await findAccount(context.sql, context, accountId)
      return account ? { to: account.email, mail: await mail.render(account) } : null
    },
  })
  if (outcome === 'failed') await markMailBounced(context.sql, accountId)
}
