/**
 * The meanings of a mail server's refusals and of delivery status notifications. providers/mail/ makes its failures
 * from these tables, and docs/codes/ shows them. They say what a code is about instead of how it ends, since the class
 * of the reply (`4xx`, `5xx`) and the command before it decide that. An enhanced status code decides where there is
 * one: only those of `5.1.x` that name the destination are about the person's address. Everything else is about us, the
 * mail or the mailbox of today.
 *
 * Sources: RFC 3463, section 3 (enhanced status codes), with RFC 7505 (5.1.10), RFC 7372 (5.7.20 to 5.7.25) and RFC
 * 5248 (registry); RFC 5321, section 4.2.3 (reply codes).
 */

export interface SmtpMeaning {
  /** the RFC's description */
  says: string
  /**
   * `address`: the person's address takes no mail, for good. Everything else may pass, or passes once an operator has
   * acted
   */
  about: 'address' | 'mailbox' | 'mail system' | 'us' | 'mail'
  acts: 'nobody' | 'operator' | 'developers'
}

const address = (says: string): SmtpMeaning => ({ says, about: 'address', acts: 'nobody' })
const mailbox = (says: string): SmtpMeaning => ({ says, about: 'mailbox', acts: 'operator' })
const system = (says: string): SmtpMeaning => ({ says, about: 'mail system', acts: 'operator' })
const us = (says: string): SmtpMeaning => ({ says, about: 'us', acts: 'operator' })
const mail = (says: string): SmtpMeaning => ({ says, about: 'mail', acts: 'developers' })

/** Keyed by subject and detail, which are the same for `4.x.x` (for now) and `5.x.x` (for good). */
export const enhancedCodes: Record<string, SmtpMeaning> = {
  '0.0': system('Other undefined status'),
  // It does not say whose address. Postfix says it of a sender that it does not know, and mostly in answer to the
  // recipient (src/smtpd/smtpd_check.c, check_rcpt_maps; postconf(5), smtpd_delay_reject); for a recipient it has 5.1.1.
  // So have the codes that no registry has: 5.1.90 of Exchange Online is a limit of what we may send in a day.
  '1.0': us('Other address status'),
  '1.1': address('Bad destination mailbox address'),
  '1.2': address('Bad destination system address'),
  '1.3': address('Bad destination mailbox address syntax'),
  '1.4': address('Destination mailbox address ambiguous'),
  '1.5': system('Destination mailbox address valid'),
  '1.6': address('Mailbox has moved'),
  '1.7': us('Bad sender’s mailbox address syntax'),
  '1.8': us('Bad sender’s system address'),
  '1.9': system('Message relayed to non-compliant mailer'),
  '1.10': address('Recipient address has null MX'),
  '2.0': mailbox('Other or undefined mailbox status'),
  '2.1': mailbox('Mailbox disabled, not accepting messages'),
  '2.2': mailbox('Mailbox full'),
  '2.3': mail('Message length exceeds administrative limit'),
  '2.4': mailbox('Mailing list expansion problem'),
  '3.0': system('Other or undefined mail system status'),
  '3.1': system('Mail system full'),
  '3.2': system('System not accepting network messages'),
  '3.3': system('System not capable of selected features'),
  '3.4': mail('Message too big for system'),
  '3.5': system('System incorrectly configured'),
  '4.0': system('Other or undefined network or routing status'),
  '4.1': system('No answer from host'),
  '4.2': system('Bad connection'),
  '4.3': system('Directory server failure'),
  '4.4': system('Unable to route'),
  '4.5': us('Mail system congestion; also a limit of what we may send'),
  '4.6': system('Routing loop detected'),
  '4.7': system('Delivery time expired'),
  '5.0': system('Other or undefined protocol status'),
  '5.1': mail('Invalid command'),
  '5.2': mail('Syntax error'),
  '5.3': mail('Too many recipients'),
  '5.4': mail('Invalid command arguments'),
  '5.5': mail('Wrong protocol version'),
  '6.0': mail('Other or undefined media error'),
  '6.1': mail('Media not supported'),
  '6.2': mail('Conversion required and prohibited'),
  '6.3': mail('Conversion required but not supported'),
  '6.4': mail('Conversion with loss performed'),
  '6.5': mail('Conversion failed'),
  '7.0': us('Other or undefined security status'),
  '7.1': us('Delivery not authorized, message refused'),
  '7.2': us('Mailing list expansion prohibited'),
  '7.3': us('Security conversion required but not possible'),
  '7.4': us('Security features not supported'),
  '7.5': us('Cryptographic failure'),
  '7.6': us('Cryptographic algorithm not supported'),
  '7.7': us('Message integrity failure'),
  '7.20': us('No passing DKIM signature found'),
  '7.21': us('No acceptable DKIM signature found'),
  '7.22': us('No valid author-matched DKIM signature found'),
  '7.23': us('SPF validation failed'),
  '7.24': us('SPF validation error'),
  '7.25': us('Reverse DNS validation failed'),
  '7.26': us('Multiple authentication checks failed'),
}

/** Replies without an enhanced status code. A bare 550 may be about the mailbox, about us or about the mail. */
export const replyCodes: Record<string, SmtpMeaning> = {
  '421': system('Service not available, closing transmission channel'),
  '450': mailbox('Mailbox unavailable: busy, or blocked for policy reasons'),
  '451': system('Local error in processing'),
  '452': system('Insufficient system storage'),
  '454': us('Temporary authentication failure'),
  '455': system('Server unable to accommodate parameters'),
  '500': mail('Syntax error, command unrecognized'),
  '501': mail('Syntax error in parameters'),
  '502': mail('Command not implemented'),
  '503': { ...system('Bad sequence of commands'), acts: 'nobody' },
  '504': mail('Command parameter not implemented'),
  '530': us('Authentication required'),
  '535': us('Authentication credentials invalid'),
  '550': us('Mailbox unavailable: not found, no access, or refused for policy reasons'),
  '551': us('User not local'),
  '552': mailbox('Exceeded storage allocation'),
  '553': us('Mailbox name not allowed'),
  '554': us('Transaction failed'),
  '555': mail('Parameters not recognized or not implemented'),
}

const statusForm = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?!\d)/

/** The enhanced status code in a reply such as `550 5.7.1 Blocked`, of the same class as the reply code. */
export function enhancedStatusIn(reply: string): string | undefined {
  const status = statusForm.exec(reply)?.[1]
  return status?.[0] === reply[0] ? status : undefined
}

/** The meaning of a reply or a notification; an unlisted code of a listed subject means what its detail 0 means. */
export const smtpMeaning = (replyCode: number | undefined, status: string | undefined): SmtpMeaning =>
  listedMeaning(replyCode, status) ?? system('Unlisted')

/** Whether a table has a reply, by its enhanced status code or by its three digits. */
export const isListedReply = (replyCode: number, status: string | undefined): boolean =>
  listedMeaning(replyCode, status) !== undefined

function listedMeaning(replyCode: number | undefined, status: string | undefined): SmtpMeaning | undefined {
  const [, subject = '', detail = ''] = status?.split('.') ?? []
  const listed =
    status === undefined ? undefined : (enhancedCodes[`${subject}.${detail}`] ?? enhancedCodes[`${subject}.0`])
  return listed ?? replyCodes[String(replyCode)]
}

/** Whether a status of a delivery status notification says for good that the person's address takes no mail. */
export const addressIsDead = (status: string): boolean =>
  status.startsWith('5.') && smtpMeaning(undefined, status).about === 'address'
