/** Bounces: delivery status notifications (RFC 3464) to the envelope senders of mail.ts. */

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
const statusForm = /^[245]\.\d{1,3}\.\d{1,3}/

/**
 * Reads a notification, without addresses and diagnostic texts. It has no signature: the caller has to check the
 * sender.
 * @param raw the whole message
 * @throws ProviderFailure rejected, `unreadable_bounce`
 */
export function readBounce(raw: string): Bounce {
  // Unfolds header lines: RFC 5322, section 2.2.3.
  const lines = raw.replaceAll(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)
  const head = lines.slice(0, lines.indexOf(''))
  const messageId = messageIdIn(fieldOf(head, 'to'))
  const report = lines.findIndex((line) => fieldOf([line], 'content-type').startsWith('message/delivery-status'))
  const fields = report < 0 ? [] : lines.slice(report)
  const status = statusForm.exec(fieldOf(fields, 'status'))?.[0]
  if (!messageId || !status) throw new ProviderFailure('smtp', 'rejected', 'unreadable_bounce')
  // RFC 3464, section 2.3.3: `failed` stands beside a 4.x.x where the time for the attempts was over.
  const action = fieldOf(fields, 'action').toLowerCase()
  const permanent = action === '' ? status.startsWith('5') : action.startsWith('failed')
  return { messageId, status, permanent, addressIsDead: permanent && addressIsDead(status) }
}

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
