/** P5, the mail provider gets transactional mail: e-mail over SMTP (RFC 5321), with one recipient for each message. */
import { createTransport } from 'nodemailer'
import { isOneLine } from '../../shared/text/one-line.ts'
import { assertOutsideTransaction } from '../../shared/transaction-scope.ts'
import { type CallWatch, watched } from '../call-watch.ts'
import { ProviderFailure } from '../failure.ts'
import { mailFailure } from './failure.ts'
import { composeTemplate, type TemplateRecipient } from './template.ts'

export interface MailSettings {
  /** `smtps://user:password@host:465` or `smtp://host:587`, which must offer STARTTLS unless it is this machine */
  url: string
  /** the visible sender, for example `AMA eSIM <hello@example.com>` */
  from: string
  /** the domain whose mail server receives bounces; default: the domain of `from` */
  envelopeDomain?: string
  /** default 5 */
  maxConnections?: number
  /** messages per second and process, default unlimited */
  rateLimit?: number
  /** after this silence of the server, in milliseconds, the connection counts as lost; default ten minutes */
  socketTimeoutMs?: number
  watch?: CallWatch | undefined
}

export interface MailAttachment {
  filename: string
  contentType: string
  content: Buffer
  /** the HTML shows the image as `cid:<this>` */
  cid: string
}

/** The mail as its recipient reads it; mails/ renders it. */
export interface RenderedMail {
  subject: string
  html: string
  text: string
  attachments?: MailAttachment[]
}

export type Recipient = TemplateRecipient &
  (
    | { kind: 'transactional' }
    /** with one-click unsubscribe (RFC 8058): `url` is HTTPS, contains an opaque token and accepts a POST */
    | { kind: 'promotional'; listUnsubscribe: { url: string; mailto?: string } }
  )

const provider = 'smtp'
const messageIdForm = /^<([\w.+-]{1,56})@[\w.-]+>$/
/** RFC 5321, section 4.5.3.2: ten minutes for the answer to a whole message, at most five for all others. */
const messageAnswerMs = 10 * 60_000
const greetingMs = 5 * 60_000
const isAscii = /^[\x21-\x7e]+$/
const addressForm = /^[^\s<>,;:"()@]+@[^\s<>,;:"()@]+$/
/** RFC 5321, section 4.5.3.1.3: a path has 256 characters, two of them brackets. */
const longestAddress = 254

/** Whether mail can be sent to an address. */
export const isAddress = (text: string): boolean =>
  text.length <= longestAddress && addressForm.test(text) && isOneLine(text)

