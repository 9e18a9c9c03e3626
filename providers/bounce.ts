/** Mail that comes back: delivery status notifications (RFC 3464) to the envelope senders of mail.ts. */
import { ProviderFailure } from './failure.ts'

export interface Bounce {
  /** of the mail that came back, without brackets and domain */
  messageId: string
  /** enhanced status code of RFC 3463, such as 5.1.1 */
  status: string
  /** false where the mail system goes on trying */
  permanent: boolean
}

/**
 * Reads what counts and nothing else: no address, no diagnostic text. Whether the notification is genuine is for the
 * way it came by to say.
 * @param raw the whole message
 * @throws ProviderFailure rejected, `unreadable_bounce`
 */
export function readBounce(raw: string): Bounce {
  const text = raw.replaceAll('\r\n', '\n')
  const [head = ''] = text.split('\n\n', 1)
  const to = /^to:(.*)$/im.exec(head.replace(/\n[ \t]+/g, ' '))?.[1] ?? ''
  const messageId = /\bbounces\+([\w.+-]{1,56})@/i.exec(to)?.[1]
  const report = text.slice(text.search(/^content-type:\s*message\/delivery-status/im))
  const status = /^status:\s*([245]\.\d{1,3}\.\d{1,3})/im.exec(report)?.[1]
  if (!messageId || !status) throw new ProviderFailure('smtp', 'rejected', 'unreadable_bounce')
  return { messageId, status, permanent: status.startsWith('5') }
}
