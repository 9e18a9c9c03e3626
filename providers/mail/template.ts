/** The same mail for many: composed once, which is most of the work, and completed for each by three header lines. */
import MailComposer from 'nodemailer/lib/mail-composer'

export interface TemplateContent {
  from: string
  subject: string
  html: string
  text: string
  headers: Record<string, string>
}

export interface TemplateRecipient {
  /** ASCII, and nothing that could end a line: the caller has checked it */
  to: string
  /** `<local@domain>` */
  messageId: string
}

/** Returns a function that makes the whole message (RFC 5322) for one recipient. */
export async function composeTemplate(content: TemplateContent): Promise<(recipient: TemplateRecipient) => Buffer> {
  const whole = (await new MailComposer(content).compile().build()).toString('latin1')
  const headEnd = whole.search(/\r?\n\r?\n/)
  // A header may go on over several lines, which then begin with a space.
  const head = whole.slice(0, headEnd).replace(/^(?:message-id|date|to):.*(?:\r?\n[ \t].*)*\r?\n/gim, '')
  const rest = Buffer.from(`${head}${whole.slice(headEnd)}`, 'latin1')
  return ({ to, messageId }) => {
    const date = new Date().toUTCString().replace('GMT', '+0000')
    return Buffer.concat([Buffer.from(`To: ${to}\r\nMessage-ID: ${messageId}\r\nDate: ${date}\r\n`), rest])
  }
}
