import type { Context } from '../context.ts'
import { type Account, findAccount, markMailBounced } from '../db/accounts.ts'
import type { RenderedMail } from '../mails/render.ts'
import { sendOnce } from './send-once.ts'

export interface AccountMail {
  subjectId: string
  /** `mail:<occasion>`; with the subject it names the message in the send ledger */
  kind: string
  accountId: string
  at: Date
  render(account: Account): RenderedMail | Promise<RenderedMail>
}

/**
 * Sends a transactional mail (P5) to an account's address, once. An address that refuses for good is marked, so that
 * the app can ask for another one.
 * @throws MailUnavailable
 */
export async function mailToAccount(context: Context, mail: AccountMail): Promise<void> {
  const { sql, cipher, config } = context
  const { subjectId, kind, accountId, at } = mail
  const send = { subjectId, kind, accountId }
  // What an order's customer was promised by mail must arrive: a copy under the same Message-ID is the lesser evil.
  const outcome = await sendOnce(context, send, { at, unavailable: 'MailUnavailable', unknown: 'repeat' }, async () => {
    const account = await findAccount(sql, context, accountId)
    if (!account) return 'skipped'
    const { subject, html, text, attachments } = await mail.render(account)
    const local = cipher.fingerprint('message-id', `${subjectId}\0${kind}`).subarray(0, 18).toString('hex')
    await context.mail.send({
      kind: 'transactional',
      to: account.email,
      subject,
      html,
      text,
      ...(attachments && { attachments }),
      messageId: `<${local}@${config.MAIL_BOUNCE_DOMAIN}>`,
    })
    return 'sent'
  })
  if (outcome === 'failed') await markMailBounced(sql, accountId)
}
