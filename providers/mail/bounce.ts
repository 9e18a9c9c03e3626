/**
 * Bounces: delivery status notifications to the envelope senders of mail.ts (RFC 3464, and RFC 6533 of mails whose
 * addresses are not of ASCII).
 */

import { addressIsDead } from '../codes/smtp.ts'
import { ProviderFailure } from '../failure.ts'

export interface Bounce {
  /** of the returned mail, without brackets and domain */
  messageId: string
  /** enhanced status code of RFC 3463, such as 5.1.1 */
  status: string
  /** the mail system has given up, whatever the status of its last attempt; false while it still tries to deliver */
  permanent: boolean
  /** the person's address takes no mail, for good; any other bounce is about us, the mail or the mailbox of today */
  addressIsDead: boolean
}

const verpPrefix = 'bounces+'
const idForm = /^[\w.+-]{1,56}$/
/** Types are the same in any case: RFC 2045, section 5.1. */
const reportType = /^message\/(?:global-)?delivery-status\b/i
const statusForm = /^[245]\.\d{1,3}\.\d{1,3}/

/**
 * Reads a notification, without addresses and diagnostic texts. It has no signature: the caller has to check the
 * sender.
 * @param raw the whole message
 * @returns undefined for an automatic reply, such as a holiday notice, which goes to the envelope sender as well: RFC
 * 3834, section 4
 * @throws ProviderFailure rejected, `unreadable_bounce`
 */
export function readBounce(raw: string): Bounce | undefined {
  const lines = linesOf(raw)
  const head = lines.slice(0, lines.indexOf(''))
  const messageId = messageIdIn(fieldOf(head, 'to'))
  const fields = reportIn(lines)
  if (fields.length === 0 && isAutomaticReply(head)) return undefined
  const status = statusForm.exec(fieldOf(fields, 'status'))?.[0]
  if (!messageId || !status) throw new ProviderFailure('smtp', 'rejected', 'unreadable_bounce')
  // RFC 3464, section 2.3.3: `failed` stands beside a 4.x.x where the time for the attempts was over.
  const action = fieldOf(fields, 'action').toLowerCase()
  const permanent = action === '' ? status.startsWith('5') : action.startsWith('failed')
  return { messageId, status, permanent, addressIsDead: permanent && addressIsDead(status) }
}

/**
 * The lines of the report. That of RFC 6533 may be encoded, since it has addresses as they are; a mail server of ASCII
 * alone does so.
 */
function reportIn(lines: readonly string[]): string[] {
  const type = lines.findIndex((line) => reportType.test(fieldOf([line], 'content-type')))
  const headEnd = lines.indexOf('', type)
  if (type < 0 || headEnd < 0) return []
  const head = lines.slice(lines.lastIndexOf('', type) + 1, headEnd)
  const rest = lines.slice(headEnd + 1)
  const end = rest.findIndex((line) => line.startsWith('--'))
  const body = end < 0 ? rest : rest.slice(0, end)
  const isEncoded = fieldOf(head, 'content-transfer-encoding').toLowerCase() === 'base64'
  return isEncoded ? linesOf(Buffer.from(body.join(''), 'base64').toString()) : body
}

/** RFC 3834, section 5. Mail systems mark their reports so as well. */
const isAutomaticReply = (head: readonly string[]): boolean => /^auto-/i.test(fieldOf(head, 'auto-submitted'))

/** Unfolds header lines: RFC 5322, section 2.2.3. */
const linesOf = (text: string): string[] => text.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)

/** The value of the first field with a name, or an empty text. */
function fieldOf(lines: readonly string[], name: string): string {
  const start = `${name}:`
  const line = lines.find((each) => each.slice(0, start.length).toLowerCase() === start)
  return line?.slice(start.length).trim() ?? ''
}

/** The message id between `bounces+` and `@` in an address. */
function messageIdIn(address: string): string | undefined {
  const start = address.toLowerCase().indexOf(verpPrefix)
  const id = address.slice(start + verpPrefix.length).split('@', 1)[0] ?? ''
  return start >= 0 && idForm.test(id) ? id : undefined
}
