import type { Context } from '../../context.ts'
import { type Account, emailIndexOf, findAccount } from '../../db/accounts.ts'
import { noteDeadAddress } from '../../db/order/unreached.ts'
import { noteAddress, type Send } from '../../db/sends.ts'
import { type Texts, textsOf } from '../../messages/texts.ts'
import { isProviderFailure } from '../../providers/failure.ts'
import type { RenderedMail } from '../../providers/mail/mail.ts'
import { asOneLine } from '../../shared/text/one-line.ts'
import { sendOnce } from './send-once.ts'

export interface MailToSend {
  /** names the message in the send ledger */
  send: Send
  at: Date
  /** the address of a mail that goes there again: a bounce of the first one, at another address, is not about it */
  again?: Buffer | undefined
  /** returns null when the recipient is gone */
  compose(): Promise<AddressedMail | null>
}

export interface AddressedMail {
  /** an account when the mail goes to its own address */
  to: string | Account
  mail: RenderedMail
}

/**
 * Sends a transactional mail once. After a refusal that is not about the recipient's address the mail waits. After an
 * unknown outcome it is sent again under the same Message-ID, because a duplicate is better than a mail that never
 * arrives. An account's address that refuses for good is marked, so that the app can ask for another one. A person
 * without the app would never learn that the purchase was delivered: that is an operator task.
 * @returns `failed` when the address takes no mail, for good
 * @throws MailUnavailable
 */
export async function sendMail(
  context: Context,
  { send, at, again, compose }: MailToSend,
): Promise<'sent' | 'skipped' | 'failed' | 'done'> {
  const messageId = messageIdOf(context, send, again)
  const claimed = { ...send, messageRef: messageId.slice(1, messageId.indexOf('@')) }
  return sendOnce(context, claimed, { at, unavailable: 'MailUnavailable', unknown: 'repeat' }, async () => {
    const composed = await compose()
    if (!composed) return 'skipped'
    const account = typeof composed.to === 'string' ? undefined : composed.to
    const to = typeof composed.to === 'string' ? composed.to : composed.to.email
    // Without an account there is nobody whose address a bounce could be charged to.
    if (!account && send.accountId !== null) await noteAddress(context.sql, send, emailIndexOf(context, to))
    try {
      await context.mail.send(composed.mail, { kind: 'transactional', to, messageId })
    } catch (error) {
      // Before the send ledger records the refusal: after that no attempt would mark the address.
      if (account && isProviderFailure(error) && error.kind === 'rejected') {
        const addressIndex = emailIndexOf(context, account.email)
        const refused = { accountId: account.id, addressIndex, subjectId: send.subjectId, code: error.code, at }
        await noteDeadAddress(context.sql, refused)
      }
      throw error
    }
    return 'sent'
  })
}

/** Composes a mail to an account's own address in its language, unless the account is gone. */
export async function toAccount(
  context: Context,
  accountId: string,
  render: (account: Account, texts: Texts) => RenderedMail | Promise<RenderedMail>,
): Promise<AddressedMail | null> {
  const account = await findAccount(context.sql, context, accountId)
  if (!account) return null
  // A name that was stored before names of several lines were refused.
  const named = { ...account, firstName: asOneLine(account.firstName), lastName: asOneLine(account.lastName) }
  return { to: account, mail: await render(named, textsOf(account.language)) }
}

/**
 * The Message-ID: the same for every attempt, and without personal data.
 * @param again the address of a mail that goes there again
 */
export function messageIdOf(
  { cipher, config }: Pick<Context, 'cipher' | 'config'>,
  { subjectId, kind }: Pick<Send, 'subjectId' | 'kind'>,
  again?: Buffer,
): string {
  const mail = `${subjectId}\0${kind}${again ? `\0${again.toString('hex')}` : ''}`
  const local = cipher.fingerprint('message-id', mail).subarray(0, 18).toString('hex')
  return `<${local}@${config.MAIL_BOUNCE_DOMAIN}>`
}
