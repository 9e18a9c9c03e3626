import type { Context } from '../../context.ts'
import type { Send } from '../../db/sends.ts'
import type { RenderedMail } from '../../mails/render.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import { raiseProviderTask } from '../provider-task.ts'
import { sendOnce } from './send-once.ts'

export interface OneMail {
  /** names the message in the send ledger */
  send: Send
  at: Date
  /** returns null when the recipient is gone */
  compose(): Promise<{ to: string; mail: RenderedMail } | null>
}

/**
 * Sends a transactional mail once. A refusal that is not about the recipient's address is an operator's; the mail waits. After an unknown outcome it is sent again under the same Message-ID, because a
 * duplicate is better than a mail that never arrives.
 * @returns `failed` when the address takes no mail, for good
 * @throws MailUnavailable
 */
export async function mailOnce(
  context: Context,
  { send, at, compose }: OneMail,
): Promise<'sent' | 'skipped' | 'failed' | 'done'> {
  const messageId = messageIdOf(context, send)
  const claimed = { ...send, messageRef: messageId.slice(1, messageId.indexOf('@')) }
  return sendOnce(context, claimed, { at, unavailable: 'MailUnavailable', unknown: 'repeat' }, async () => {
    const composed = await compose()
    if (!composed) return 'skipped'
    const { subject, html, text, attachments } = composed.mail
    const { to } = composed
    const content = { subject, html, text, ...(attachments && { attachments }) }
    try {
      await context.mail.send({ kind: 'transactional', to, ...content, messageId })
    } catch (error) {
      if (isProviderFailure(error) && error.needsOperator) await raiseProviderTask(context, error)
      throw error
    }
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
