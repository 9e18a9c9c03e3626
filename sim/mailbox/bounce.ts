/** Delivery status notifications (RFC 3464), which a mail system returns to the envelope sender. */
import MimeNode from 'nodemailer/lib/mime-node'
import type { ReadMail } from './store.ts'

/** @param status the enhanced status code of RFC 3463: `5.x.x` is permanent, `4.x.x` is temporary */
export async function composeBounce(mail: ReadMail, status: string): Promise<string> {
  const failed = status.startsWith('5')
  const root = new MimeNode('multipart/report; report-type=delivery-status')
  root.setHeader({
    From: 'Mail Delivery System <mailer-daemon@mailbox.test>',
    To: mail.envelope.from,
    Subject: failed ? 'Undelivered Mail Returned to Sender' : 'Delayed Mail',
    'Auto-Submitted': 'auto-replied',
  })
  root.createChild('text/plain').setContent('The message could not be delivered to one or more recipients.')
  const report = [
    'Reporting-MTA: dns; mailbox.test',
    `Arrival-Date: ${new Date(mail.at).toUTCString()}`,
    '',
    ...mail.envelope.to.flatMap((recipient) => [
      `Final-Recipient: rfc822; ${recipient}`,
      `Action: ${failed ? 'failed' : 'delayed'}`,
      `Status: ${status}`,
      `Diagnostic-Code: smtp; ${failed ? '550' : '451'} ${status} mailbox unavailable`,
      '',
    ]),
  ]
  root.createChild('message/delivery-status').setContent(report.join('\r\n'))
  root
    .createChild('text/rfc822-headers')
    .setContent([`Message-ID: ${mail.messageId}`, `Subject: ${mail.headers.subject ?? ''}`, ''].join('\r\n'))
  return (await root.build()).toString('utf8')
}
