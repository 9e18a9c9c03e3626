import type { Context } from '../../context.ts'
import type { Send } from '../../db/sends.ts'
import type { RenderedMail } from '../../mails/render.ts'
import { sendOnce } from './send-once.ts'

export interface OneMail {
  /** names the message in the send ledger */
  send: Send
  at: Date
  /** returns null when the recipient is gone */
  compose(): Promise<{ to: string; mail: RenderedMail } | null>
}

/**
 * Sends a transactional mail once. After an unknown outcome it is sent again under the same Message-ID, because a
 * duplicate is better than a mail that never arrives.
 * @returns `failed` when the address refuses for good
 * @throws MailUnavailable
 */
export async function mailOnce(
  context: Context,
  { send, at, compose }: OneMail,
): Promise<'sent' | 'skipped' | 'failed' | 'done'> {
  return sendOnce(context, send, { at, unavailable: 'MailUnavailable', unknown: 'repeat' }, async () => {
    const composed = await compose()
    if (!composed) return 'skipped'
    const { subject, html, text, attachments } = composed.mail
    await context.mail.send({
      kind: 'transactional',
      to: composed.to,
      subject,
      html,
      text,
      ...(attachments && { attachments }),
      messageId: messageIdOf(context, send),
    })
    return 'sent'
  })
}

/** The Message-ID: the same for every attempt, and without personal data. */
export function messageIdOf(
  { cipher, config }: Pick<Context, 'cipher' | 'config'>,
  { subjectId, kind }: Pick<Send, 'subjectId' | 'kind'>,
): string {
  const local = cipher.fingerprint('message-id', `${subjectId}\0${kind}`).subarray(0, 18).toString('hex')
  return `<${local}@${config.MAIL_BOUNCE_DOMAIN}>`
}