/** Creates a mail client. It must be closed, since its connections keep the process alive. */
export function createMail(settings: MailSettings) {
  const url = new URL(settings.url)
  const bounceDomain = settings.envelopeDomain ?? domainOf(settings.from)
  const transporter = createTransport({
    pool: true,
    url: settings.url,
    maxConnections: settings.maxConnections ?? 5,
    ...(settings.rateLimit === undefined ? {} : { rateLimit: settings.rateLimit }),
    requireTLS: url.protocol === 'smtp:' && !isThisMachine(url.hostname),
    connectionTimeout: greetingMs,
    greetingTimeout: greetingMs,
    socketTimeout: settings.socketTimeoutMs ?? messageAnswerMs,
    // nodemailer can read content from files and URLs; ours never comes from there.
    disableFileAccess: true,
    disableUrlAccess: true,
  })

  /** The body streams by envelope, which show whether any part was sent. nodemailer gives them to its plugins only. */
  const bodies = new WeakMap<object, { readableDidRead?: boolean }>()
  transporter.use('stream', (mail, done) => {
    mail.message.processFunc((body) => {
      if (mail.data.envelope) bodies.set(mail.data.envelope, body)
      return body
    })
    done()
  })

  const underWay = new Set<Promise<unknown>>()

  const deliver = (mail: RenderedMail, recipient: Recipient): Promise<{ accepted: true }> =>
    transmit(recipient, {
      from: settings.from,
      to: { name: '', address: recipient.to },
      messageId: recipient.messageId,
      subject: mail.subject,
      html: mail.html,
      text: mail.text,
      attachments: mail.attachments ?? [],
      ...(recipient.kind === 'promotional' ? unsubscribeHeaders(recipient.listUnsubscribe) : automaticHeaders),
    })

  async function transmit(
    { to, messageId }: TemplateRecipient,
    message: Parameters<typeof transporter.sendMail>[0],
  ): Promise<{ accepted: true }> {
    assertOutsideTransaction('The mail server')
    const id = messageIdForm.exec(messageId)?.[1]
    if (!id) throw new ProviderFailure(provider, 'misconfigured', 'invalid_message_id')
    if (!isAddress(to)) throw new ProviderFailure(provider, 'rejected', 'invalid_address')
    // VERP: each mail has its own bounce address, which names the mail and not the person.
    const envelope = { from: `bounces+${id}@${bounceDomain}`, to: [to] }
    const sending = transporter.sendMail({ ...message, envelope }).catch((error: unknown) => {
      throw mailFailure(error, bodies.get(envelope)?.readableDidRead === true)
    })
    await watched(settings.watch, provider, sending)
    return { accepted: true }
  }

  function counted(sending: Promise<{ accepted: true }>): Promise<{ accepted: true }> {
    underWay.add(sending)
    const done = () => void underWay.delete(sending)
    sending.then(done, done)
    return sending
  }

  return {
    /**
     * Sends a mail. It resolves once the server has accepted the mail.
     * @throws ProviderFailure: `unavailable` (`smtp_451`, ...: certainly not accepted, can be repeated), `rejected`
     * (`smtp_5.1.1`, ...: this address takes no mail, for good), `misconfigured` (`smtp_5.7.1`, ...: we or the mail are
     * refused, or the mailbox is full: not accepted until an operator has acted), `unknown_outcome` when the connection
     * broke after a part of the message was sent
     */
    send(mail: RenderedMail, recipient: Recipient): Promise<{ accepted: true }> {
      return counted(deliver(mail, recipient))
    },

    /**
     * Prepares the same transactional mail for many recipients, which takes a third of the time for each.
     * @returns a function that sends to one recipient and fails as `send` does
     */
    async sendToMany(
      mail: Omit<RenderedMail, 'attachments'>,
    ): Promise<(recipient: TemplateRecipient) => Promise<{ accepted: true }>> {
      const { subject, html, text } = mail
      const messageFor = await composeTemplate({ from: settings.from, subject, html, text, ...automaticHeaders })
      return (recipient) =>
        counted(
          isAscii.test(recipient.to)
            ? transmit(recipient, { raw: messageFor(recipient) })
            : deliver({ subject, html, text }, { kind: 'transactional', ...recipient }),
        )
    },

    /** Connects and signs in, without sending a mail. @throws ProviderFailure */
    async verify(): Promise<void> {
      assertOutsideTransaction('The mail server')
      const verifying = transporter.verify().catch((error: unknown) => {
        throw mailFailure(error, false)
      })
      await watched(settings.watch, provider, verifying)
    },

    /** Resolves when no mail is being sent. */
    async idle(): Promise<void> {
      while (underWay.size > 0) await Promise.allSettled(underWay)
    },

    /** Finishes open mails and closes the connections. No mail may be sent afterwards. */
    async close(): Promise<void> {
      await this.idle()
      transporter.close()
    },
  }
}

export type MailSender = ReturnType<typeof createMail>

/** RFC 3834: mail systems send no automatic reply, such as a holiday notice, to mails with this header. */
const automaticHeaders = { headers: { 'Auto-Submitted': 'auto-generated' } }

function unsubscribeHeaders({ url, mailto }: { url: string; mailto?: string }) {
  return {
    list: { unsubscribe: [[url, ...(mailto ? [mailto] : [])]] },
    headers: { 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' },
  }
}

const domainOf = (from: string): string => from.slice(from.lastIndexOf('@') + 1).replace(/>\s*$/, '')

const isThisMachine = (host: string): boolean => ['localhost', '127.0.0.1', '[::1]'].includes(host)
