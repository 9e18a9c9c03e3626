/**
 * One mail for many recipients: composed once, which is most of the work, and completed by three header lines for each.
 */
import MailComposer from 'nodemailer/lib/mail-composer'

export interface TemplateContent {
  from: string
  subject: string
  html: string
  text: string
  headers: Record<string, string>
}

export interface TemplateRecipient {
  /** ASCII without line breaks, which the caller has checked */
  to: string
  /** `<local@domain>`, the same for every attempt at the same mail; `local` at most 56 characters, and no secret */
  messageId: string
}

/** Composes a mail. @returns a function that makes the whole message (RFC 5322) for one recipient */
export async function composeTemplate(content: TemplateContent): Promise<(recipient: TemplateRecipient) => Buffer> {
  const whole = (await new MailComposer(content).compile().build()).toString('latin1')
  const headEnd = whole.search(/\r?\n\r?\n/)
  // A header may be folded over several lines, which begin with a space or tab.
  const head = whole.slice(0, headEnd).replace(/^(?:message-id|date|to):.*(?:\r?\n[ \t].*)*\r?\n/gim, '')
  const rest = Buffer.from(`${head}${whole.slice(headEnd)}`, 'latin1')
  return ({ to, messageId }) => {
    const date = new Date().toUTCString().replace('GMT', '+0000')
    return Buffer.concat([Buffer.from(`To: ${to}\r\nMessage-ID: ${messageId}\r\nDate: ${date}\r\n`), rest])
  }
}
